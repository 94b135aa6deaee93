/** `deno task report`: runs' records to tables, a page, and figures. */

import type { ParseArgsConfig } from "node:util";
import { suggest, UsageError } from "../core/errors.ts";
import { terminalTable } from "../reports/terminal.ts";
import { counted } from "../reports/words.ts";
import { type Format, formats, writeReport } from "../reports/write.ts";
import { mergeRuns } from "../results/merge.ts";
import { readRun } from "../results/run.ts";
import { exitWithError, printable } from "./exit.ts";
import { parsed } from "./options.ts";
import { fromCaller } from "./paths.ts";

const options = {
  out: { type: "string" },
  format: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} satisfies ParseArgsConfig["options"];

const help = `deno task report RUN… [options]     makes tables, a page and figures of one or more runs

RUN is the folder of a run: run.json, and records/ with plan.json, or records.jsonl alone, plain or as .gz. Folders of one
benchmark and profile become one table: seeds and rows that were added elsewhere stand side by side, and a record that
two folders have is taken once. Folders whose settings, data or split differ are refused, with what differs.

  --out DIR       where to (default: the run's folder; of several runs, the folder report)
  --format LIST   some of ${formats.join(",")} (default: all)
  --help          this text

  md              table.md and panels/*.png
  csv             table.csv, scores.csv (every score of every sample), statistics.csv
  json            results.json (docs/results.schema.json), verdicts.json
  tex             table.tex, a fragment, and table-standalone.tex, which pdflatex compiles as it is
  html            report.html: one file to look at and send
  svg, pdf        figures/, 88 and 180 mm wide, their font within them

Of several benchmarks, each has a folder of its own in DIR; report.html and results.json are of all.

Exit codes: 0 written; 1 written, but some files of records/ could not be taken; 2 wrong usage, or runs that are not comparable.

Examples
  deno task report runs/mri-quick
  deno task report runs/mri-quick /mnt/other/mri-quick runs/ct-quick --out paper --format tex,pdf`;

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parsed("report", args, options);
  if (values.help || positionals.length === 0) {
    console.log(help);
    return values.help ? 0 : 2;
  }
  const folders = [...new Set(positionals.map(fromCaller))];
  const wanted = formatsOf(values.format);
  const out = values.out === undefined
    ? folders.length === 1 ? folders[0] : fromCaller("report")
    : fromCaller(values.out);
  const runs = [];
  for (const folder of folders) runs.push(await readRun(folder));
  const tables = mergeRuns(runs);
  const written = await writeReport(tables, out, wanted);
  for (const table of tables) {
    console.log(`${table.file.title}, ${table.file.profile}\n${terminalTable(table)}\n`);
  }
  const isPicture = (name: string) => /(^|\/)(panels|figures)\//.test(name);
  const shown = written.filter((name) => !isPicture(name));
  const pictures = written.filter(isPicture).length;
  console.log(`${out}: ${[...shown, ...(pictures === 0 ? [] : [counted(pictures, "picture")])].join(", ")}`);
  const refused = tables.flatMap(({ refused = [], strays = [] }) => [...refused, ...strays]);
  for (const reason of refused) console.error(`not in the report: ${printable(reason)}`);
  return refused.length > 0 ? 1 : 0;
}

function formatsOf(text: string | undefined): readonly Format[] {
  if (text === undefined) return formats;
  const names = text.split(",").map((name) => name.trim()).filter((name) => name !== "");
  for (const name of names) {
    if ((formats as readonly string[]).includes(name)) continue;
    throw new UsageError({
      what: `unknown format "${name}"`,
      where: "--format",
      fix: suggest(name, formats),
    });
  }
  if (names.length > 0) return names as Format[];
  throw new UsageError({
    what: "no format is named",
    where: "--format",
    fix: `name some of ${formats.join(",")}`,
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args).catch(exitWithError));
