/** Writes reports in the formats that are asked for, each file whole or not at all. */

import { writeWhole } from "../core/files.ts";
import { prettyJson, prettyJsonPieces } from "../core/json.ts";
import type { Run } from "../results/run.ts";
import { summarise } from "../results/summary.ts";
import { scoresCsv, statisticsCsv, tableCsv } from "./csv.ts";
import { latexDocument, latexFragment } from "./latex.ts";
import { markdownTable } from "./markdown.ts";
import { drawPanels } from "./panels.ts";
import { resultsJson, type Table } from "./results_json.ts";
import { judge, verdictsJson } from "./verdicts.ts";

/** What a report can be written as. */
export const formats = ["md", "csv", "json", "tex", "html", "svg", "pdf"] as const;

/** One of {@linkcode formats}. */
export type Format = typeof formats[number];

/** What a run leaves in its folder when it ends: all but the figures. */
export async function writeReports(run: Run): Promise<void> {
  await writeReport([run], run.folder, ["md", "csv", "json", "tex", "html"]);
}

/**
 * Writes the report of these tables into a folder: `report.html` and `results.json` of all, and of each its own files;
 * where there are several, these are in folders named after benchmark and profile. Returns the files, relative to the folder.
 */
export async function writeReport(
  runs: readonly Run[],
  out: string,
  wanted: readonly Format[],
): Promise<string[]> {
  const tables = runs.map((run): Table => ({ run, summary: summarise(run) }));
  const written: string[] = [];
  for (const table of tables) {
    const { benchmark, profile } = table.run.file;
    const prefix = tables.length === 1 ? "" : `${safe(benchmark)}-${safe(profile)}/`;
    written.push(...(await writeTable(table, `${out}/${prefix}`, wanted)).map((name) => prefix + name));
  }
  if (wanted.includes("json")) {
    await writeWhole(`${out}/results.json`, prettyJsonPieces(resultsJson(tables)));
    written.push("results.json");
  }
  if (wanted.includes("html")) {
    // Drawing takes a while to load, and most commands never draw.
    const { reportPage } = await import("./page/page.ts");
    await writeWhole(`${out}/report.html`, await reportPage(tables));
    written.push("report.html");
  }
  return written;
}

/** Writes the page of a run that goes on, which loads itself again. */
export async function writeProgress(run: Run, refresh: number): Promise<void> {
  const { reportPage } = await import("./page/page.ts");
  await writeWhole(
    `${run.folder}/report.html`,
    await reportPage([{ run, summary: summarise(run) }], { refresh }),
  );
}

/** The files of one table that are text, by name, each made when it is asked for. */
export function textsOf(
  { run, summary }: Table,
  wanted: readonly Format[],
): Record<string, () => string | Iterable<string>> {
  return {
    ...(wanted.includes("md") ? { "table.md": () => markdownTable(run, summary) } : {}),
    ...(wanted.includes("tex")
      ? {
        "table.tex": () => latexFragment(run, summary),
        "table-standalone.tex": () => latexDocument(run, summary),
      }
      : {}),
    ...(wanted.includes("csv")
      ? {
        "table.csv": () => tableCsv(run, summary),
        "scores.csv": () => scoresCsv(run, summary),
        "statistics.csv": () => statisticsCsv(run, summary),
      }
      : {}),
    ...(wanted.includes("json")
      ? { "verdicts.json": () => prettyJson(verdictsJson(run, judge(run, summary))) }
      : {}),
  };
}

async function writeTable(table: Table, folder: string, wanted: readonly Format[]): Promise<string[]> {
  const { run, summary } = table;
  const written: string[] = [];
  const write = async (name: string, content: string | Uint8Array | Iterable<string>) => {
    await writeWhole(`${folder}${name}`, content);
    written.push(name);
  };
  for (const [name, text] of Object.entries(textsOf(table, wanted))) await write(name, text());
  if (wanted.includes("md")) {
    const drawn = new Set<string>();
    for await (const { file, png } of drawPanels(run, summary)) {
      await write(`panels/${file}`, png);
      drawn.add(`${file}`);
    }
    await removeOthers(`${folder}panels`, drawn, /\.png$/);
  }
  written.push(...await writeFigures(table, folder, wanted));
  return written;
}

async function writeFigures(
  { run, summary }: Table,
  folder: string,
  wanted: readonly Format[],
): Promise<string[]> {
  const endings = (["svg", "pdf"] as const).filter((format) => wanted.includes(format));
  if (endings.length === 0) return [];
  const { figuresOf } = await import("./figures.ts");
  const { pdfFile, svgFile } = await import("./typeset.ts");
  const written: string[] = [];
  for await (const figure of figuresOf(run, summary)) {
    for (const ending of endings) {
      const name = `${figure.name}.${ending}`;
      await writeWhole(`${folder}figures/${name}`, await (ending === "svg" ? svgFile : pdfFile)(figure));
      written.push(name);
    }
  }
  for (const ending of endings) {
    await removeOthers(`${folder}figures`, new Set(written), new RegExp(`-\\d+mm\\.${ending}$`));
  }
  return written.map((name) => `figures/${name}`);
}

/** Removes what an earlier report left in a folder of its own, and what is of this one no longer. */
async function removeOthers(folder: string, kept: ReadonlySet<string>, ours: RegExp): Promise<void> {
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (ours.test(name) && !kept.has(name)) await Deno.remove(`${folder}/${name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A name from a record, as a folder of ours. */
function safe(name: string): string {
  return name.replace(/[^\w-]+/g, "-").slice(0, 60) || "unnamed";
}
