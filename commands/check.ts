/** `deno task check`: runs the smallest stable budget of benchmarks, and fails where quality is worse than a baseline's. */

import { appendFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { ParseArgsConfig } from "node:util";
import { UsageError } from "../core/errors.ts";
import { readIfThere, writeWhole } from "../core/files.ts";
import { hashOfSources, sourcesOf } from "../harness/code.ts";
import { named, parseSeeds } from "../harness/configuration.ts";
import type { Suite } from "../harness/context.ts";
import { runLock } from "../harness/folder.ts";
import { Lock } from "../harness/lock.ts";
import { prepare } from "../harness/prepare.ts";
import { localWorkers } from "../harness/workers.ts";
import { checkJunit, checkLines, checkMarkdown, overall, overallText, type Pair } from "../reports/check.ts";
import {
  type Baseline,
  baselineText,
  type Checked,
  checkedOf,
  parseBaseline,
  questionDifferences,
  updated,
} from "../results/baseline.ts";
import { isIdentical, judgeChecks, type Outcome } from "../results/regression.ts";
import type { Run } from "../results/run.ts";
import { exitWithError } from "./exit.ts";
import { type Given, parsed, whole } from "./options.ts";
import { fromCaller } from "./paths.ts";
import { runPlan } from "./running.ts";
import { loadSuite } from "./suite.ts";

const options = {
  baseline: { type: "string" },
  update: { type: "boolean", default: false },
  benchmarks: { type: "string" },
  methods: { type: "string" },
  seeds: { type: "string" },
  junit: { type: "string" },
  set: { type: "string", multiple: true, default: [] as string[] },
  use: { type: "string", multiple: true, default: [] as string[] },
  workers: { type: "string" },
  backend: { type: "string", default: "wasm" },
  portable: { type: "boolean", default: false },
  out: { type: "string" },
  fresh: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} satisfies ParseArgsConfig["options"];

const suiteBaseline = fileURLToPath(new URL("../benchmarks/baseline.json", import.meta.url));

const help = `deno task check [options]     compares reconstruction quality with a stored baseline

  --baseline FILE    what to compare with (default: the suite's own, benchmarks/baseline.json)
  --update           writes what was found into that file instead, after saying how it differs
  --benchmarks a,b   which (default: all that the baseline has; with --update also all of the suite)
  --methods a,b      which rows (default: all that the baseline has; with --update also the benchmark's and --use's)
  --seeds LIST       as for bench (default: those that the benchmark names, more with --update)
  --junit FILE       writes the findings as JUnit XML, too
  --set name=value   as for bench; a baseline is of its settings and refuses others
  --use FILE.ts      adds methods or benchmarks from your own module
  --backend NAME     as for bench; where bits do not repeat, seeds alone decide
  --portable         as for bench: the same bits on processors without fused multiply-add
  --workers N        jobs at once (default: one a core, here ${availableParallelism()})
  --out DIR          where the runs are kept (default runs/check, and of another backend runs/check-NAME)
  --fresh            starts runs in that folder over

One seed is run first: where its weights and scores are the baseline's to the bit, the check has passed. Else all seeds are
run. A row is worse where the loss is significant over seeds, with Holm's correction for all that is asked; it passes where
a loss as large as the row's margin is excluded. Where GITHUB_STEP_SUMMARY is set, the findings are added to it.

Exit codes: 0 passed; 1 quality is worse, or a job failed; 2 wrong usage or bad input; 3 inconclusive: more seeds are needed,
and it says how many; 130 interrupted.

Examples
  deno task check
  deno task check --benchmarks mri --seeds 12 --junit quality.xml
  deno task check --use mine.ts --benchmarks mri --methods mine --baseline quality.json --update`;

const exitCodes: Readonly<Record<Outcome, number>> = {
  identical: 0,
  pass: 0,
  regression: 1,
  inconclusive: 3,
};

type Values = Given<typeof options>["values"];

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parsed("check", args, options);
  if (values.help) {
    console.log(help);
    return 0;
  }
  if (positionals.length > 0) {
    throw new UsageError({
      what: `nothing was asked for by "${positionals[0]}"`,
      fix: `name benchmarks by --benchmarks ${positionals.join(",")}`,
    });
  }
  const path = values.baseline === undefined ? suiteBaseline : fromCaller(values.baseline);
  const suite = await loadSuite(values.use.map(fromCaller));
  const text = await readIfThere(path);
  const baseline = text === undefined ? undefined : parseBaseline(text, path);
  if (baseline === undefined && !values.update) {
    throw new UsageError({
      what: "there is no baseline",
      where: path,
      fix: "make one with --update, where quality is known to be good",
    });
  }
  const checks: Checked[] = [];
  const pairs: Pair[] = [];
  for (const name of benchmarksOf(values, suite, baseline, path)) {
    const before = baseline?.checks.find(({ benchmark }) => benchmark === name);
    const after = await measured(suite, name, values, before, path);
    if (after === undefined) return 130;
    const differing = before === undefined ? [] : questionDifferences(before, after);
    if (before !== undefined && differing.length === 0) pairs.push([before, after]);
    else if (before !== undefined) console.log(`${name} was another check before: ${differing.join("; ")}`);
    checks.push(after);
  }
  const findings = judgeChecks(pairs);
  if (pairs.length > 0) console.log(`\n${checkLines(pairs, findings)}\n\n${overallText(findings)}`);
  if (values.junit !== undefined) await writeWhole(fromCaller(values.junit), checkJunit(pairs, findings));
  const summary = Deno.env.get("GITHUB_STEP_SUMMARY");
  if (summary !== undefined && summary !== "") await appendFile(summary, checkMarkdown(pairs, findings));
  if (!values.update) return exitCodes[overall(findings)];
  const failed = checks.flatMap(({ benchmark, rows }) =>
    rows.filter(({ jobs }) => jobs.length === 0 || jobs.some(({ state }) => state.kind === "failed"))
      .map(({ name }) => `${name} of ${benchmark}`)
  );
  if (failed.length > 0) {
    console.error(`${path} is left as it was: jobs of ${failed.join(", ")} failed`);
    return 1;
  }
  await writeWhole(path, baselineText(updated(baseline, checks)));
  console.log(`${path} is written`);
  return 0;
}

