/** The tables of scores and of costs, which the page's script sorts by any column. */

import { encodeValue } from "../../results/record.ts";
import {
  byCondition,
  type Cell,
  costMetrics,
  sizeMetrics,
  type Summary,
  type SummaryRow,
} from "../../results/summary.ts";
import type { MetricHead } from "../../results/run.ts";
import { cellText, metricHeading, outcome } from "../format.ts";
import { type Mark, marksOf } from "../marks.ts";
import { sentence } from "../words.ts";
import { type Html, markup } from "./html.ts";

/** The table of scores and sizes, and one of scores for each further condition. */
export function scoresTables(summary: Summary): Html {
  const markOf = marksOf(summary);
  const [own, ...conditions] = byCondition(summary);
  const main = sortable(
    [...own.summary.metrics, ...sizeMetrics],
    own.summary,
    (row) => [...row.cells, ...row.sizes],
    markOf,
  );
  const further = conditions.map(({ condition, summary }) =>
    markup`<h4>Measured ${condition}</h4>${sortable(summary.metrics, summary, (row) => row.cells, markOf)}`
  );
  return markup`${main}${further}`;
}

/** The table of costs. */
export function costsTable(summary: Summary): Html {
  return sortable(costMetrics, summary, (row) => row.costs, () => undefined);
}

function sortable(
  metrics: readonly MetricHead[],
  { metrics: all, rows }: Summary,
  cellsOf: (row: SummaryRow) => readonly Cell[],
  markOf: (row: SummaryRow, cell: Cell) => Mark,
): Html {
  const heading = (text: string, about?: string) =>
    markup`
      <th scope="col" ${
      about === undefined ? undefined : markup`
        title="${about}"
      `
    }><button type="button">${text}</button></th>
    `;
  return markup`
    <div class="scroll" tabindex="0" role="region" aria-label="Table, sorted by the headings">
      <table class="sortable">
        <thead>
          <tr>${heading("method")}${
    metrics.map((metric) =>
      heading(metricHeading(metric, all), `convention ${metric.convention}: ${sentence(metric.about)}`)
    )
  }${heading("seeds")}</tr>
        </thead>
        <tbody>${
    rows.map((row) =>
      markup`<tr><th scope="row" title="${row.head.about}">${row.head.name}</th>${
        cellsOf(row).map((cell) => number(cell, markOf(row, cell)))
      }<td class="text">${outcome(row)}</td></tr>`
    )
  }</tbody>
      </table>
    </div>
  `;
}

function number(cell: Cell, mark: Mark): Html {
  const { mean, spread } = cellText(cell);
  const value = encodeValue(cell.mean) ?? "";
  const shown = mark === "best"
    ? markup`<b>${mean}</b>`
    : mark === "second"
    ? markup`<u>${mean}</u>`
    : markup`${mean}`;
  return markup`<td data-value="${value}">${shown}${
    spread === "" ? undefined : markup`
      <small>± ${spread}</small>
    `
  }</td>`;
}
