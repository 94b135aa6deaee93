/** `deno task perf`: the speed benchmarks, as ratios of things that took turns in one run. */

import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { explain, suggest, UsageError } from "../../core/errors.ts";
import { backends, gpu } from "./backends.ts";
import { conv } from "./conv.ts";
import { direct } from "./direct.ts";
import { convolution, frc, points } from "./microscopy.ts";
import { rays } from "./rays.ts";
import { report } from "./report.ts";
import { estimate, plan, workers } from "./scale.ts";
import { transport } from "./sinkhorn.ts";
import { cores, steps, torch, volumes } from "./steps.ts";

const help = `deno task perf [PART…] [--rounds N] [--python PATH] [--write]

Speed, as ratios within one run. Each contender's fastest turn counts, since other load only adds; the more there is,
the more rounds it takes.

Parts (unless some are named: conv and steps, and with --python torch, cores and rays):
  conv      the convolution kernels, as shares of what one core can do on registers alone (1 minute)
  portable  the same for the arithmetic class of --portable
  steps     training steps in both arithmetic classes, without replay, and with stock ops (3 minutes)
  volumes   training steps on volumes, supervised ones against tf.conv3d (5 minutes)
  torch     training steps against PyTorch on one thread (5 minutes); needs --python
  direct    results with and without Winograd's convolutions, on seeds that nothing was chosen on (10 minutes)
  sinkhorn  the optimal transport losses against a direct evaluation (1 minute)
  cores     two workers against PyTorch on two threads, and in two processes (5 minutes); needs --python
  backends  training steps on every backend that starts here, and without our kernels on webgpu (5 minutes)
  gpu       an OT-cycleGAN step of the paper's size on each backend that has a GPU, and with --python in PyTorch on CUDA;
            where there is no GPU it says so and runs nothing
  rays      the ray transform against scikit-image and ASTRA on one thread (5 minutes); needs --python
  frc       Fourier ring correlation of two images of 2048² (20 seconds)
  points    the assignment of 10⁴ points to 10⁴ others (10 seconds)
  convolution  a blur and its derivatives by sums and by Fourier transforms (20 seconds)
  workers   eight jobs on two workers against one (5 minutes)
  plan      plans of 10⁴ and 10⁵ jobs, and folders of as many records (1 minute)
  estimate  what bench --estimate says of a run, and what it takes (4 minutes)
  report    deno task report on 10³, 10⁴ and 10⁵ records, in seconds and megabytes (1 minute)

Options:
  --rounds N     how often each contender has its turn, but for conv and direct (default 7)
  --seeds LIST   the seeds of direct (default 41-46)
  --python PATH  a Python that has PyTorch 2, and for rays scikit-image and ASTRA; make one with
                   python3 -m venv /tmp/perf && /tmp/perf/bin/pip install torch numpy scikit-image astra-toolbox
                 and give --python /tmp/perf/bin/python
  --write        puts the tables into docs/performance.md and docs/scale.md, with this machine's name and the date
  --help         this text

Examples:
  deno task perf
  deno task perf conv
  deno task perf torch --python /tmp/perf/bin/python
  deno task perf gpu --python /tmp/perf/bin/python --write
  deno task perf --python /tmp/perf/bin/python --write
`;

const parts: Readonly<Record<string, (options: Options) => Promise<string>>> = {
  conv: () => conv("fma"),
  portable: () => conv("muladd"),
  steps: ({ rounds }) => steps(rounds),
  volumes: ({ rounds }) => volumes(rounds),
  direct: ({ seeds }) => direct(seeds),
  sinkhorn: () => transport(),
  torch: ({ rounds, python }) => torch(rounds, required(python)),
  cores: ({ rounds, python }) => cores(rounds, required(python)),
  backends: ({ rounds }) => backends(rounds),
  gpu: (options) => gpu(options),
  rays: ({ rounds, python }) => rays(rounds, required(python)),
  frc: ({ rounds }) => frc(rounds),
  points: ({ rounds }) => points(rounds),
  convolution: ({ rounds }) => convolution(rounds),
  workers: ({ rounds }) => workers(rounds),
  plan: () => plan(),
  estimate: () => estimate(),
  report: () => report(),
};

function required(python: string | undefined): string {
  if (python !== undefined) return python;
  throw new UsageError({
    what: "the parts torch, cores and rays need a Python with what they measure against",
    where: "--python",
    fix: "see deno task perf --help",
  });
}

interface Options {
  readonly rounds: number;
  readonly seeds: string;
  readonly python?: string;
}

/** Puts a part's table between its two markers in docs/performance.md or docs/scale.md, which is then formatted. */
async function write(part: string, table: string): Promise<void> {
  const [start, end] = [`<!-- ${part} -->`, `<!-- /${part} -->`];
  const made = `Measured on ${machine()}, ${new Date().toISOString().slice(0, 10)}.`;
  const paths = ["performance", "scale"].map((name) => `${import.meta.dirname}/../../docs/${name}.md`);
  for (const path of paths) {
    const text = await Deno.readTextFile(path);
    const [from, to] = [text.indexOf(start), text.indexOf(end)];
    if (from < 0 || to < from) continue;
    await Deno.writeTextFile(
      path,
      `${text.slice(0, from + start.length)}\n\n${made}\n\n${table}\n\n${text.slice(to)}`,
    );
    const { success } = await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", path] }).output();
    if (!success) throw new Error(`deno fmt does not like ${path}`);
    return;
  }
  throw new Error(
    explain({
      what: `no place for the part ${part}`,
      where: paths.join(" and "),
      fix: `write ${start} and ${end} into one of them`,
    }),
  );
}

function machine(): string {
  return `${
    cpus()[0]?.model.trim() ?? "an unknown processor"
  }, ${cpus().length} cores, Deno ${Deno.version.deno}`;
}

function arguments_(): {
  readonly names: readonly string[];
  readonly write: boolean;
  readonly options: Options;
} | "help" {
  let parsed;
  try {
    parsed = parseArgs({
      args: Deno.args,
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h" },
        rounds: { type: "string", default: "7" },
        seeds: { type: "string", default: "41-46" },
        python: { type: "string" },
        write: { type: "boolean", default: false },
      },
    });
  } catch (cause) {
    throw new UsageError({ what: (cause as Error).message, where: "deno task perf", fix: "see --help" }, {
      cause,
    });
  }
  const { values, positionals } = parsed;
  if (values.help) return "help";
  for (const name of positionals) {
    if (parts[name] === undefined) {
      throw new UsageError({
        what: `unknown part "${name}"`,
        where: "deno task perf",
        fix: suggest(name, Object.keys(parts)),
      });
    }
  }
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new UsageError({
      what: `${values.rounds} rounds`,
      where: "--rounds",
      fix: "give a whole number from 1 on",
    });
  }
  const all = ["conv", "steps", ...(values.python === undefined ? [] : ["torch", "cores", "rays"])];
  const names = positionals.length > 0 ? positionals : all;
  return { names, write: values.write, options: { rounds, seeds: values.seeds, python: values.python } };
}

async function main(): Promise<void> {
  const given = arguments_();
  if (given === "help") return console.log(help);
  console.log(`${machine()}\n`);
  for (const name of given.names) {
    console.log(`## ${name}\n`);
    const table = await parts[name](given.options);
    if (given.write) await write(name, table);
    console.log();
  }
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    Deno.exit(2);
  }
}
