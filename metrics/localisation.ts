/**
 * How well emitters were found: what share of them, how many were made up, and how far off they are (D. Sage et al.,
 * "Super-resolution fight club", Nature Methods 16, 2019), by optimal assignment within a tolerance (`assignment.ts`).
 *
 * The field's tolerance is 250 nm. Where emitters lie closer together than that it rewards any cloud of points of about the
 * right number; a second, of 50 nm, stands beside it, and a control of points that nobody localised is for whoever runs it to add.
 */

import type { Points } from "../core/points.ts";
import { assignPoints } from "./assignment.ts";
import type { Case, Metric, MetricHead } from "./metric.ts";
import { type Outcome, scored } from "./scoring.ts";

/** Counts over one frame, or over many. */
export interface LocalisationCounts {
  /** Pairs of a found and a true emitter. */
  readonly paired: number;
  /** True emitters without a partner. */
  readonly missed: number;
  /** Found ones without a partner. */
  readonly spurious: number;
  /** Σ of the pairs' squared distances, in nm². */
  readonly squaresNm2: number;
}

/** Counts what was found among the true emitters of one frame. */
export function countLocalisations(found: Points, truth: Points, toleranceNm: number): LocalisationCounts {
  const { distanceNm } = assignPoints(truth, found, toleranceNm);
  const paired = distanceNm.length;
  return {
    paired,
    missed: truth.xNm.length - paired,
    spurious: found.xNm.length - paired,
    squaresNm2: distanceNm.reduce((sum, distance) => sum + distance ** 2, 0),
  };
}

/** Counts of several frames together. */
export function totalOf(frames: readonly LocalisationCounts[]): LocalisationCounts {
  const sum = (of: (one: LocalisationCounts) => number) => frames.reduce((total, one) => total + of(one), 0);
  return {
    paired: sum(({ paired }) => paired),
    missed: sum(({ missed }) => missed),
    spurious: sum(({ spurious }) => spurious),
    squaresNm2: sum(({ squaresNm2 }) => squaresNm2),
  };
}

type Rate = (counts: LocalisationCounts) => Outcome;

const share = (part: number, whole: number, none: string): Outcome =>
  whole > 0 ? part / whole : { reason: none };

/** Pairs over all emitters, true or found. */
export const jaccard: Rate = ({ paired, missed, spurious }) =>
  share(paired, paired + missed + spurious, "there are no emitters, true or found");
/** The share of true emitters that were found. */
export const recall: Rate = ({ paired, missed }) =>
  share(paired, paired + missed, "there are no true emitters");
/** The share of found emitters that are true. */
export const precision: Rate = ({ paired, spurious }) => share(paired, paired + spurious, "none was found");
/** √ of the pairs' mean squared distance in the plane, in nm. */
export const rmseLateral: Rate = ({ paired, squaresNm2 }) => {
  const mean = share(squaresNm2, paired, "none was found within the tolerance");
  return typeof mean === "number" ? Math.sqrt(mean) : mean;
};

const heads: readonly (Pick<MetricHead, "id" | "unit" | "better" | "about"> & { readonly rate: Rate })[] = [
  {
    id: "jaccard",
    unit: "",
    better: "higher",
    rate: jaccard,
    about: "pairs over all emitters, true or found",
  },
  { id: "recall", unit: "", better: "higher", rate: recall, about: "share of true emitters that were found" },
  {
    id: "precision",
    unit: "",
    better: "higher",
    rate: precision,
    about: "share of found emitters that are true",
  },
  {
    id: "rmse-lateral",
    unit: "nm",
    better: "lower",
    rate: rmseLateral,
    about: "root mean squared distance of pairs",
  },
];

/** Jaccard index, recall, precision and lateral RMSE at a tolerance, over all frames of a subject together. */
export function localisationMetrics(toleranceNm: number): readonly Metric[] {
  return heads.map(({ id, unit, better, rate, about }) => ({
    id: toleranceNm === 250 ? id : `${id}-${toleranceNm}nm`,
    convention: "optimal-assignment",
    unit,
    better,
    about: `${about}, by optimal assignment within ${toleranceNm} nm`,
    needs: ["emitters"],
    score: (subject: readonly Case[]) => {
      if (subject.length === 0) return [];
      const frames: LocalisationCounts[] = [];
      for (const { sample, emitters, pixelNm } of subject) {
        if (emitters === undefined) {
          return [scored({ reason: `sample "${sample}": its emitters are unknown` })];
        }
        // What is found is in pixels at first: without their size, nanometres mean nothing.
        if (pixelNm === undefined) {
          return [scored({ reason: `sample "${sample}": nobody says how large a pixel is` })];
        }
        frames.push(countLocalisations(emitters.found, emitters.truth, toleranceNm));
      }
      return [scored(rate(totalOf(frames)))];
    },
  }));
}
