/**
 * `report.markup`: the tables of a report with all that one wants to look at, as one file that needs no network.
 *
 * Nothing in it grows with samples or seeds: plots show ranks and ranges of what is too much to draw, pictures are of
 * each row's first seed, and the list of jobs is compact data of which the page's script shows a part at a time. Text
 * from files is escaped, and the page's policy lets no other script run than its own, and nothing be fetched.
 */

import { createHash } from "node:crypto";
import type { Run } from "../../results/run.ts";
import { type Summary, withoutEmpty } from "../../results/summary.ts";
import { banners, caption, metricLines, notes, refusals, rowLines } from "../caption.ts";
import type { Table } from "../results_json.ts";
import { ablationLines, openLines, verdictCount, verdictLines } from "../verdict_words.ts";
import { judge } from "../verdicts.ts";
import { capital, counted, sentence } from "../words.ts";
import { configurationSection } from "./configuration.ts";
import { Html, markup } from "./html.ts";
import { jobsSection } from "./jobs.ts";
import { picturesSection } from "./pictures.ts";
import { curvesSection, plotsSection, trainingSection } from "./plots.ts";
import style from "./style.css" with { type: "text" };
import script from "./script.js" with { type: "text" };
import { costsTable, scoresTables } from "./tables.ts";

/** How a page is made. */
export interface PageOptions {
  /** Seconds after which the page is loaded again: for a run that goes on. */
  readonly refresh?: number;
}

/** The page of these tables. */
export async function reportPage(tables: readonly Table[], { refresh }: PageOptions = {}): Promise<string> {
  const sections: Html[] = [];
  const single = tables.length === 1;
  for (const [index, table] of tables.entries()) sections.push(await section(table, `t${index}`, !single));
  const title = single
    ? `${tables[0].run.file.title}, ${tables[0].run.file.profile}`
    : `${counted(tables.length, "table")} of ${
      [...new Set(tables.map(({ run }) => run.file.benchmark))].join(", ")
    }`;
  const policy =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; " +
    `script-src 'sha256-${createHash("sha256").update(script).digest("base64")}'`;
  const names = tables.map(({ run: { file } }, index) =>
    markup`<li><a href="#t${index}">${file.title}, ${file.profile}</a></li>`
  );
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refresh === undefined ? undefined : markup`<meta http-equiv="refresh" content="${refresh}">`}
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<a class="skip" href="#t0">Skip to the first table</a>
<header>
<h1>${single ? heading(tables[0].run) : title}</h1>
${tables.map(({ run, summary }) => progress(run, summary, refresh))}
${single ? undefined : markup`<nav aria-label="Tables"><ul>${names}</ul></nav>`}
</header>
<main>
${sections}
</main>
<footer><p>Written by ot-cyclegan-bench from the records of its runs. One file that loads nothing.</p></footer>
<script>${new Html(script)}</script>
</body>
</html>
`.text;
}

/** How far a run is, while jobs are still to be done. */
function progress({ file }: Run, { rows }: Summary, refresh: number | undefined): Html | undefined {
  const planned = rows.reduce((sum, row) => sum + row.planned, 0);
  const ended = rows.reduce((sum, { records }) => sum + records.length, 0);
  if (ended >= planned) return undefined;
  return markup`
    <p class="progress"
      role="status"><progress value="${ended}" max="${planned}" aria-label="jobs"></progress>
    ${file.benchmark}, ${file.profile}: ${ended} of ${counted(planned, "job")} done.${
    refresh === undefined
      ? undefined
      : ` The page shows what there is and loads itself again every ${refresh} seconds.`
  }</p>
  `;
}

function heading({ file }: Run): Html {
  return markup`${file.title} <small>${file.benchmark}, ${file.profile}</small>`;
}

async function section(table: Table, id: string, titled: boolean): Promise<Html> {
  const { run, summary } = table;
  const { file } = run;
  const said = notes(run, summary);
  const shown = withoutEmpty(summary);
  return markup`<section id="${id}" aria-label="${file.title}">
${titled ? markup`<h2>${heading(run)}</h2>` : undefined}
<p class="question">${sentence(file.question)}</p>
${[...banners(run), ...refusals(run)].map((banner) => markup`<p class="banner">${banner}</p>`)}
<h3>Scores</h3>
${scoresTables(shown)}
${caption(run, summary).slice(1).map((line) => markup`<p class="caption">${line}</p>`)}
${
    said.length === 0
      ? undefined
      : markup`<details open><summary>Notes</summary><ul>${
        said.map((note) => markup`<li>${note}</li>`)
      }</ul></details>`
  }
${verdicts(table)}
${plotsSection(shown, id)}
${await picturesSection(table, id)}
${curvesSection(shown)}
${trainingSection(shown)}
<h3>Costs</h3>
<p class="caption">These alone may differ between two identical runs.</p>
${costsTable(shown)}
${jobsSection(shown, id)}
<h3>What the rows and metrics are</h3>
<details><summary>${capital(counted(summary.rows.length, "row"))}</summary>${
    terms(rowLines(summary))
  }</details>
<details><summary>${capital(counted(shown.metrics.length, "metric"))}</summary>${
    terms(metricLines(shown.metrics))
  }</details>
${configurationSection(file)}
</section>`;
}

function terms(lines: readonly { heading: string; text: string }[]): Html {
  return markup`<dl>${lines.map(({ heading, text }) => markup`<dt>${heading}</dt><dd>${text}</dd>`)}</dl>`;
}

function verdicts({ run, summary }: Table): Html | undefined {
  const judged = judge(run, summary);
  if (judged.length === 0) return undefined;
  const lines = verdictLines(judged);
  return markup`<h3>Verdicts on published claims</h3>
<p>${verdictCount(judged)}</p>
<ul class="verdicts">${
    lines.map(({ outcome, heading, text }) =>
      markup`<li class="${outcome}"><strong>${heading}</strong><br>${text}</li>`
    )
  }${[...openLines(judged), ...ablationLines(judged)].map((line) => markup`<li>${line}</li>`)}</ul>`;
}
