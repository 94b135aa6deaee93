/** Scoring: a prepared learner meets the test samples, and every metric says what it thinks of every one. */

import * as tf from "@tensorflow/tfjs-core";
import type { Benchmark, Kept } from "../benchmarks/benchmark.ts";
import { type Image, sameShape, squaredDistance, squaredNorm } from "../core/image.ts";
import type { Values } from "../core/settings.ts";
import type { Knows, Learner } from "../methods/method.ts";
import type { Case, ErrorNorms, MeasuredNorms, Metric, Need, Score } from "../metrics/metric.ts";
import type { Measured } from "../physics/acquisition.ts";
import type { Operator } from "../physics/operator.ts";
import { encodeValue, type ScoreRow } from "../results/record.ts";
import { type Encounter, givenOf, meetingOf, type Shelf, tensorOf, unscaled } from "./samples.ts";
import type { SampleRef } from "./split.ts";

/** A reconstruction with what it was made from. */
export interface Reconstructed {
  readonly encounter: Encounter;
  /** In the data's own units, `operator.imageShape`. */
  readonly image: Image;
}

/** Who is to be scored, on what. */
export interface Examination {
  readonly shelf: Shelf;
  readonly settings: Values;
  readonly learner: Learner;
  readonly knows: Knows;
}

// Samples that one reconstruction may take together, in values of what a network sees: four slices of 64 x 64.
const togetherValues = 4 * 64 * 64 * 2;

/** Reconstructs samples, a few at a time where they share an operator and a subject. */
export async function* reconstructions(
  { shelf, learner, knows }: Examination,
  refs: readonly SampleRef[],
): AsyncGenerator<Reconstructed> {
  for (let at = 0; at < refs.length;) {
    const group = [await shelf.get(refs[at])];
    const [{ measured: { operator }, seen }] = group;
    const most = Math.max(1, Math.floor(togetherValues / seen.data.length));
    while (group.length < most && refs[at + group.length]?.subject === refs[at].subject) {
      const next = await shelf.get(refs[at + group.length]);
      if (next.measured.operator !== operator || !sameShape(next.seen.shape, seen.shape)) break;
      group.push(next);
    }
    at += group.length;
    const y = tensorOf(group.map((encounter) => givenOf(encounter, knows)));
    const x = tf.tidy(() => learner.reconstruct(y, meetingOf(shelf.benchmark, operator, knows)));
    const values = (await x.data()) as Float32Array;
    const shape = x.shape.slice(1);
    tf.dispose([x, y]);
    const size = values.length / group.length;
    for (const [index, encounter] of group.entries()) {
      const data = values.slice(index * size, (index + 1) * size);
      yield { encounter, image: unscaled({ shape, data }, encounter, knows) };
    }
  }
}

/** What metrics and pictures see of a reconstruction, and of its truth where there is one. */
export function viewOf(benchmark: Benchmark, settings: Values, { encounter, image }: Reconstructed): Kept {
  const { measured, ref } = encounter;
  const { reference, label } = measured;
  return {
    sample: ref.sample,
    reconstruction: benchmark.view(image, settings, reference),
    truth: reference ?? (measured.image && benchmark.view(measured.image, settings)),
    ...(label === undefined ? {} : { label: benchmark.view(label, settings, reference) }),
    channels: (measured.image ?? measured.measurement).shape.at(-1)!,
  };
}

/** One sample as metrics see it, with the norms that they need: a whole volume of such cases is small. */
async function caseOf(
  { shelf: { benchmark } }: Examination,
  { image, encounter: { measured } }: Reconstructed,
  { sample, reconstruction, truth, label }: Kept,
  needs: ReadonlySet<Need>,
): Promise<Case> {
  const viewed = { sample, reconstruction, truth, ...(label === undefined ? {} : { label }) };
  // A benchmark that splits no error has an operator that nobody knows.
  if (benchmark.splitError === undefined) return viewed;
  return {
    ...viewed,
    ...(needs.has("measured") ? { measured: await measuredNorms(measured, image) } : {}),
    ...(needs.has("error") && measured.image !== undefined
      ? { error: await errorNorms(benchmark, measured.operator, image, measured.image) }
      : {}),
  };
}

async function measuredNorms({ operator, measurement }: Measured, image: Image): Promise<MeasuredNorms> {
  const forward = tf.tidy(() => operator.forward(tensorOf([image])));
  const reprojection = await forward.data();
  forward.dispose();
  return {
    residual: Math.sqrt(squaredDistance(reprojection, measurement.data)),
    measurement: Math.sqrt(squaredNorm(measurement.data)),
  };
}

async function errorNorms(
  benchmark: Benchmark,
  operator: Operator,
  { shape, data }: Image,
  truth: Image,
): Promise<ErrorNorms> {
  const difference = tensorOf([{ shape, data: data.map((value, i) => value - truth.data[i]) }]);
  const { seen, unseen } = await benchmark.splitError!(operator, difference);
  difference.dispose();
  return {
    seen: Math.sqrt(squaredNorm(seen.data)),
    unseen: Math.sqrt(squaredNorm(unseen.data)),
    truth: Math.sqrt(squaredNorm(truth.data)),
  };
}

/** What an examination found. */
export interface Result {
  readonly scores: readonly ScoreRow[];
  /** Whether a reconstruction held a value that is not a number. */
  readonly broken: boolean;
}

/** Scores a learner on samples, subject by subject; `each` is shown every reconstruction as it is made. */
export async function examine(
  examination: Examination,
  refs: readonly SampleRef[],
  metrics: readonly Metric[],
  each: (reconstructed: Reconstructed, kept: Kept) => Promise<void> = async () => {},
): Promise<Result> {
  const scores: ScoreRow[] = [];
  let broken = false;
  const { shelf: { benchmark }, settings } = examination;
  const needs = new Set(metrics.flatMap((metric) => metric.needs ?? []));
  for (const subject of new Set(refs.map((ref) => ref.subject))) {
    const cases: Case[] = [];
    for await (
      const reconstructed of reconstructions(examination, refs.filter((ref) => ref.subject === subject))
    ) {
      broken ||= reconstructed.image.data.some((value) => !Number.isFinite(value));
      const view = viewOf(benchmark, settings, reconstructed);
      await each(reconstructed, view);
      if (!broken) cases.push(await caseOf(examination, reconstructed, view, needs));
    }
    if (broken) return { scores: [], broken };
    for (const metric of metrics) {
      scores.push(...metric.score(cases).map((score) => rowOf(metric, subject, score)));
    }
  }
  return { scores, broken };
}

function rowOf(metric: Metric, subject: string, { sample = "", value, reason }: Score): ScoreRow {
  return {
    metric: metric.id,
    convention: metric.convention,
    subject,
    sample,
    value: encodeValue(value),
    ...(reason === undefined ? {} : { reason }),
  };
}
