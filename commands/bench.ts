/** `deno task bench`: runs a benchmark and leaves its tables. */

import { availableParallelism } from "node:os";
import type { ParseArgsConfig } from "node:util";
import type { Benchmark } from "../benchmarks/benchmark.ts";
import { suggest, UsageError } from "../core/errors.ts";
import { isThere } from "../core/files.ts";
import { declared, parseSetting } from "../core/settings.ts";
import { camelCased } from "../harness/configuration.ts";
import { estimate, type RowEstimate } from "../harness/estimate.ts";
import type { Executor } from "../harness/execute.ts";
import { finishedRecords } from "../harness/finished.ts";
import { runLock, writePlan } from "../harness/folder.ts";
import { Lock } from "../harness/lock.ts";
import { type Order, prepare, type Prepared } from "../harness/prepare.ts";
import { assertNotQueued, assertSlurm, slurmArray } from "../harness/slurm.ts";
import { splitKinds } from "../harness/split.ts";
import { localWorkers } from "../harness/workers.ts";
import { counted } from "../reports/words.ts";
import { terminalTable } from "../reports/terminal.ts";
import { terminalVerdicts } from "../reports/verdict_words.ts";
import { assertWithin, estimateText } from "./estimate.ts";
import { exitWithError, printable } from "./exit.ts";
import { listOf } from "./list.ts";
import { type Given, parsed, whole, withDashes } from "./options.ts";
import { fromCaller } from "./paths.ts";
import { runPlan } from "./running.ts";
import { status } from "./status.ts";
import { loadSuite } from "./suite.ts";

