/**
 * CT from few views with additive noise: the measurements of the Wasserstein-loss study (Adler, Ringh, Öktem
 * & Karlsson 2017, arXiv:1710.10898, section 4).
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import type { Settings, Values } from "../core/settings.ts";
import type { Acquisition, Measurable, Measured } from "./acquisition.ts";
import { type FilterName, filterNames } from "./filtered_back_projection.ts";
import { withNorm } from "./norm.ts";
import type { Operator } from "./operator.ts";
import { type Detector, detectors, rayTransform } from "./ray_transform.ts";
import { scaledOperator } from "./scale.ts";

/** What a benchmark may set of {@linkcode sparseViewCt}. */
export const sparseViewCtSettings = {
  views: { default: 30, min: 1, max: 10_000, whole: true, about: "views of a scan, evenly over half a turn" },
  bins: { default: 96, min: 2, max: 10_000, whole: true, about: "detector bins of each view" },
  detector: {
    default: "square" as string,
    choices: detectors as readonly string[],
    about: "what the bins cover: the circle inside the field, or the whole square",
  },
  noise: {
    default: 0.05,
    min: 0,
    max: 10,
    about: "standard deviation of the noise, as a share of the mean absolute measurement",
  },
  filter: {
    default: filterNames[0] as string,
    choices: filterNames as readonly string[],
    about: "filter of the back-projection",
  },
} as const satisfies Settings;

/**
 * Sparse-view CT as an acquisition of images `[height, width, 1]` of any unit: the ray transform scaled to
 * norm 1, and white Gaussian noise whose standard deviation is `noise` times the mean of |A x|, each sample's
 * own. (The paper says "5 % additive Gaussian noise"; that of the mean absolute value is how its authors'
 * code has it.) A sample's `label` is passed on, the measurement is of its `image`. Samples of one size share
 * one operator; noise comes from the sample's own stream.
 *
 * @param taskStream names the randomness of the task; a scan's geometry draws none.
 */
export function sparseViewCt(settings: Values<typeof sparseViewCtSettings>, taskStream: string): Acquisition {
  const { views, bins, noise } = settings;
  const operators = new Map<string, Promise<Operator>>();
  const make = async (height: number, width: number): Promise<Operator> => {
    const detector = settings.detector as Detector;
    const filter = settings.filter as FilterName;
    const A = await withNorm(rayTransform({ size: [height, width], views, bins, detector, filter }));
    return scaledOperator(A, 1 / A.norm!);
  };
  return {
    name: "sparse-view-ct",
    settings: { ...settings, stream: taskStream },
    async measure(sample, rng): Promise<Measured> {
      const { shape, data } = requireImage(sample);
      const key = String(shape);
      const making = operators.get(key) ?? make(shape[0], shape[1]);
      operators.set(key, making);
      const operator = await making;
      const clean = tf.tidy(() => operator.forward(tf.tensor(data, [1, ...shape])));
      const measured = Float32Array.from(await clean.data());
      clean.dispose();
      const level = noise * measured.reduce((sum, value) => sum + Math.abs(value), 0) / measured.length;
      const draws = rng.stream("noise");
      return {
        operator,
        measurement: {
          shape: operator.measurementShape,
          data: measured.map((value) => value + level * draws.normal()),
        },
        image: sample.image!,
        ...(sample.label === undefined ? {} : { label: sample.label }),
      };
    },
  };
}

function requireImage(sample: Measurable) {
  const { image, measurement } = sample;
  if (image !== undefined && image.shape.length === 3 && image.shape[2] === 1 && measurement === undefined) {
    return image;
  }
  throw new TypeError(explain({
    what: measurement === undefined
      ? `sparse-view CT is measured from images [height, width, 1], not [${image?.shape ?? []}]`
      : "a sample that was measured already",
    where: `subject "${sample.subject}", sample "${sample.id}"`,
    fix: "give an image with one channel and no measurement",
  }));
}
