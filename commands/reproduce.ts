/** `deno task reproduce RUN`: makes a run again from its `run.json`, and compares what it leaves byte by byte. */

import { availableParallelism } from "node:os";
import type { ParseArgsConfig } from "node:util";
import { UsageError } from "../core/errors.ts";
import { differences } from "../core/json.ts";
import { changedSources } from "../harness/code.ts";
import { readPlan, runLock } from "../harness/folder.ts";
import { Lock } from "../harness/lock.ts";
import { type Order, prepare } from "../harness/prepare.ts";
import { provenanceDiffers } from "../harness/provenance.ts";
import { localWorkers } from "../harness/workers.ts";
import { withoutCosts } from "../reports/markdown.ts";
import { counted } from "../reports/words.ts";
import { recordName } from "../results/record.ts";
import { nameOf, readRun, type Run } from "../results/run.ts";
import { repeatsBits, whatDiffers } from "../results/sameness.ts";
import { exitWithError, printable } from "./exit.ts";
import { parsed, whole } from "./options.ts";
import { fromCaller } from "./paths.ts";
import { runPlan } from "./running.ts";
import { loadSuite, unnamedModules } from "./suite.ts";

const options = {
  out: { type: "string" },
  data: { type: "string", multiple: true },
  split: { type: "string" },
  use: { type: "string", multiple: true },
  workers: { type: "string" },
  fresh: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} satisfies ParseArgsConfig["options"];

const help = `deno task reproduce RUN [options]     makes a run again and compares, byte by byte

RUN is the folder of a run: run.json, which says how it was made, and its records (records/ with plan.json, or
records.jsonl alone). First it is said in what the code, the programs and the machine differ from those that made RUN, and
what that may do. Then all its jobs are run, and records, tables, pictures and kept reconstructions are compared; times and
memory are not.

  --out DIR       where to (default: RUN with "-again" at its end); a folder that holds the same run is gone on with
  --data PATH     where RUN's data are here, if not where they were; may be repeated
  --split FILE    where its split file is here
  --use FILE.ts   the modules that it was made with, which are run only if they are named here; may be repeated
  --workers N     jobs at once (default: one a core, here ${availableParallelism()})
  --fresh         starts over in DIR
  --help          this text

Exit codes: 0 every byte is the same; 1 something differs, and it is said what and why it may; 2 wrong usage, or RUN cannot
be made here (other data, other settings, no such arithmetic), and it is said why; 130 interrupted, and the same command goes on.

Examples
  deno task reproduce runs/mri-quick
  deno task reproduce downloads/ct-of-theirs --data AAPM/ --out /tmp/ct`;

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parsed("reproduce", args, options);
  if (values.help || positionals.length === 0) {
    console.log(help);
    return values.help ? 0 : 2;
  }
  if (positionals.length > 1) {
    throw new UsageError({
      what: `one run at a time, not ${positionals.join(", ")}`,
      fix: "reproduce them one after the other",
    });
  }
  const folder = fromCaller(positionals[0]);
  const out = values.out === undefined ? `${folder}-again` : fromCaller(values.out);
  if (out === folder) {
    throw new UsageError({
      what: "a run cannot be compared with itself",
      where: `--out ${values.out}`,
      fix: "name another folder",
    });
  }
  const workers = whole("--workers", values.workers ?? String(availableParallelism()), 1, 1024);
  const run = await readRun(folder);
  const order: Order = {
    ...orderOf(run),
    ...(values.data === undefined ? {} : { data: values.data.map(fromCaller) }),
    ...(values.split === undefined ? {} : { split: fromCaller(values.split) }),
    ...(values.use === undefined ? {} : { use: values.use.map(fromCaller) }),
    out,
    fresh: values.fresh,
  };
  // A run may come from anybody: a module that it names is a program, and runs only where this user names it, too.
  if (values.use === undefined && order.use.length > 0) throw unnamedModules(order.use, `${folder}/run.json`);
  const suite = await loadSuite(order.use);
  await using _lock = await Lock.take(runLock(out), { what: `the run in ${out}`, where: `--out ${out}` });
  const prepared = await prepare(suite, order);
  assertSame(run, prepared.run);
  const other = provenanceDiffers(run.file.provenance, prepared.run.provenance);
  console.log(
    `${run.file.benchmark}, ${run.file.profile}: ${counted(run.records.length, "record")} in ${folder}`,
  );
  console.log(other.length === 0 ? "  same code, programs and machine" : "  what is other here:");
  for (const line of other) console.log(`    ${printable(line)}`);
  const changed = changedSources((await readPlan(folder).catch(() => undefined))?.code, prepared.plan.code);
  if (changed !== "") console.log(`    sources: ${printable(changed)}`);
  const ran = await runPlan(prepared, localWorkers(workers));
  if (ran === "interrupted") return 130;
  const differing = [...recordsDiffer(run, ran.result), ...await filesDiffer(folder, out)];
  if (differing.length === 0) {
    console.log(
      `\nevery byte is the same: ${counted(run.records.length, "record")}, tables, pictures (${out})`,
    );
    return 0;
  }
  console.log(`\nwhat differs between ${folder} and ${out}:`);
  for (const line of differing) console.log(`  ${printable(line)}`);
  console.log(`\nwhy it may: ${printable(reason(other, String(run.file.provenance.backend)))}`);
  return 1;
}

