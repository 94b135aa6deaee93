/** Normalised mean squared error, ‖x̂ − x‖² / ‖x‖². */

import { squaredDistance, squaredNorm } from "../core/image.ts";
import type { Metric } from "./metric.ts";
import { type Convention, requireConvention } from "./conventions.ts";
import { type Outcome, type Pair, scoreImages, scoreVolume } from "./scoring.ts";

const about: Readonly<Record<Convention, string>> = {
  fastmri: "‖x̂ − x‖² / ‖x‖² of each volume (fastMRI, Zbontar et al. 2018)",
  paper: "‖x̂ − x‖² / ‖x‖² of each image",
  wang2004: "‖x̂ − x‖² / ‖x‖² of each image",
};

/** NMSE: of a volume under `fastmri`, of an image under the conventions that score images. */
export function nmse(convention: Convention): Metric {
  return {
    id: "nmse",
    convention,
    unit: "",
    better: "lower",
    about: about[requireConvention("nmse", convention, about)],
    score: (subject) =>
      convention === "fastmri" ? scoreVolume(subject, ratio) : scoreImages(subject, (pair) => ratio([pair])),
  };
}

function ratio(pairs: readonly Pair[]): Outcome {
  let [error, signal] = [0, 0];
  for (const { reconstruction, truth } of pairs) {
    error += squaredDistance(reconstruction.data, truth.data);
    signal += squaredNorm(truth.data);
  }
  return signal > 0 ? error / signal : { reason: "the truth is zero everywhere" };
}
