/**
 * PSNR where training is shown labels that are out of place: against the object that was measured, which is what a
 * reconstruction should show, and against the label, which a mean squared error wins by construction. Both have the
 * object's range, so that they can be compared.
 */

import type { Case, Metric } from "./metric.ts";
import { peakSignalToNoise } from "./psnr.ts";
import { maximum, type Outcome, type Pair, scoreImages } from "./scoring.ts";

const shared = { convention: "object-maximum", unit: "dB", better: "higher" } as const;

/** PSNR against the object. */
export const psnrObject: Metric = {
  id: "psnr-object",
  ...shared,
  about: "PSNR of each image against the object that was measured, range the object's largest value",
  score: (subject) => against(({ truth }) => truth, subject),
};

/** PSNR against the label; where a sample has none, the truth is its label. */
export const psnrLabel: Metric = {
  id: "psnr-label",
  ...shared,
  about: "PSNR of each image against its label, which is out of place, range the object's largest value; " +
    "training on labels by their mean squared error is to optimise this",
  score: (subject) => against(({ truth, label }) => label ?? truth, subject),
};

function against(target: (one: Case) => Case["truth"], subject: readonly Case[]) {
  return subject.flatMap((one) =>
    scoreImages(
      [{ ...one, truth: one.truth && target(one) }],
      (pair) => within(pair, maximum([one.truth!])),
    )
  );
}

function within(pair: Pair, range: number): Outcome {
  return range > 0 ? peakSignalToNoise([pair], range) : { reason: "the truth has no positive value" };
}
