/** Scoring: a prepared learner meets the test samples, and every metric says what it thinks of every one. */

import * as tf from "@tensorflow/tfjs-core";
import type { Benchmark, Combiner, Condition, Kept } from "../benchmarks/benchmark.ts";
import type { Points } from "../core/points.ts";
import { type Image, sameShape, squaredDistance, squaredNorm } from "../core/image.ts";
import type { Values } from "../core/settings.ts";
import type { Tile } from "../datasets/dataset.ts";
import type { Knows, Learner } from "../methods/method.ts";
import type {
  Case,
  ErrorNorms,
  Kernels,
  MeasuredNorms,
  Metric,
  Need,
  SampleCurve,
  Score,
} from "../metrics/metric.ts";
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
  /** The emitters that the method found, where it finds them itself. */
  readonly found?: Points;
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
    const meeting = meetingOf(shelf.benchmark, group[0].measured, knows);
    const found = await learner.locate?.(y, meeting);
    const x = tf.tidy(() => learner.reconstruct(y, meeting));
    const values = (await x.data()) as Float32Array;
    const shape = x.shape.slice(1);
    tf.dispose([x, y]);
    const size = values.length / group.length;
    for (const [index, encounter] of group.entries()) {
      const data = values.slice(index * size, (index + 1) * size);
      yield { encounter, image: unscaled({ shape, data }, encounter, knows), found: found?.[index] };
    }
  }
}

/** What metrics and pictures see of a reconstruction, and of its truth where there is one. */
export function viewOf(benchmark: Benchmark, settings: Values, { encounter, image }: Reconstructed): Kept {
  const { measured, ref } = encounter;
  const { reference, label, pixelNm } = measured;
  return {
    sample: ref.sample,
    reconstruction: benchmark.view(image, settings, reference),
    truth: reference ?? (measured.image && benchmark.view(measured.image, settings)),
    ...(label === undefined ? {} : { label: benchmark.view(label, settings, reference) }),
    ...(pixelNm === undefined ? {} : { pixelNm }),
    channels: (measured.image ?? measured.measurement).shape.at(-1)!,
  };
}

/** One sample as metrics see it, with what they need: a whole volume of such cases is small. */
async function caseOf(
  { shelf: { benchmark }, settings }: Examination,
  { image, encounter: { measured }, found }: Reconstructed,
  kept: Kept,
  needs: ReadonlySet<Need>,
  learned: Omit<Kernels, "truth"> | undefined,
): Promise<Case> {
  const { sample, reconstruction, truth, label, pixelNm } = kept;
  const emitters = needs.has("emitters") && measured.emitters
    ? found ?? benchmark.locate?.(kept, settings)
    : undefined;
  return {
    sample,
    reconstruction,
    truth,
    ...(label === undefined ? {} : { label }),
    ...(pixelNm === undefined ? {} : { pixelNm }),
    ...(needs.has("measured") ? { measured: await measuredNorms(measured, image) } : {}),
    // A benchmark that splits no error has no operator that tells what it sees.
    ...(needs.has("error") && measured.image !== undefined && benchmark.splitError !== undefined
      ? { error: await errorNorms(benchmark, measured.operator, image, measured.image) }
      : {}),
    ...(emitters === undefined ? {} : { emitters: { found: emitters, truth: measured.emitters! } }),
    ...(learned === undefined ? {} : { kernel: { ...learned, truth: measured.kernel } }),
  };
}

