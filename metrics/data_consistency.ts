/**
 * How well a reconstruction agrees with its measurement, and which part of its error the measurement could
 * have told.
 */

import type { Case, Metric } from "./metric.ts";
import { type Outcome, scored } from "./scoring.ts";

const relative = { convention: "relative", unit: "", better: "lower" } as const;

/**
 * ‖A x̂ − y‖ / ‖y‖ of each sample: what the reconstruction leaves of the measurement unexplained. Needs no
 * truth.
 */
export const dataConsistency: Metric = {
  id: "data-consistency",
  ...relative,
  about: "‖Hx̂ − y‖ / ‖y‖ of each sample, all coils together",
  needs: ["measured"],
  score: (subject) =>
    subject.map(({ sample, measured }) =>
      scored(
        measured === undefined
          ? { reason: "the operator is unknown" }
          : ratio(measured.residual, measured.measurement, "the measurement"),
        sample,
      )
    ),
};

/** The part of the error that the operator does not see, in relation to the image: what was made up. */
export const nullSpaceError: Metric = {
  id: "null-space-error",
  ...relative,
  about: "norm of the part of x̂ − x that the operator does not see, over ‖x‖, of each sample",
  needs: ["error"],
  score: (subject) => subject.map((one) => part(one, "unseen")),
};

/**
 * The part of the error that the operator sees, in relation to the image: what contradicts the measurement.
 */
export const measuredSpaceError: Metric = {
  id: "measured-space-error",
  ...relative,
  about: "norm of the part of x̂ − x that the operator sees, over ‖x‖, of each sample",
  needs: ["error"],
  score: (subject) => subject.map((one) => part(one, "seen")),
};

function part({ sample, error, truth }: Case, which: "seen" | "unseen") {
  if (error !== undefined) return scored(ratio(error[which], error.truth, "the truth"), sample);
  return scored({ reason: truth === undefined ? "the truth is unknown" : "the operator is unknown" }, sample);
}

function ratio(norm: number, whole: number, name: string): Outcome {
  if (!Number.isFinite(norm) || !Number.isFinite(whole)) {
    return { reason: "there are values that are not finite" };
  }
  return whole > 0 ? norm / whole : { reason: `${name} is zero everywhere` };
}
