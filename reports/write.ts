/** Writes a run's tables and panels into its folder, each file whole or not at all. */

import { writeWhole } from "../core/files.ts";
import { prettyJson } from "../core/json.ts";
import type { Run } from "../results/run.ts";
import { summarise } from "../results/summary.ts";
import { scoresCsv, statisticsCsv, tableCsv } from "./csv.ts";
import { latexDocument, latexFragment } from "./latex.ts";
import { markdownTable } from "./markdown.ts";
import { drawPanels } from "./panels.ts";
import { judge, verdictsJson } from "./verdicts.ts";

/**
 * Writes `table.md`, `table.tex`, `table-standalone.tex`, `table.csv`, `scores.csv`, `statistics.csv`,
 * `verdicts.json` and `panels/*.png`. Panels that an
 * earlier report left, and that are of this run no longer, are removed.
 */
export async function writeReports(run: Run): Promise<void> {
  const { folder } = run;
  const summary = summarise(run);
  await writeWhole(`${folder}/table.md`, markdownTable(run, summary));
  await writeWhole(`${folder}/table.tex`, latexFragment(run, summary));
  await writeWhole(`${folder}/table-standalone.tex`, latexDocument(run, summary));
  await writeWhole(`${folder}/table.csv`, tableCsv(run, summary));
  await writeWhole(`${folder}/scores.csv`, scoresCsv(run, summary));
  await writeWhole(`${folder}/statistics.csv`, statisticsCsv(run, summary));
  await writeWhole(`${folder}/verdicts.json`, prettyJson(verdictsJson(run, judge(run, summary))));
  const drawn = new Set<string>();
  for await (const { file, png } of drawPanels(run, summary)) {
    await writeWhole(`${folder}/panels/${file}`, png);
    drawn.add(file);
  }
  await removeOthers(`${folder}/panels`, drawn);
}

async function removeOthers(folder: string, kept: ReadonlySet<string>): Promise<void> {
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (name.endsWith(".png") && !kept.has(name)) await Deno.remove(`${folder}/${name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
