/** Scores of a learned kernel: how alike it is to the true one, how alike it was before training, and how broad it is. */

import { kernelCorrelation as correlationOf, rmsRadius } from "./correlation.ts";
import type { Case, Kernels, Metric, Score } from "./metric.ts";
import { type Outcome, scored } from "./scoring.ts";

const correlation = {
  convention: "pearson",
  unit: "",
  needs: ["kernel"],
} as const;

/** Pearson's correlation of the learned kernel with the true one. */
export const kernelCorrelation: Metric = {
  ...correlation,
  id: "kernel-correlation",
  better: "higher",
  about:
    "Pearson’s correlation of the learned kernel with the one that the measurements were made with, centres on one another. A Gaussian that is far too narrow or too broad has .7 or more of it: see kernel-correlation-initial and kernel-radius",
  score: (subject) =>
    ofKernels(
      subject,
      ({ learned, truth }) =>
        truth === undefined ? { reason: "the true kernel is unknown" } : correlationOf(learned, truth),
    ),
};

/** The same of what the kernel started from: what is learned is what the first has over this one. */
export const kernelCorrelationInitial: Metric = {
  ...correlation,
  id: "kernel-correlation-initial",
  better: "neither",
  about: "the same before the first update: what was learned is the difference",
  score: (subject) =>
    ofKernels(subject, ({ initial, truth }) => {
      if (truth === undefined) return { reason: "the true kernel is unknown" };
      return initial === undefined
        ? { reason: "nobody says what the kernel started from" }
        : correlationOf(initial, truth);
    }),
};

/** How broad the learned kernel is; of the truth, of which it is a property, with `of: "truth"`. */
export function kernelRadius({ of = "learned" as "learned" | "truth" } = {}): Metric {
  const isTruth = of === "truth";
  return {
    id: isTruth ? "kernel-radius-truth" : "kernel-radius",
    convention: "rms",
    unit: "nm",
    better: "neither",
    needs: ["kernel"],
    about: `rms radius of the ${
      isTruth ? "kernel that the measurements were made with" : "learned kernel"
    } about its centre of mass`,
    score: (subject) =>
      ofKernels(subject, ({ learned, truth }, pixelNm) => {
        const kernel = isTruth ? truth : learned;
        if (kernel === undefined) return { reason: "the true kernel is unknown" };
        return pixelNm === undefined
          ? { reason: "nobody says how large a pixel is" }
          : rmsRadius(kernel, pixelNm);
      }),
  };
}

/** One score a subject: its samples, which are measured alike, share their kernels. */
function ofKernels(
  subject: readonly Case[],
  score: (kernels: Kernels, pixelNm: Case["pixelNm"]) => Outcome,
): readonly Score[] {
  if (subject.length === 0) return [];
  const [{ kernel, pixelNm }] = subject;
  return [scored(kernel === undefined ? { reason: "no kernel is learned" } : score(kernel, pixelNm))];
}