/** Which benchmarks to run. */
function benchmarksOf(
  { benchmarks, update }: Values,
  suite: Suite,
  baseline: Baseline | undefined,
  path: string,
): string[] {
  const kept = baseline?.checks.map(({ benchmark }) => benchmark) ?? [];
  if (benchmarks === undefined) {
    const own = suite.benchmarks.filter(({ profiles }) => profiles.check !== undefined);
    return update ? [...new Set([...kept, ...own.map(({ name }) => name)])] : kept;
  }
  const names = benchmarks.split(",").map((name) => name.trim()).filter((name) => name !== "");
  for (const name of names) {
    if (named(suite.benchmarks, name, "benchmark").profiles.check === undefined) {
      throw new UsageError({
        what: `the benchmark "${name}" has no profile "check"`,
        where: "--benchmarks",
        fix: "give it one: what to run, which rows to guard, and how large a loss matters",
      });
    }
    if (!update && !kept.includes(name)) {
      throw new UsageError({
        what: `the baseline has no benchmark "${name}"`,
        where: path,
        fix: "add it with --update, where quality is known to be good",
      });
    }
  }
  return names;
}

/** Runs a benchmark for the check: one seed where that shows that nothing changed, else all; undefined where it was interrupted. */
async function measured(
  suite: Suite,
  name: string,
  values: Values,
  before: Checked | undefined,
  path: string,
): Promise<Checked | undefined> {
  const benchmark = named(suite.benchmarks, name, "benchmark");
  const { check } = benchmark.profiles;
  if (check === undefined) {
    throw new UsageError({
      what: `the baseline has the benchmark "${name}", which has no profile "check" here`,
      where: path,
      fix: "name others with --benchmarks",
    });
  }
  // A user's row is guarded as narrowly as any.
  const narrowest = Math.min(...Object.values(check.guards));
  const marginOf = (row: string) => check.guards[row] ?? narrowest;
  const folder = values.backend === "wasm" ? "runs/check" : `runs/check-${values.backend}`;
  const out = `${fromCaller(values.out ?? folder)}/${name}`;
  const methods = methodsOf(values, suite, name, Object.keys(check.guards), before);
  const seeds = values.seeds ?? (values.update ? check.baselineSeeds : check.seeds);
  let fresh = values.fresh || await isOfOtherCode(out, name, suite);
  const runSeeds = async (list: string): Promise<Checked | undefined> => {
    const order = {
      request: { benchmark: name, profile: "check", methods, seeds: list, set: values.set },
      data: [],
      split: "subjects",
      dataSeed: 1,
      use: values.use.map(fromCaller),
      backend: values.backend,
      portable: values.portable,
      out,
      fresh,
      keepImages: false,
    };
    await using _lock = await Lock.take(runLock(out), { what: `the run in ${out}`, where: `--out ${out}` });
    const prepared = await prepare(suite, order);
    const wanted = only({ folder: out, file: prepared.run, records: [] }, methods, list);
    // What cannot be compared is refused before it is run.
    const differing = before === undefined
      ? []
      : questionDifferences(before, checkedOf(wanted, benchmark.metrics[0], marginOf));
    if (differing.length > 0 && !values.update) {
      throw new UsageError({
        what: `the baseline of ${name} is of another check: ${differing.join("; ")}`,
        where: path,
        fix: "set what it was made with, or make it anew with --update where the change is meant",
      });
    }
    const workers = whole("--workers", values.workers ?? String(availableParallelism()), 1, 1024);
    console.log(`${name}: ${methods.join(", ")}; seeds ${list}, in ${out}`);
    const ran = await runPlan(prepared, localWorkers(workers));
    if (ran === "interrupted") return undefined;
    fresh = false;
    const { result } = ran;
    return checkedOf(only(result, methods, list), result.file.metrics[0], marginOf);
  };
  if (before !== undefined && !values.update) {
    const kept = new Set(before.rows.flatMap(({ jobs }) => jobs.map(({ seed }) => seed)));
    const first = parseSeeds(seeds).find((seed) => kept.has(seed));
    if (first !== undefined && parseSeeds(seeds).length > 1) {
      const probe = await runSeeds(`${first}-${first}`);
      if (probe === undefined || isIdentical(before, probe)) return probe;
      console.log(`\n${name}: seed ${first} is not the baseline's to the bit, so all seeds are run`);
    }
  }
  return await runSeeds(seeds);
}