/** The kernel that a learner learned, and what it started from. */
async function kernelsOf({ learner }: Examination): Promise<Omit<Kernels, "truth"> | undefined> {
  const { kernel: learned, "kernel-initial": initial } = await learner.learned?.() ?? {};
  return learned && { learned, ...(initial === undefined ? {} : { initial }) };
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

/** What is shown and kept of a subject: a sample of it, or what its samples were combined to. */
export interface Shown {
  readonly subject: string;
  readonly kept: Kept;
  /** What a network sees of the measurement, as pictures show it. */
  readonly input: Image;
  /** Where the sample was cut out of a larger one. */
  readonly tile?: Tile;
  /** What its scores were read off; worked out only where it is asked for. */
  curves(): readonly SampleCurve[];
}

/** Scores a learner on samples, subject by subject; `each` is shown every reconstruction, or every subject's combined one. */
export async function examine(
  examination: Examination,
  refs: readonly SampleRef[],
  metrics: readonly Metric[],
  each: (shown: Shown) => Promise<void> = async () => {},
  progress: () => void = () => {},
): Promise<Result> {
  const scores: ScoreRow[] = [];
  const { shelf: { benchmark }, settings } = examination;
  const isCombined = benchmark.combine !== undefined;
  const ofWhole = metrics.filter((metric) => isCombined && metric.of === "whole");
  const ofSamples = metrics.filter((metric) => !ofWhole.includes(metric));
  const needs = new Set(ofSamples.flatMap((metric) => metric.needs ?? []));
  const { learner } = examination;
  const isLearned = learner.update !== undefined || learner.fit !== undefined;
  const learned = needs.has("kernel") ? await kernelsOf(examination) : undefined;
  for (const subject of new Set(refs.map((ref) => ref.subject))) {
    const cases: Case[] = [];
    const combined = isCombined
      ? new Combined(benchmark.combine!(settings), benchmark.combine!(settings), isLearned)
      : undefined;
    const own = refs.filter((ref) => ref.subject === subject);
    for await (const reconstructed of reconstructions(examination, own)) {
      if (reconstructed.image.data.some((value) => !Number.isFinite(value))) {
        return { scores: [], broken: true };
      }
      const kept = viewOf(benchmark, settings, reconstructed);
      const { measured, seen, tile } = reconstructed.encounter;
      const shown = benchmark.asImage?.(seen, settings) ?? seen;
      const input = benchmark.view(shown, settings, measured.reference);
      if (combined === undefined) {
        await each({ subject, kept, input, ...(tile && { tile }), curves: () => curvesOf(metrics, kept) });
      } else combined.add(kept, input, measured.emitters);
      if (ofSamples.length > 0) cases.push(await caseOf(examination, reconstructed, kept, needs, learned));
      progress();
    }
    for (const metric of ofSamples) {
      scores.push(...metric.score(cases).map((score) => rowOf(metric, subject, score)));
    }
    if (combined === undefined) continue;
    const { kept, input, whole } = combined.whole();
    await each({ subject, kept, input, curves: () => curvesOf(ofWhole, whole) });
    for (const metric of ofWhole) {
      scores.push(...metric.score([whole]).map((score) => rowOf(metric, subject, score)));
    }
  }
  return { scores, broken: false };
}

/** The samples of a subject on their way to one picture, and their inputs beside them. */
class Combined {
  #last: Pick<Kept, "channels" | "pixelNm"> = { channels: 1 };

  constructor(readonly reconstructions: Combiner, readonly inputs: Combiner, readonly learned: boolean) {}

  add(kept: Kept, input: Image, emitters?: Points): void {
    const { channels, pixelNm } = kept;
    this.#last = { channels, ...(pixelNm === undefined ? {} : { pixelNm }) };
    this.reconstructions.add(kept, emitters);
    this.inputs.add({ ...kept, reconstruction: input }, emitters);
  }

  whole(): { kept: Kept; input: Image; whole: Case } {
    const { name } = this.reconstructions;
    const { reconstruction, truth, halves } = this.reconstructions.whole();
    return {
      kept: { sample: name, reconstruction, truth, ...this.#last },
      input: this.inputs.whole().reconstruction,
      whole: {
        sample: name,
        reconstruction,
        truth,
        ...(this.#last.pixelNm && { pixelNm: this.#last.pixelNm }),
        ...(halves === undefined ? {} : { halves, learned: this.learned }),
      },
    };
  }
}

function curvesOf(metrics: readonly Metric[], one: Case): SampleCurve[] {
  return metrics.flatMap((metric) => metric.curves?.([one]) ?? []);
}

/** What is scored under a condition: its metrics, under names of their own. */
export function metricsUnder({ name, about, metrics }: Condition): Metric[] {
  return metrics.map((metric) => ({ ...metric, id: `${metric.id}-${name}`, condition: about }));
}

/** A score as a record keeps it. */
export function rowOf(metric: Metric, subject: string, { sample = "", value, reason }: Score): ScoreRow {
  return {
    metric: metric.id,
    convention: metric.convention,
    subject,
    sample,
    value: encodeValue(value),
    ...(reason === undefined ? {} : { reason }),
  };
}
