/**
 * What is not in the table's means, said once.
 *
 * A reason mostly holds for many rows and metrics at a time: test subjects without a truth lack most metrics in all
 * rows. So cells are grouped by what is to be said of them, and what no row has is no column at all.
 */

import type { MetricHead } from "../results/run.ts";
import { emptyMetrics, type Gap, type Summary } from "../results/summary.ts";
import { metricName } from "./format.ts";
import { counted } from "./words.ts";

/** Sentences on columns that are left out, and on scores that are in no mean. */
export function gapSentences(summary: Summary): string[] {
  const empty = emptyMetrics(summary);
  return [...leftOutColumns(summary, empty), ...leftOutScores(summary, empty)];
}

function leftOutColumns({ metrics, rows }: Summary, empty: readonly MetricHead[]): string[] {
  const groups = new Groups<MetricHead>();
  for (const metric of empty) {
    const cells = rows.map(({ cells }) => cells[metrics.indexOf(metric)]);
    const reasons = [...new Set(cells.flatMap(({ gaps }) => gaps.map(({ reason }) => reason)))].sort();
    groups.add(
      reasons.length === 0
        ? "as no row has such a score"
        : `as every score is without a value (${reasons.join("; ")})`,
      metric,
    );
  }
  return groups.map((why, named) => `Columns left out, ${why}: ${namesOf(named, metrics)}.`);
}

function leftOutScores({ metrics, rows }: Summary, empty: readonly MetricHead[]): string[] {
  // First the metrics of one row of which the same is to be said, then the rows in which it is said of the same metrics.
  const sentences = new Groups<string>();
  for (const { head, cells } of rows) {
    const said = new Groups<MetricHead>();
    for (const { metric, gaps } of cells) {
      if (!empty.includes(metric)) gaps.forEach((gap) => said.add(gapText(gap), metric));
    }
    said.map((text, named) => sentences.add(JSON.stringify([namesOf(named, metrics), text]), head.name));
  }
  return sentences.map((key, names) => {
    const [named, text] = JSON.parse(key);
    const whose = names.length > 1 && names.length === rows.length ? "all rows" : names.join(", ");
    return `${named} of ${whose}: ${text}.`;
  });
}

function gapText({ reason, count, of, unit }: Gap): string {
  const many = count === of
    ? `${count > 1 ? "all " : ""}${counted(count, unit)}`
    : `${count} of ${counted(of, unit)}`;
  return reason === "∞" ? `${many} left out of the mean as ∞` : `${many} without a value (${reason})`;
}

/** Metrics by name, with the convention where the table knows the same name twice. */
function namesOf(named: readonly MetricHead[], all: readonly MetricHead[]): string {
  return named.map((metric) => {
    const twice = all.filter(({ id }) => id === metric.id).length > 1;
    return twice ? `${metricName(metric)} (${metric.convention})` : metricName(metric);
  }).join(", ");
}

/** Values by key, both in the order in which they came. */
class Groups<Value> {
  readonly #groups = new Map<string, Value[]>();

  add(key: string, value: Value): void {
    this.#groups.set(key, [...this.#groups.get(key) ?? [], value]);
  }

  map<Result>(write: (key: string, values: readonly Value[]) => Result): Result[] {
    return [...this.#groups].map(([key, values]) => write(key, values));
  }
}
