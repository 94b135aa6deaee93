/** `deno task reconstruct`: applies what a run trained to a user's own file. */

import process from "node:process";
import type { ParseArgsConfig } from "node:util";
import { suggest, UsageError } from "../core/errors.ts";
import { isThere } from "../core/files.ts";
import type { Benchmark } from "../benchmarks/benchmark.ts";
import { startBackend } from "../engine/backend.ts";
import { readPlan, weightsPath } from "../harness/folder.ts";
import type { Job, Plan } from "../harness/plan.ts";
import { applied, benchmarkOf } from "../harness/reconstruct.ts";
import { readWeights } from "../harness/weights.ts";
import { counted } from "../reports/words.ts";
import { exitWithError, printable } from "./exit.ts";
import { parsed, whole } from "./options.ts";
import { fromCaller } from "./paths.ts";
import { loadSuite, unnamedModules } from "./suite.ts";

const options = {
  method: { type: "string" },
  seed: { type: "string" },
  data: { type: "string", multiple: true, default: [] as string[] },
  out: { type: "string" },
  measured: { type: "boolean", default: false },
  set: { type: "string", multiple: true, default: [] as string[] },
  "slice-axis": { type: "string" },
  use: { type: "string", multiple: true, default: [] as string[] },
  help: { type: "boolean", short: "h", default: false },
} satisfies ParseArgsConfig["options"];

const help =
  `deno task reconstruct RUN --method NAME --data FILE --out FILE     applies what a run trained to your own data

RUN is the folder of a run that was made with --keep-weights.

  --method NAME     the row of the table
  --seed N          which of its seeds (default: the first that was kept)
  --data PATH       a file or a folder of a kind that the benchmark takes (deno task data); may be repeated
  --out FILE        what to write; its ending says in which of the benchmark's formats (.h5, .nii, …). Where the data hold
                    several subjects, each has a file, with its name before the ending
  --measured        the images in the files are measurements, e.g. low-dose CT: nothing is simulated from them
  --set name=value  measures in another way than the run, e.g. --set matrix=0: whole images at their own size; may be repeated
  --slice-axis N    the array axis (0, 1, 2) to slice volumes along, where the header does not say it
  --use FILE.ts     the modules that the run was made with; may be repeated
  --help            this text

What is measured already is taken as it is, planes and volumes of microscopes whole; of images the measurements are
simulated, as in the benchmark (not of microscopes: such stacks are refused without --measured). Data that are
unlike those of the training (size, pixels, units, operator) get a warning that says how.

Exit codes: 0 written; 2 wrong usage or bad input.

Examples
  deno task bench mri --keep-weights
  deno task reconstruct runs/mri-quick --method ot-cyclegan --data knee.h5 --out knee-reconstructed.h5
  deno task reconstruct runs/ct-quick --method supervised --data low-dose/ --measured --out denoised.nii --set matrix=0`;

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parsed("reconstruct", args, options);
  if (values.help || positionals.length === 0) {
    console.log(help);
    return values.help ? 0 : 2;
  }
  const need = (option: string, value: string | undefined): string => {
    if (value !== undefined && value !== "") return value;
    throw new UsageError({
      what: `--${option} is missing`,
      where: "deno task reconstruct",
      fix: "deno task reconstruct --help shows how it is given",
    });
  };
  if (positionals.length > 1) {
    throw new UsageError({
      what: `one run at a time, not ${positionals.join(", ")}`,
      fix: "name one folder",
    });
  }
  const folder = fromCaller(positionals[0]);
  const method = need("method", values.method);
  const out = fromCaller(need("out", values.out));
  need("data", values.data[0]);
  const plan = await readPlan(folder);
  const job = await jobOf(folder, plan, method, values.seed);
  const use = values.use.map(fromCaller);
  const unnamed = plan.use.filter((path) => !use.includes(path));
  if (unnamed.length > 0) throw unnamedModules(unnamed, `${folder}/plan.json`);

  const suite = await loadSuite(use);
  const { weights, origin } = await readWeights(`${folder}/${weightsPath(job)}`);
  const ending = await endingOf(out, benchmarkOf(suite, { origin }));
  const backend = await startBackend(plan.backend);
  const data = values.data.map(fromCaller);
  const sliceAxis = values["slice-axis"] === undefined
    ? undefined
    : whole("--slice-axis", values["slice-axis"], 0, 2);
  console.log(
    `${origin.method}${origin.seed === null ? "" : `, seed ${origin.seed}`}, trained in ${folder}` +
      (backend.arithmetic === plan.backend.arithmetic
        ? ""
        : `\n  NOTE: arithmetic is ${backend.arithmetic} here and was ${plan.backend.arithmetic}: last digits differ`),
  );
  let subjects = 1;
  const told = progress();
  const application = {
    plan,
    weights,
    origin,
    data,
    isMeasured: values.measured,
    sliceAxis,
    set: values.set,
  };
  const made = applied(suite, application, {
    opened(contents, warnings) {
      subjects = contents.subjects.length;
      const samples = contents.subjects.reduce((sum, subject) => sum + subject.samples.length, 0);
      console.log(
        printable(
          `  data   ${contents.name}: ${counted(subjects, "subject")}, ${counted(samples, "sample")}`,
        ),
      );
      for (const warning of warnings) console.error(printable(`  NOTE   ${warning}`));
    },
    progressed: told,
  });
  for await (const { subject, slices, pixelSizeMm } of made) {
    const path = subjects === 1 ? out : `${out.slice(0, -ending.length)}-${fileName(subject)}${ending}`;
    const benchmark = benchmarkOf(suite, { origin });
    for (const written of await writeAs(path, ending, benchmark, slices, pixelSizeMm)) {
      console.log(`  wrote  ${written}`);
    }
  }
  return 0;
}

