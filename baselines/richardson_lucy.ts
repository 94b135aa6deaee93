/** Richardson and Lucy's deconvolution, plain and with total variation. */

import * as tf from "@tensorflow/tfjs-core";
import type { Settings } from "../core/settings.ts";
import type { Meeting, Method } from "../methods/method.ts";
import { untrained } from "./untrained.ts";

/** What may be set of {@linkcode richardsonLucy}. */
export const richardsonLucySettings = {
  iterations: {
    default: 20,
    min: 1,
    max: 100_000,
    whole: true,
    about: "iterations; few, since noise grows with them: chosen on validation subjects",
  },
  borders: {
    default: "light",
    choices: ["light", "dark"],
    about:
      "whether light comes from outside of the field of view, or all is dark there, as common programs have it",
  },
} as const satisfies Settings;

/** What may be set of {@linkcode richardsonLucyTv}. */
export const richardsonLucyTvSettings = {
  iterations: { default: 50, min: 1, max: 100_000, whole: true, about: "iterations" },
  weight: {
    default: 0.002,
    min: 0,
    max: 1,
    about: "weight λ of the total variation; chosen on validation subjects",
  },
} as const satisfies Settings;

/**
 * The image of greatest likelihood under Poisson noise, stopped early (Richardson 1972, doi:10.1364/JOSA.62.000055; Lucy
 * 1974, doi:10.1086/111605):
 *
 *     x ← x / Aᵀ1 · Aᵀ (y + β) / (A x + β),   β = (background + readNoise²) / photons of a calibrated camera, else 0,
 *
 * from a constant image on. A read-out with noise of variance r² counts like r² photons more (Snyder, Helstrom, Lanterman,
 * White & Faisal 1995, doi:10.1364/JOSAA.12.000272). The image is larger than the measurement; where Aᵀ1 is small nearly
 * nothing is known of it, and it is 0 (Bertero & Boccacci 2005, doi:10.1051/0004-6361:20052717). With `borders` "dark" it is
 * what common programs compute: an image of the measurement's size, 0 outside of it, Aᵀ1 taken for 1, and no β.
 */
export const richardsonLucy: Method<typeof richardsonLucySettings> = {
  name: "richardson-lucy",
  about:
    "Richardson and Lucy's deconvolution with the known kernel, iterations chosen on validation subjects",
  source: "Richardson 1972; Lucy 1974; borders as in Bertero & Boccacci 2005",
  knows: { pairs: false, operator: "exactly" },
  settings: richardsonLucySettings,
  trains: false,
  effort: 0.1,
  tune: { setting: "iterations", values: [10, 20, 40, 80] },
  prepare: (_problem, { iterations, borders }) =>
    untrained((y, meeting) => deconvolved(y, meeting, iterations, 0, borders === "dark")),
};

/**
 * The same with total variation as a penalty, which keeps noise from growing (Dey et al. 2006, doi:10.1002/jemt.20294,
 * equation 14):
 *
 *     x ← x / (Aᵀ1 (1 − λ div(∇x / |∇x|))) · Aᵀ (y + β) / (A x + β),
 *
 * Aᵀ1 being 1 there; a pixel that is seen in part is penalised as much less, else the rim of the image would run away.
 */
export const richardsonLucyTv: Method<typeof richardsonLucyTvSettings> = {
  name: "richardson-lucy-tv",
  about: "Richardson and Lucy's deconvolution with total variation, weight chosen on validation subjects",
  source: "Dey et al. 2006, equation 14",
  knows: { pairs: false, operator: "exactly" },
  settings: richardsonLucyTvSettings,
  trains: false,
  effort: 0.5,
  tune: { setting: "weight", values: [0.0005, 0.002, 0.008] },
  prepare: (_problem, { iterations, weight }) =>
    untrained((y, meeting) => deconvolved(y, meeting, iterations, weight)),
};

