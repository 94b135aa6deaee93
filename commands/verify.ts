/** `deno task verify RUN`: holds what a run left against itself, without training anything. */

import type { ParseArgsConfig } from "node:util";
import { UsageError } from "../core/errors.ts";
import { named } from "../harness/configuration.ts";
import { readPlan } from "../harness/folder.ts";
import { counted } from "../reports/words.ts";
import { readRun } from "../results/run.ts";
import {
  type Check,
  checkConfiguration,
  checkLines,
  checkPictures,
  checkRecords,
  checkScores,
  checkTables,
} from "./checks.ts";
import { exitWithError, printable } from "./exit.ts";
import { parsed } from "./options.ts";
import { fromCaller } from "./paths.ts";
import { loadSuite, unnamedModules } from "./suite.ts";

const options = {
  use: { type: "string", multiple: true },
  help: { type: "boolean", short: "h", default: false },
} satisfies ParseArgsConfig["options"];

const help = `deno task verify RUN [options]     holds what a run left against itself, without training

RUN is the folder of a run. It is checked that run.json has the hash of its settings; that every job has a record of this
run, and nothing else lies in records/; that records.jsonl has the same ones; that pictures have the hashes that the
records say; that the tables are what the records give; and, where the run had --keep-images, that the kept
reconstructions have the recorded scores, to the bit.

  --use FILE.ts   the module that the run's benchmark comes from; may be repeated
  --help          this text

Exit codes: 0 all of it holds, as far as it could be checked (it is said how far); 1 something does not, and it is said what;
2 wrong usage, or no run.

Examples
  deno task verify runs/mri-quick
  deno task verify downloads/of-theirs --use theirs.ts`;

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parsed("verify", args, options);
  if (values.help || positionals.length === 0) {
    console.log(help);
    return values.help ? 0 : 2;
  }
  if (positionals.length > 1) {
    throw new UsageError({
      what: `one run at a time, not ${positionals.join(", ")}`,
      fix: "verify them one after the other",
    });
  }
  const folder = fromCaller(positionals[0]);
  const run = await readRun(folder);
  const plan = await readPlan(folder);
  // A run may come from anybody: a module that it names is a program, and runs only where this user names it, too.
  const { benchmarks } = await loadSuite(values.use?.map(fromCaller) ?? []);
  if (
    values.use === undefined && plan.use.length > 0 &&
    !benchmarks.some(({ name }) => name === run.file.benchmark)
  ) {
    throw unnamedModules(plan.use, `${folder}/plan.json`);
  }
  const benchmark = named(benchmarks, run.file.benchmark, "benchmark");
  console.log(`${run.file.benchmark}, ${run.file.profile}, in ${folder}`);
  let [faults, unchecked] = [0, 0];
  const say = (check: Check) => {
    faults += check.faults.length;
    if (check.isUnchecked) unchecked += 1;
    const found = check.faults.length > 0 ? "WRONG" : check.isUnchecked ? "  ?  " : "holds";
    console.log(`  ${found}  ${printable(check.what)}`);
    for (const fault of some(check.faults)) console.log(`           ${printable(fault)}`);
  };
  say(checkConfiguration(run));
  say(checkRecords(run, plan));
  say(await checkLines(run));
  say(await checkPictures(run));
  say(await checkTables(run));
  say(await checkScores(run, plan, benchmark));
  const end = unchecked === 0
    ? "all of it holds"
    : "what was checked holds; what has a ? could not be checked";
  console.log(faults === 0 ? end : `${counted(faults, "fault")}`);
  return faults === 0 ? 0 : 1;
}

function some(lines: readonly string[]): readonly string[] {
  return lines.length <= 8 ? lines : [...lines.slice(0, 7), `and ${lines.length - 7} more`];
}

if (import.meta.main) Deno.exit(await main(Deno.args).catch(exitWithError));