/** The job whose weights are asked for. */
async function jobOf(folder: string, { jobs }: Plan, method: string, seed?: string): Promise<Job> {
  const own = jobs.filter((job) => job.method === method);
  if (own.length === 0) {
    throw new UsageError({
      what: `the run has no row "${method}"`,
      where: folder,
      fix: suggest(method, [...new Set(jobs.map((job) => job.method))]),
    });
  }
  if (seed !== undefined) {
    const wanted = own.find((job) => String(job.seed) === seed);
    if (wanted !== undefined) return wanted;
    const seeds = own.flatMap((job) => job.seed ?? []);
    throw new UsageError({
      what: `the run has no seed ${seed} of ${method}`,
      where: folder,
      fix: seeds.length === 0 ? "leave --seed out: it has none" : `its seeds are ${seeds.join(", ")}`,
    });
  }
  for (const job of own) {
    if (await isThere(`${folder}/${weightsPath(job)}`)) return job;
  }
  return own[0];
}

type Slices = Parameters<Benchmark["keep"]>[1];

/** The ending of `out`, which has to be one that the benchmark keeps reconstructions with. */
async function endingOf(out: string, benchmark: Benchmark): Promise<string> {
  const pixel = { shape: [1, 1, 1], data: new Float32Array(1) };
  const probe = [{ sample: "0", reconstruction: pixel, channels: 1 }];
  const endings = await keptIn(benchmark, probe, undefined, (names) => Promise.resolve(names.map(extension)));
  const ending = endings.find((one) => out.endsWith(one));
  if (ending !== undefined) return ending;
  throw new UsageError({
    what: `${benchmark.name} cannot be written as ${out.slice(out.lastIndexOf("/") + 1)}`,
    where: "--out",
    fix: `name a file that ends with ${endings.join(" or ")}`,
  });
}

/** Writes one subject's reconstructions in the format of this ending; where sizes differ, each has a file. */
async function writeAs(
  path: string,
  ending: string,
  benchmark: Benchmark,
  slices: Slices,
  pixelSizeMm?: readonly number[],
): Promise<string[]> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  await Deno.mkdir(folder, { recursive: true });
  return await keptIn(benchmark, slices, pixelSizeMm, async (names, at) => {
    const written: string[] = [];
    for (const name of names.filter((name) => name.endsWith(ending) && !name.includes(".truth."))) {
      // What is between the two tells files of several sizes apart.
      const between = name.slice(kept.length, -ending.length);
      const target = `${path.slice(0, -ending.length)}${between}${ending}`;
      const partial = `${target}.${Deno.pid}.tmp`;
      await Deno.copyFile(`${at}/${name}`, partial);
      await Deno.rename(partial, target);
      written.push(target);
    }
    return written;
  });
}

const kept = "kept";

/** Lets the benchmark keep slices in a folder of their own, which is gone afterwards. */
async function keptIn<T>(
  benchmark: Benchmark,
  slices: Slices,
  pixelSizeMm: readonly number[] | undefined,
  use: (names: string[], folder: string) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    await benchmark.keep(`${folder}/${kept}`, slices, pixelSizeMm);
    const names: string[] = [];
    for await (const { name } of Deno.readDir(folder)) names.push(name);
    return await use(names.sort(), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function extension(name: string): string {
  return name.slice(name.lastIndexOf("."));
}

/** A subject's name as a part of a file's. */
function fileName(subject: string): string {
  return encodeURIComponent(subject);
}

/** Says how far it is: on a terminal on one line, in a log a line each tenth. */
function progress(): (done: number, of: number) => void {
  let tenths = 0;
  return (done, of) => {
    const now = Math.floor(10 * done / of);
    if (process.stdout.isTTY) {
      Deno.stdout.writeSync(new TextEncoder().encode(`\r  ${done} of ${of}${done === of ? "\n" : ""}`));
    } else if (now > tenths) console.log(`  ${done} of ${of}`);
    tenths = now;
  };
}

if (import.meta.main) Deno.exit(await main(Deno.args).catch(exitWithError));
