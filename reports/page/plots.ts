/** The plots of a page: scores under a metric that the reader chooses, and small multiples of the training. */

import type { ResultRecord } from "../../results/record.ts";
import type { Summary } from "../../results/summary.ts";
import { metricHeading } from "../format.ts";
import { coursePlot, quantitiesOf } from "../plots/courses.ts";
import { curvesOf, curvesPlot } from "../plots/curves.ts";
import { pageLook, strokeOf } from "../plots/plot.ts";
import { scoresPlot } from "../plots/scores.ts";
import { counted } from "../words.ts";
import { Html, markup, type Part } from "./html.ts";

// More plots than these nobody looks at, and a page with thousands of metrics would not open.
const mostMetrics = 16;
const mostQuantities = 12;

/** Scores by row and seed, a plot for each metric. */
export function plotsSection(summary: Summary, id: string): Html | undefined {
  const plots = summary.metrics.flatMap((metric) => {
    const svg = scoresPlot(summary, metric, pageLook(760));
    return svg === undefined ? [] : [{ label: metricHeading(metric, summary.metrics), body: new Html(svg) }];
  });
  if (plots.length === 0) return undefined;
  const shown = plots.slice(0, mostMetrics);
  return markup`
    <h3>Scores by seed and sample</h3>
    ${
    choice(
      "metric",
      `${id}-scores`,
      shown.map(({ label, body }) => ({ label, body: markup`<figure class="wide">${body}</figure>` })),
    )
  }
    <p
      class="caption">A line a seed. Dots: test samples, or subjects where a metric scores those; box: quartiles; bar: median;
    rule: all of them; diamond: the seed's score, which is the mean over subjects.
    Of many samples evenly spaced ranks are drawn, and of more than six seeds a dot a seed.${
    plots.length >
        mostMetrics
      ? ` ${counted(plots.length - mostMetrics, "metric")} more: see scores.csv.`
      : undefined
  }</p>
  `;
}

/** The course of training, a small plot for each quantity that was followed. */
export function trainingSection(summary: Summary): Html | undefined {
  const quantities = quantitiesOf(summary);
  if (quantities.length === 0) return undefined;
  const abouts = new Map(summary.metrics.map(({ id, about }) => [id, about]));
  const plots = quantities.slice(0, mostQuantities).flatMap((quantity) => {
    const svg = coursePlot(summary, quantity, pageLook(360));
    if (svg === undefined) return [];
    const about = abouts.get(quantity) ?? "";
    return [
      markup`<figure>${new Html(svg)}${
        about === "" ? undefined : markup`<figcaption>${about}</figcaption>`
      }</figure>`,
    ];
  });
  const left = quantities.length - mostQuantities;
  return markup`
    <h3>Training</h3>
    ${legend(summary, ({ log }) => log.length > 0)}
    <div class="multiples">${plots}</div>
    <p
      class="caption">Means since the last check, and quantities followed on validation data; a line a seed, of more than six seeds
    their mean within their range.${
    left > 0 ? ` ${counted(left, "quantity")} more: see records.jsonl.` : undefined
  }</p>
  `;
}

/** Curves of samples, such as Fourier ring correlations: a small plot for each name and sample. */
export function curvesSection(summary: Summary): Html | undefined {
  const all = curvesOf(summary);
  if (all.length === 0) return undefined;
  const plots = all.slice(0, mostQuantities).map((curves) =>
    markup`<figure><figcaption>${curves.name}: ${curves.subject}, ${curves.sample}</figcaption>${new Html(
      curvesPlot(curves, pageLook(360)),
    )}</figure>`
  );
  const left = all.length - mostQuantities;
  return markup`<h3>Curves</h3>
${legend(summary, (record) => (record.curves ?? []).length > 0)}
<div class="multiples">${plots}</div>
<p class="caption">Of each row the first seed.${
    left > 0 ? ` ${counted(left, "plot")} more: see records.jsonl.` : undefined
  }</p>`;
}

function legend({ rows }: Summary, shown: (record: ResultRecord) => boolean): Html {
  const trained = rows.flatMap((row, place) => row.records.some(shown) ? [{ row, place }] : []);
  return markup`<ul class="legend">${
    trained.map(({ row: { head }, place }) => {
      const { colour, dashes } = strokeOf(place);
      return markup`<li><svg width="34" height="10" aria-hidden="true"><line x1="0" x2="34" y1="5" y2="5" stroke="${colour}" stroke-width="2.5" stroke-dasharray="${dashes}"/></svg> ${head.name}</li>`;
    })
  }</ul>`;
}

/** One of several parts at a time, chosen from a list; without the page's script all of them. */
export function choice(noun: string, id: string, parts: readonly { label: string; body: Part }[]): Html {
  if (parts.length === 1) return markup`<div>${parts[0].body}</div>`;
  return markup`<div class="choice"><label>${noun} <select id="${id}">${
    parts.map(({ label }, index) => markup`<option value="${index}">${label}</option>`)
  }</select></label>
${parts.map(({ label, body }) => markup`<div class="chosen" data-label="${label}">${body}</div>`)}</div>`;
}
