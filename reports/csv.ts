/** `table.csv` and `scores.csv`: one line a number, for pandas, R and spreadsheets. */

import { encodeValue, type ScoreRow } from "../results/record.ts";
import type { MetricHead, Run } from "../results/run.ts";
import { costMetrics, isOf, sizeMetrics, type Summary } from "../results/summary.ts";
import { csvField } from "./escape.ts";

const tableColumns = ["benchmark", "profile", "method", "metric", "convention", "unit", "mean", "std", "n"];
const scoreColumns = [
  "benchmark",
  "profile",
  "method",
  "seed",
  "subject",
  "sample",
  "metric",
  "convention",
  "unit",
  "value",
];

/** The table, a line for each row and metric: `NA` where there is no mean, an empty `std` where there is one seed. */
export function tableCsv({ file }: Run, { rows }: Summary): string {
  const lines = rows.flatMap(({ head, cells, sizes, costs }) =>
    [...cells, ...sizes, ...costs].map(({ metric, mean, std, n }) => [
      file.benchmark,
      file.profile,
      head.name,
      metric.id,
      metric.convention,
      metric.unit,
      numberField(mean),
      std === null ? "" : std,
      n,
    ])
  );
  return csvOf(tableColumns, lines);
}

/**
 * Every score of every finished job: rows and metrics in the table's order, seeds ascending. `seed` is empty where a
 * method has none, `sample` for a score of a whole subject, and `subject` too for one of the whole run.
 */
export function scoresCsv({ file }: Run, { rows }: Summary): string {
  const lines = rows.flatMap(({ head, records }) =>
    records.filter(({ state }) => state.kind === "done").flatMap((record) => {
      const line = (metric: MetricHead, subject: string, sample: string, value: ScoreRow["value"]) => [
        file.benchmark,
        file.profile,
        head.name,
        record.seed ?? "",
        subject,
        sample,
        metric.id,
        metric.convention,
        metric.unit,
        value ?? "NA",
      ];
      const whole = (metric: MetricHead, value: number | null | undefined) =>
        value === undefined || value === null ? [] : [line(metric, "", "", encodeValue(value))];
      return [
        ...file.metrics.flatMap((metric) =>
          record.scores.filter((score) => isOf(score, metric)).map(({ subject, sample, value }) =>
            line(metric, subject, sample, value)
          )
        ),
        ...sizeMetrics.flatMap((metric) => whole(metric, record[metric.id])),
        ...costMetrics.flatMap((metric) => whole(metric, record.cost[metric.id])),
      ];
    })
  );
  return csvOf(scoreColumns, lines);
}

function numberField(value: number | null): string | number {
  return encodeValue(value) ?? "NA";
}

function csvOf(columns: readonly string[], lines: readonly (readonly (string | number)[])[]): string {
  return [columns, ...lines].map((line) => line.map(csvField).join(",") + "\n").join("");
}
