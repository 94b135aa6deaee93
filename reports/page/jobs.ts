/** The list of jobs: compact data, of which the page's script shows a sorted and filtered part at a time. */

import type { ResultRecord } from "../../results/record.ts";
import { encodeValue } from "../../results/record.ts";
import type { Summary, SummaryRow } from "../../results/summary.ts";
import { metricHeading } from "../format.ts";
import { visible } from "../escape.ts";
import { embedded, type Html, markup } from "./html.ts";

// A page with more than these would take its time to open.
const mostJobs = 20_000;
const mostMetrics = 4;

/** Every job with how it ended, its scores, and what it cost. */
export function jobsSection(summary: Summary, id: string): Html | undefined {
  const all = summary.rows.reduce((sum, { records }) => sum + records.length, 0);
  if (all === 0) return undefined;
  const metrics = summary.metrics.slice(0, mostMetrics);
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
  const lines = summary.rows.flatMap(linesOf).slice(0, mostJobs);
  return markup`<div class="jobs" id="${id}-jobs"><h3>Jobs</h3>
<noscript><p>This list needs JavaScript; records.jsonl and scores.csv hold the same.</p></noscript>
${
    all > mostJobs
      ? markup`<p class="caption">The first ${mostJobs} of ${all}; records.jsonl has all.</p>`
      : undefined
  }
<script type="application/json">${embedded({ columns, lines })}</script></div>`;
}

function linesOf({ head, records, cells }: SummaryRow): (string | number | null)[][] {
  const method = visible(head.name);
  let finished = 0;
  return records.map((record) => {
    const { seed, state, log, cost, weights } = record;
    const at = state.kind === "done" ? finished++ : undefined;
    return [
      method,
      seed,
      endOf(record),
      ...cells.slice(0, mostMetrics).map(({ perSeed }) =>
        at === undefined ? null : rounded(encodeValue(perSeed[at]))
      ),
      log.at(-1)?.update ?? null,
      rounded(cost["train-seconds"] ?? null),
      rounded(cost["inference-ms"] ?? null),
      rounded(cost["peak-memory"] ?? null),
      weights?.slice(0, 10) ?? null,
    ];
  });
}

function endOf({ state }: ResultRecord): string {
  if (state.kind === "done") return "done";
  const how = state.kind === "diverged" ? `diverged at update ${state.update}` : "failed";
  return visible(`${how}: ${state.reason}`).slice(0, 160);
}

function rounded(value: number | string | null): number | string | null {
  return typeof value === "number" ? Number(value.toPrecision(5)) : value;
}
