/** The list of jobs: compact data, of which the page's script shows a sorted and filtered part at a time. */

import type { ResultRecord } from "../../results/record.ts";
import { encodeValue } from "../../results/record.ts";
import { isOf, scoreOfSeed, type Summary } from "../../results/summary.ts";
import { metricHeading } from "../format.ts";
import { visible } from "../escape.ts";
import { embedded, type Html, markup } from "./html.ts";

/** Every job with how it ended, its scores, and what it cost. */
export function jobsSection(summary: Summary, id: string): Html | undefined {
  const records = summary.rows.flatMap(({ records }) => records);
  if (records.length === 0) return undefined;
  const metrics = summary.metrics.slice(0, 4);
  const columns = [
    "method",
    "seed",
    "ended",
    ...metrics.map((metric) => metricHeading(metric, summary.metrics)),
    "updates",
    "training (s)",
    "inference (ms)",
    "memory (MB)",
    "weights",
  ];
  const lines = records.map((record) => [
    visible(record.method),
    record.seed,
    endOf(record),
    ...metrics.map((metric) => {
      const scores = record.state.kind === "done" ? record.scores.filter((score) => isOf(score, metric)) : [];
      return rounded(encodeValue(scoreOfSeed(scores)));
    }),
    record.log.at(-1)?.update ?? null,
    rounded(record.cost["train-seconds"] ?? null),
    rounded(record.cost["inference-ms"] ?? null),
    rounded(record.cost["peak-memory"] ?? null),
    record.weights?.slice(0, 10) ?? null,
  ]);
  return markup`<div class="jobs" id="${id}-jobs"><h3>Jobs</h3>
<noscript><p>This list needs JavaScript; records.jsonl and scores.csv hold the same.</p></noscript>
<script type="application/json">${embedded({ columns, lines })}</script></div>`;
}

function endOf({ state }: ResultRecord): string {
  if (state.kind === "done") return "done";
  const how = state.kind === "diverged" ? `diverged at update ${state.update}` : "failed";
  return visible(`${how}: ${state.reason}`).slice(0, 160);
}

function rounded(value: number | string | null): number | string | null {
  return typeof value === "number" ? Number(value.toPrecision(5)) : value;
}