const options = {
  profile: { type: "string", default: "quick" },
  data: { type: "string", multiple: true, default: [] as string[] },
  split: { type: "string", default: "subjects" },
  "slice-axis": { type: "string" },
  methods: { type: "string" },
  seeds: { type: "string" },
  "data-seed": { type: "string", default: "1" },
  set: { type: "string", multiple: true, default: [] as string[] },
  use: { type: "string", multiple: true, default: [] as string[] },
  "pixel-nm": { type: "string" },
  psf: { type: "string" },
  "psf-sigma-nm": { type: "string" },
  "camera-offset": { type: "string" },
  "camera-gain": { type: "string" },
  wavelengths: { type: "string" },
  workers: { type: "string" },
  executor: { type: "string", default: "local" },
  sbatch: { type: "string" },
  backend: { type: "string", default: "wasm" },
  portable: { type: "boolean", default: false },
  "no-replay": { type: "boolean", default: false },
  out: { type: "string" },
  fresh: { type: "boolean", default: false },
  "keep-images": { type: "boolean", default: false },
  "keep-weights": { type: "boolean", default: false },
  "checkpoint-seconds": { type: "string" },
  "hang-seconds": { type: "string" },
  plan: { type: "boolean", default: false },
  estimate: { type: "boolean", default: false },
  "max-hours": { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} satisfies ParseArgsConfig["options"];

/** Options that are settings of the microscopes' benchmarks under another name. */
const settingOptions = [
  "pixel-nm",
  "psf",
  "psf-sigma-nm",
  "camera-offset",
  "camera-gain",
  "wavelengths",
] as const;

/** Core-hours of a run of the paper's size that nobody was asked about. */
const paperHours = 24;

const help = `deno task bench <benchmark> [options]     runs a benchmark and leaves its tables in a folder
deno task bench list                      every benchmark with its question, methods, metrics, settings and presets
deno task bench status RUN                how far the run in that folder is: its jobs, its queue, its table

What is run
  --profile smoke|quick|paper   how large: seconds, minutes, or the paper's size (default quick)
  --methods a,b,…               rows of the table, some by name only (see list); default: the benchmark's own
  --seeds LIST                  a range 11-13, a list 1,4,9, or a number 3 for the seeds 1 to 3
  --set name=value              changes a setting of the benchmark or of its methods; may be repeated.
                                --set method.name=value changes it for one method
  --use FILE.ts                 adds methods, data or benchmarks from your own module; may be repeated

On which data
  --data PATH                   a file or a folder; may be repeated; default: embedded, simulated data
  --split subjects|slabs|shuffled|FILE
                                who trains and who tests: by subject (default); contiguous slabs of each subject;
                                the reference code's shuffled slices; or a JSON file of subjects by part
  --slice-axis N                the array axis (0, 1, 2) to slice volumes along, where the header does not say it
  --data-seed N                 names the randomness of the data, the split and the masks (default 1)

What a microscope's files do not say, each a setting too (--set pixel-nm=…)
  --pixel-nm X[,Z]              the size of a pixel in nm, and the step between planes
  --psf FILE                    the point spread function, as a TIFF stack
  --psf-sigma-nm S              the standard deviation of a Gaussian one
  --camera-offset N             counts that the camera gives without light
  --camera-gain N               counts that it gives for a photon
  --wavelengths A,B,…           tests at these wavelengths too, in nm: a table more for each

How, and where to
  --workers N                   jobs at once (default: one a core, here ${availableParallelism()}; as many as Slurm allows)
  --executor local|slurm        on this machine (default), or as one job array of a cluster that Slurm manages, which
                                all nodes and this machine share the run's folder with; docs/scale.md says more
  --sbatch "OPTIONS"            what this cluster asks for, e.g. --sbatch "--partition=long --time=08:00:00 --mem=2G"
  --backend NAME                wasm (default), cpu, webgpu, native
  --portable                    arithmetic that gives the same bits on processors without fused multiply-add
  --no-replay                   works out every training step anew instead of replaying a recorded one: slower, the
                                same bits, and for ops of your own that cannot be replayed
  --out DIR                     the run's folder (default runs/<benchmark>-<profile>[-<backend>]); a folder that holds the same
                                run is gone on with: what is missing is added, what is finished is not run again
  --fresh                       starts the run in that folder over
  --checkpoint-seconds N        how often a job keeps its training, to go on from if it is stopped (default 10; 0: after
                                every update)
  --hang-seconds N              after how long without a sign of life a job is ended and tried once more (default 1800)
  --keep-images                 keeps every reconstruction as HDF5 in fastMRI's layout
  --keep-weights                keeps every network as safetensors, for deno task reconstruct
  --estimate                    tries a few updates of each row, says what the run will take, and runs nothing else
  --max-hours N                 does so first, and refuses, or asks at a terminal, where that is more than N core-hours;
                                ${paperHours} for --profile paper on this machine, unless said
  --plan                        writes run.json and plan.json and runs nothing: deno task job DIR N does job N

Exit codes: 0 the table is complete; 1 something failed, the rest is there; 2 wrong usage or bad input;
130 interrupted, or cancelled in Slurm's queue, and the same command goes on where it stopped.

Examples
  deno task bench mri
  deno task bench mri --profile smoke --out /tmp/try
  deno task bench mri --data knee/singlecoil_train --data knee/singlecoil_val --set mask=fastmri
  deno task bench mri --data children/ --methods ot-cyclegan,supervised --seeds 11-13
  deno task bench mri --set acceleration=8 --set ot-cyclegan.gamma=50
  deno task bench mri --profile paper --executor slurm --sbatch "--partition=cpu --time=12:00:00" --out /shared/mri`;

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parsed("bench", withDashes(args, "--sbatch"), options);
  if (values.help || positionals.length === 0) {
    console.log(help);
    return values.help || args.length === 0 ? 0 : 2;
  }
  if (positionals[0] === "status") return await status(positionals.slice(1));
  const executor = executorOf(values);
  const suite = await loadSuite(values.use.map(fromCaller));
  if (positionals.length > 1) {
    throw new UsageError({
      what: `one benchmark at a time, not ${positionals.join(", ")}`,
      fix: "run them one after the other",
    });
  }
  const [name] = positionals;
  if (name === "list") {
    console.log(listOf(suite.benchmarks));
    return 0;
  }
  const seconds = (option: "checkpoint-seconds" | "hang-seconds", least: number) => {
    const text = values[option];
    return text === undefined ? undefined : whole(`--${option}`, text, least, 1_000_000);
  };
  const order: Order = {
    request: {
      benchmark: name,
      profile: values.profile,
      methods: values.methods?.split(",").map((text) => text.trim()).filter((text) => text !== ""),
      seeds: values.seeds,
      set: [...settingsOf(values, suite.benchmarks, name), ...values.set],
    },
    data: values.data.map(fromCaller),
    split: splitKinds.includes(values.split) ? values.split : fromCaller(await splitFile(values.split)),
    sliceAxis: values["slice-axis"] === undefined
      ? undefined
      : whole("--slice-axis", values["slice-axis"], 0, 2),
    dataSeed: whole("--data-seed", values["data-seed"], 0, 2 ** 31),
    use: values.use.map(fromCaller),
    backend: values.backend,
    portable: values.portable,
    replay: !values["no-replay"],
    out: fromCaller(values.out ?? defaultFolder(name, values.profile, values.backend)),
    fresh: values.fresh,
    keepImages: values["keep-images"],
    keepWeights: values["keep-weights"],
    checkpointSeconds: seconds("checkpoint-seconds", 0),
    hangSeconds: seconds("hang-seconds", 1),
  };
  if (values.executor === "slurm") await assertSlurm();
  await using _lock = await Lock.take(runLock(order.out), {
    what: `the run in ${order.out}`,
    where: `--out ${order.out}`,
  });
  if (values.executor === "local" || values.fresh) await assertNotQueued(order.out);
  const prepared = await prepare(suite, order);
  if (values.plan) {
    await writePlan(prepared.folder, prepared.run, prepared.plan, prepared.stale);
    console.log(planText(prepared));
    return 0;
  }
  const maxHours = maxHoursOf(values);
  if (values.estimate || maxHours !== undefined) {
    const workers = values.workers === undefined ? availableParallelism() : Number(values.workers);
    const rows = await estimateMissing(prepared, workers);
    if (maxHours !== undefined && rows.length > 0) assertWithin(rows, maxHours);
    if (values.estimate) return 0;
  }
  return await run(prepared, executor);
}