/** Pixels that give less than this share of what others give to the measurement are not reconstructed. */
const leastShare = 0.01;
/** No light at all would divide by zero. */
const leastLight = 1e-6;
/** Below this a difference is as good as none, in brightness. */
const flat = 1e-3;

function deconvolved(
  y: tf.Tensor4D,
  { A, noise }: Meeting,
  iterations: number,
  weight: number,
  isDark = false,
): tf.Tensor4D {
  if (A === undefined) throw new TypeError("Richardson and Lucy's deconvolution needs the operator");
  return tf.tidy(() => {
    const light = isDark ? 0 : lightWithoutSignal(noise);
    const known = isDark ? embedded(tf.onesLike(y), A.imageShape) : A.adjoint(tf.onesLike(y));
    const least = tf.mul(tf.max(known), leastShare);
    const isKnown = tf.cast(tf.greater(known, least), "float32");
    const sensitivity = isDark ? tf.onesLike(known) : tf.maximum(known, least);
    const measured = tf.clipByValue(tf.add(y, light), 0, Infinity);
    const axes = y.shape.map((_, axis) => axis).slice(1);
    const start = tf.clipByValue(tf.mean(y, axes, true), leastLight, Infinity);
    let x: tf.Tensor = tf.mul(isKnown, start);
    for (let iteration = 0; iteration < iterations; iteration++) {
      const next = tf.tidy(() => {
        const expected = tf.clipByValue(tf.add(A.forward(x), light), leastLight, Infinity);
        const correction = A.adjoint(tf.div(measured, expected));
        const likelier = tf.div(tf.mul(x, correction), sensitivity);
        if (weight === 0) return likelier;
        return tf.div(
          likelier,
          tf.clipByValue(tf.sub(1, tf.mul(curvature(x), weight)), leastShare, Infinity),
        );
      });
      x.dispose();
      x = next;
    }
    return x as tf.Tensor4D;
  });
}

/** A measurement among zeros, in its place in the middle of an image. */
function embedded(y: tf.Tensor, imageShape: readonly number[]): tf.Tensor {
  const around = imageShape.map((extent, axis): [number, number] => {
    const missing = extent - y.shape[axis + 1];
    return [Math.floor(missing / 2), Math.ceil(missing / 2)];
  });
  return tf.pad(y, [[0, 0], ...around]);
}

/** β: the light that a calibrated camera has without any from the image, in its units. */
function lightWithoutSignal(noise: Meeting["noise"]): number {
  const { photons, background, readNoise } = (noise?.settings ?? {}) as Record<string, unknown>;
  if (typeof photons !== "number" || typeof background !== "number" || typeof readNoise !== "number") {
    return 0;
  }
  return (background + readNoise ** 2) / photons;
}

/** div(∇x / |∇x|) of images and volumes `[batch, …, 1]`, by forward differences; across the border they are 0. */
function curvature(x: tf.Tensor): tf.Tensor {
  const axes = x.shape.map((_, axis) => axis).slice(1, -1);
  const differences = axes.map((axis) => {
    const [begin, size] = [x.shape.map(() => 0), [...x.shape]];
    size[axis] -= 1;
    const before = tf.slice(x, begin, size);
    begin[axis] = 1;
    return padded(tf.sub(tf.slice(x, begin, size), before), axis, 0, 1);
  });
  const length = tf.sqrt(tf.add(tf.addN(differences.map((d) => tf.square(d))), flat ** 2));
  return tf.addN(differences.map((difference, i) => {
    const axis = axes[i];
    const unit = tf.div(difference, length);
    const size = [...unit.shape];
    size[axis] -= 1;
    return tf.sub(unit, padded(tf.slice(unit, unit.shape.map(() => 0), size), axis, 1, 0));
  }));
}

function padded(x: tf.Tensor, axis: number, before: number, after: number): tf.Tensor {
  return tf.pad(x, x.shape.map((_, at): [number, number] => at === axis ? [before, after] : [0, 0]));
}
