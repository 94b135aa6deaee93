/** `results.json`: every table of a report with all its numbers, as docs/results.schema.json says. */

import type { Json } from "../core/json.ts";
import { encodeValue } from "../results/record.ts";
import { costMetrics, isOf, sizeMetrics } from "../results/summary.ts";
import type { Cell, Summary, SummaryRow } from "../results/summary.ts";
import type { MetricHead, Run, RunFile } from "../results/run.ts";
import { judge, verdictsJson } from "./verdicts.ts";

/** Version of the file's form. */
export const resultsVersion = 1;

/** A table of the report. */
export interface Table {
  readonly run: Run;
  readonly summary: Summary;
}

/** The tables as JSON: what they show and from what it was made; scores of samples stand in `scores.csv`. */
export function resultsJson(tables: readonly Table[]): Json {
  return { version: resultsVersion, tables: tables.map(tableJson) };
}

function tableJson({ run, summary }: Table): Json {
  const { file, refused = [] } = run;
  return {
    benchmark: file.benchmark,
    profile: file.profile,
    title: file.title,
    question: file.question,
    configuration: file.configuration,
    identity: file.identity,
    dataset: { ...file.dataset },
    split: splitJson(file.split),
    seeds: [...file.seeds],
    banners: [...file.banners],
    notes: [...file.notes],
    refused: [...refused],
    metrics: [...file.metrics, ...sizeMetrics, ...costMetrics].map(metricJson),
    rows: summary.rows.map(rowJson),
    verdicts: (verdictsJson(run, judge(run, summary)) as { verdicts: Json }).verdicts,
  };
}

function splitJson({ kind, parts }: RunFile["split"]): Json {
  const entries = Object.entries(parts).map(([part, { subjects, samples }]) => [
    part,
    { subjects: [...subjects], samples },
  ]);
  return { kind, parts: Object.fromEntries(entries) };
}

function metricJson({ id, convention, unit, better, about }: MetricHead): Json {
  return { metric: id, convention, unit, better, about };
}

function rowJson(row: SummaryRow): Json {
  const { head, planned, done, cells, sizes, costs } = row;
  return {
    method: head.name,
    about: head.about,
    source: head.source,
    knows: head.knows,
    trains: head.trains,
    settings: head.settings,
    planned,
    done,
    jobs: jobsJson(row),
    cells: [...cells, ...sizes, ...costs].map(cellJson),
  };
}

/** How each job ended, and its score under each metric: the mean over subjects of each one's mean over its samples. */
function jobsJson({ records, cells }: SummaryRow): Json[] {
  let finished = 0;
  return records.map(({ seed, state, settings, weights, scores }) => {
    const at = state.kind === "done" ? finished++ : undefined;
    const own = at === undefined ? [] : cells.flatMap(({ metric, perSeed }) => {
      const count = scores.reduce((sum, score) => sum + (isOf(score, metric) ? 1 : 0), 0);
      const { id, convention } = metric;
      return count === 0 ? [] : [{ metric: id, convention, value: encodeValue(perSeed[at]), scores: count }];
    });
    return { seed, state: { ...state }, settings: { ...settings }, weights, scores: own };
  });
}

function cellJson({ metric, mean, std, n, scores, gaps }: Cell): Json {
  return {
    metric: metric.id,
    convention: metric.convention,
    mean: encodeValue(mean),
    std,
    n,
    scores,
    gaps: gaps.map((gap) => ({ ...gap })),
  };
}