/** Estimates the jobs that are not done yet, and says so. */
async function estimateMissing(prepared: Prepared, workers: number): Promise<RowEstimate[]> {
  const { done } = await finishedRecords(prepared, (reason) => console.log(printable(reason)));
  const missing = prepared.plan.jobs.filter(({ record }) => !done.has(record));
  if (missing.length === 0) {
    console.log("nothing is left to be done");
    return [];
  }
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    const told = (line: string) => console.log(printable(line));
    const rows = await estimate(prepared, missing, told, stop.signal);
    console.log(estimateText(rows, workers));
    return rows;
  } catch (error) {
    if (stop.signal.aborted) Deno.exit(130);
    throw error;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
}

/** Where a run is kept unless it is said: each backend has bits, and so a folder, of its own. */
function defaultFolder(benchmark: string, profile: string, backend: string): string {
  return `runs/${benchmark}-${profile}${backend === "wasm" ? "" : `-${backend}`}`;
}

/** How long a run may take; undefined where it is not to be estimated. */
function maxHoursOf(
  { "max-hours": text, profile, executor, estimate }: Given<typeof options>["values"],
): number | undefined {
  // A cluster's front end is no place to train, nor like its nodes.
  if (text === undefined) {
    return profile === "paper" && executor === "local" && !estimate ? paperHours : undefined;
  }
  const hours = Number(text);
  if (hours > 0 && Number.isFinite(hours)) return hours;
  throw new UsageError({
    what: `"${text}" is no number of hours`,
    where: "--max-hours",
    fix: "give a number above 0, e.g. 24 or 0.5",
  });
}

