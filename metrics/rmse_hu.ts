/** Root-mean-square error in HU. */

import { squaredDistance } from "../core/image.ts";
import type { Metric } from "./metric.ts";
import { scoreImages } from "./scoring.ts";

/** √(mean squared error) of each image in HU, over all its pixels, nothing clipped. */
export const rmseHu: Metric = {
  id: "rmse-hu",
  convention: "hu",
  unit: "HU",
  better: "lower",
  about: "root-mean-square error of each image over all its pixels, nothing clipped",
  score: (subject) =>
    scoreImages(
      subject,
      ({ reconstruction, truth }) =>
        Math.sqrt(squaredDistance(reconstruction.data, truth.data) / truth.data.length),
    ),
};