/** The order that made a run, to be given once more. */
function orderOf({ folder, file }: Run): Omit<Order, "out" | "fresh"> {
  if (file.order === undefined) {
    throw new UsageError({
      what: "it does not say how it was ordered: an earlier version of this program made it",
      where: `${folder}/run.json`,
      fix: "check out the commit that it names, and give its command again",
    });
  }
  const order = file.order as unknown as Omit<Order, "out" | "fresh">;
  // A machine without fused multiply-add computes so unasked.
  return { ...order, portable: order.portable || file.identity.arithmetic === "muladd" };
}

/** Refuses what would be another run. */
function assertSame({ folder, file }: Run, here: Run["file"]): void {
  const differing = differences(file.identity, here.identity);
  if (differing.length === 0 && file.configuration === here.configuration) return;
  throw new UsageError({
    what: `it cannot be made here: ${differing.join("; ") || "its hash is not that of its settings"}`,
    where: `${folder}/run.json`,
    fix: "--data, --split and --use say where its files are here; its commit has its settings, " +
      "and a machine of its arithmetic class its bits",
  });
}

function recordsDiffer(there: Run, here: Run): string[] {
  const jobOf = ({ method, seed }: { method: string; seed: number | null }) => recordName(method, seed);
  const own = new Map(here.records.map((record) => [jobOf(record), record]));
  const theirs = new Set(there.records.map(jobOf));
  return [
    ...there.refused ?? [],
    ...there.records.flatMap((record) => {
      const twin = own.get(jobOf(record));
      if (twin === undefined) return [`${nameOf(record)}: it has no record here`];
      const parts = whatDiffers(record, twin);
      return parts.length === 0 ? [] : [`${nameOf(record)}: ${parts.join("; ")}`];
    }),
    ...here.records.filter((record) => !theirs.has(jobOf(record))).map((record) =>
      `${nameOf(record)}: it has no record there`
    ),
  ];
}

// Pages and results.json hold times and names of machines.
const tables = /^(table\.(md|tex|csv)|table-standalone\.tex|scores\.csv|statistics\.csv|verdicts\.json)$/;
const pictures = /^(images|panels|reconstructions)\//;

/** Files of the run there that are missing or other here; costs in tables apart. */
async function filesDiffer(there: string, here: string): Promise<string[]> {
  const differing: string[] = [];
  for await (const name of filesIn(there, "")) {
    if (!tables.test(name) && !pictures.test(name)) continue;
    const [a, b] = await Promise.all(
      [there, here].map((folder) => Deno.readFile(`${folder}/${name}`).catch(() => null)),
    );
    if (b === null) differing.push(`${name}: missing`);
    else if (!sameBytes(name, a!, b)) differing.push(name);
  }
  return differing.length <= 12
    ? differing
    : [...differing.slice(0, 11), `and ${counted(differing.length - 11, "file")} more`];
}

async function* filesIn(folder: string, prefix: string): AsyncGenerator<string> {
  const entries = await Array.fromAsync(Deno.readDir(`${folder}/${prefix}`));
  for (const { name, isDirectory } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (isDirectory) yield* filesIn(folder, `${prefix}${name}/`);
    else yield `${prefix}${name}`;
  }
}

function sameBytes(name: string, a: Uint8Array, b: Uint8Array): boolean {
  if (!tables.test(name)) return a.length === b.length && a.every((byte, i) => byte === b[i]);
  const text = new TextDecoder();
  return withoutCosts(text.decode(a)) === withoutCosts(text.decode(b));
}

function reason(other: readonly string[], backend: string): string {
  if (!repeatsBits(backend)) return `${backend} does not repeat its bits, on one machine neither`;
  return other.length === 0
    ? "code, programs and machine are the same, so it may not. Either RUN was changed, or this is a fault of the suite"
    : "code, programs or machine are other ones, as said above";
}

if (import.meta.main) Deno.exit(await main(Deno.args).catch(exitWithError));