/** Which rows to run: those asked for, else the baseline's; for a new baseline, the benchmark's and the user's, too. */
function methodsOf(
  { methods, update }: Values,
  suite: Suite,
  benchmark: string,
  guarded: readonly string[],
  before: Checked | undefined,
): string[] {
  if (methods !== undefined) {
    return methods.split(",").map((name) => name.trim()).filter((name) => name !== "");
  }
  const kept = before?.rows.map(({ name }) => name) ?? [];
  if (!update) return kept;
  const added = (suite.modules ?? []).flatMap(({ rows }) => rows.get(benchmark) ?? []);
  return [...new Set([...kept, ...guarded, ...added])];
}

/** The run with these rows and seeds only: a folder may hold more. */
function only({ file, records, ...run }: Run, methods: readonly string[], seeds: string): Run {
  const wanted = new Set<number | null>(parseSeeds(seeds));
  return {
    ...run,
    file: { ...file, rows: file.rows.filter(({ name }) => methods.includes(name)) },
    records: records.filter(({ method, seed }) =>
      methods.includes(method) && (seed === null || wanted.has(seed))
    ),
  };
}

/** Whether a folder's run is of other code: jobs of it would be done again, also such that are not asked for. */
async function isOfOtherCode(folder: string, benchmark: string, { modules }: Suite): Promise<boolean> {
  const text = await readIfThere(`${folder}/run.json`);
  if (text === undefined) return false;
  try {
    return JSON.parse(text).provenance.code !== hashOfSources(sourcesOf({ benchmark, modules }));
  } catch {
    return true;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args).catch(exitWithError));
