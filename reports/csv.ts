/** `table.csv`, `scores.csv` and `statistics.csv`: one line a number, for pandas, R and spreadsheets. */

import { scoresOf, scoreTable } from "../results/comparison.ts";
import { intervalOf } from "../results/interval.ts";
import { rankingsOf } from "../results/ranking.ts";
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

const statisticsColumns = ["benchmark", "profile", "metric", "convention", "unit", "method"].concat(
  ["mean", "mean_low", "mean_high", "leader", "leader_minus_row", "low", "high", "p", "p_holm", "paired_d"],
  ["subjects", "seeds", "place"],
);

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
 * Every score of every finished job, line by line, since there may be millions: rows and metrics in the table's order,
 * seeds ascending. `seed` is empty where a method has none, `sample` for a score of a whole subject, and `subject` too for one of the whole run.
 */
export function* scoresCsv({ file }: Run, { rows }: Summary): Generator<string> {
  yield lineOf(scoreColumns);
  for (const { head, records } of rows) {
    for (const record of records.filter(({ state }) => state.kind === "done")) {
      const line = (metric: MetricHead, subject: string, sample: string, value: ScoreRow["value"]) =>
        lineOf([
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
        ]);
      const whole = (metric: MetricHead, value: number | null | undefined) =>
        value === undefined || value === null ? [] : [line(metric, "", "", encodeValue(value))];
      for (const metric of file.metrics) {
        for (const score of record.scores) {
          if (isOf(score, metric)) yield line(metric, score.subject, score.sample, score.value);
        }
      }
      yield* sizeMetrics.flatMap((metric) => whole(metric, record[metric.id]));
      yield* costMetrics.flatMap((metric) => whole(metric, record.cost[metric.id]));
    }
  }
}

/**
 * Every row under every metric: its mean with the 95 % interval for new subjects and seeds, and how far the leader is from
 * it, with interval, p of the sign-flip test over subjects, the same after Holm's correction for the metric, and paired d.
 * `place` is `best` or `second` where that is sure. Fields are empty where nothing can be said.
 */
export function statisticsCsv({ file }: Run, summary: Summary): string {
  const lines = rankingsOf(summary).flatMap(({ metric, leader, toLeader, best, second }, index) =>
    summary.rows.map((row) => {
      const { name } = row.head;
      const ofMean = intervalOf(scoreTable(scoresOf(row, metric)));
      const { comparison, adjusted } = toLeader.get(name) ?? {};
      return [
        file.benchmark,
        file.profile,
        metric.id,
        metric.convention,
        metric.unit,
        name,
        numberField(row.cells[index].mean),
        ofMean?.low ?? "",
        ofMean?.high ?? "",
        comparison === undefined ? "" : leader!,
        comparison?.estimate ?? "",
        comparison?.interval?.low ?? "",
        comparison?.interval?.high ?? "",
        comparison?.p ?? "",
        adjusted ?? "",
        comparison?.effect ?? "",
        comparison?.perSubject.length ?? "",
        comparison?.seeds.length ?? "",
        name === best ? "best" : name === second ? "second" : "",
      ];
    })
  );
  return csvOf(statisticsColumns, lines);
}

function numberField(value: number | null): string | number {
  return encodeValue(value) ?? "NA";
}

function csvOf(columns: readonly string[], lines: readonly (readonly (string | number)[])[]): string {
  return [columns, ...lines].map(lineOf).join("");
}

function lineOf(fields: readonly (string | number)[]): string {
  return fields.map(csvField).join(",") + "\n";
}