/** Where the jobs run. */
function executorOf({ executor, sbatch, workers }: Given<typeof options>["values"]): Executor {
  const atOnce = workers === undefined ? undefined : whole("--workers", workers, 1, 1024);
  if (executor === "slurm") return slurmArray({ sbatch: sbatch ?? "", atOnce });
  if (executor !== "local") {
    throw new UsageError({
      what: `there is no executor "${executor}"`,
      where: "--executor",
      fix: suggest(executor, ["local", "slurm"]),
    });
  }
  if (sbatch !== undefined) {
    throw new UsageError({
      what: "options of sbatch say nothing to the workers of this machine",
      where: `--sbatch "${sbatch}"`,
      fix: "add --executor slurm",
    });
  }
  return localWorkers(atOnce ?? availableParallelism());
}

/** The options that are settings, as `--set` takes them; refused under their own names. */
function settingsOf(
  values: Given<typeof options>["values"],
  benchmarks: readonly Benchmark[],
  name: string,
): string[] {
  const settingOf = (benchmark: Benchmark, option: string) =>
    declared(benchmark.settings, camelCased(option));
  const benchmark = benchmarks.find((one) => one.name === name);
  return settingOptions.flatMap((option) => {
    const value = values[option];
    if (value === undefined) return [];
    const where = `--${option} ${value}`;
    const setting = benchmark && settingOf(benchmark, option);
    if (setting !== undefined) parseSetting(camelCased(option), setting, value, where);
    else if (benchmark !== undefined) {
      const takers = benchmarks.filter((one) => settingOf(one, option)).map((one) => one.name);
      const fix = `leave it out; it is an option of ${takers.join(", ")}`;
      throw new UsageError({ what: `${name} has no --${option}`, where, fix });
    }
    return [`${option}=${option === "psf" ? fromCaller(value) : value}`];
  });
}

async function run(prepared: Prepared, executor: Executor): Promise<number> {
  const { folder } = prepared;
  console.log(planText(prepared));
  const ran = await runPlan(prepared, executor);
  if (ran === "interrupted") return 130;
  const { result, failed } = ran;
  console.log(`\n${terminalTable(result)}`);
  const verdicts = terminalVerdicts(result);
  if (verdicts !== "") console.log(`\n${verdicts}`);
  console.log(
    `\n${folder}/report.html, table.md, table.tex, table.csv, scores.csv, statistics.csv, verdicts.json, results.json, ` +
      `records.jsonl and panels/ are written`,
  );
  if (failed > 0) {
    console.error(`${failed} of ${prepared.plan.jobs.length} jobs failed; the table says which`);
  }
  const refused = result.refused ?? [];
  for (const reason of refused) console.error(`not in the table: ${printable(reason)}`);
  return failed + refused.length > 0 ? 1 : 0;
}

function planText({ folder, run, plan, configuration }: Prepared): string {
  const parts = Object.entries(run.split.parts).map(([part, { subjects, samples }]) =>
    `${part} ${counted(subjects.length, "subject")} (${counted(samples, "sample")})`
  );
  return [
    `${run.benchmark}, ${run.profile}: ${run.question}`,
    ...run.banners.map((banner) => `  NOTE     ${banner}`),
    `  data     ${run.dataset.name} (${run.dataset.kind}, ${run.dataset.hash.slice(0, 12)})`,
    `  split    ${run.split.kind}: ${parts.join(", ")}`,
    `  settings ${Object.entries(configuration.settings).map(([key, value]) => `${key}=${value}`).join(" ")}`,
    `  methods  ${run.rows.map(({ name }) => name).join(", ")}`,
    `  seeds    ${run.seeds.length === 0 ? "none needed" : run.seeds.join(", ")}`,
    `  jobs     ${plan.jobs.length}, in ${folder}`,
  ].join("\n");
}

/** A split that is none of the kinds is a file; where there is none, a kind was misspelt. */
async function splitFile(path: string): Promise<string> {
  const there = await isThere(fromCaller(path));
  if (there) return path;
  throw new UsageError({
    what: `"${path}" is neither a way to split nor a file that is there`,
    where: "--split",
    fix: suggest(path, splitKinds),
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args).catch(exitWithError));
