/** What metrics share: which samples can be scored at all, and why the others cannot. */

import { explain } from "../core/errors.ts";
import { type Image, sameShape } from "../core/image.ts";
import type { Case, Score } from "./metric.ts";

/** A value, or the reason why there is none. */
export type Outcome = number | { readonly reason: string };

/** A reconstruction and the truth that it is compared with, of one shape. */
export interface Pair {
  /** x̂, `[height, width, 1]`. */
  readonly reconstruction: Image;
  /** x, the same shape. */
  readonly truth: Image;
}

/** One score an image. */
export function scoreImages(subject: readonly Case[], score: (pair: Pair) => Outcome): Score[] {
  return subject.map((one) => {
    const pair = pairOf(one);
    return scored("reason" in pair ? pair : score(pair), one.sample);
  });
}

/** One score for all images of a subject together, null where one of them has none. */
export function scoreVolume(
  subject: readonly Case[],
  score: (volume: readonly Pair[]) => Outcome,
): Score[] {
  if (subject.length === 0) return [];
  const volume: Pair[] = [];
  for (const one of subject) {
    const pair = pairOf(one);
    if ("reason" in pair) return [scored({ reason: `sample "${one.sample}": ${pair.reason}` })];
    volume.push(pair);
  }
  return [scored(score(volume))];
}

/** The score of an outcome. */
export function scored(outcome: Outcome, sample?: string): Score {
  const which = sample === undefined ? {} : { sample };
  return typeof outcome === "number"
    ? { ...which, value: outcome }
    : { ...which, value: null, reason: outcome.reason };
}

/** The largest value of all images. */
export function maximum(images: readonly Image[]): number {
  let most = -Infinity;
  for (const { data } of images) for (const value of data) if (value > most) most = value;
  return most;
}

/** Whether every value is a finite number. */
export function isFiniteEverywhere(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

/** The images of a case that are compared, or why they cannot be; throws where their sizes differ. */
export function pairOf({ sample, reconstruction, truth }: Case): Pair | { readonly reason: string } {
  if (truth === undefined) return { reason: "the truth is unknown" };
  if (!sameShape(reconstruction.shape, truth.shape)) {
    throw new TypeError(explain({
      what: `a reconstruction [${reconstruction.shape}] cannot be compared with a truth [${truth.shape}]`,
      where: `sample "${sample}"`,
      fix: "crop both to one size before they are scored",
    }));
  }
  for (const [name, { data }] of Object.entries({ reconstruction, truth })) {
    if (!isFiniteEverywhere(data)) return { reason: `the ${name} holds values that are not finite` };
  }
  return { reconstruction, truth };
}
