/** `results.json`: every table of a report with all its numbers, as docs/results.schema.json says. */

import type { Json } from "../core/json.ts";
import { encodeValue, type ResultRecord } from "../results/record.ts";
import { costMetrics, isOf, scoreOfSeed, sizeMetrics } from "../results/summary.ts";
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
    rows: summary.rows.map((row) => rowJson(row, file.metrics)),
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

function rowJson(
  { head, records, planned, done, cells, sizes, costs }: SummaryRow,
  metrics: readonly MetricHead[],
): Json {
  return {
    method: head.name,
    about: head.about,
    source: head.source,
    knows: head.knows,
    trains: head.trains,
    settings: head.settings,
    planned,
    done,
    jobs: records.map((record) => jobJson(record, metrics)),
    cells: [...cells, ...sizes, ...costs].map(cellJson),
  };
}

/** How a job ended, and its score under each metric: the mean over subjects of each one's mean over its samples. */
function jobJson(
  { seed, state, settings, weights, scores }: ResultRecord,
  metrics: readonly MetricHead[],
): Json {
  const own = metrics.flatMap((metric) => {
    const found = scores.filter((score) => isOf(score, metric));
    if (found.length === 0) return [];
    const { id, convention } = metric;
    return [{ metric: id, convention, value: encodeValue(scoreOfSeed(found)), scores: found.length }];
  });
  return {
    seed,
    state: { ...state },
    settings: { ...settings },
    weights,
    scores: state.kind === "done" ? own : [],
  };
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
