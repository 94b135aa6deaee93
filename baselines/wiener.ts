/** Wiener's deconvolution: the linear one. */

import * as tf from "@tensorflow/tfjs-core";
import type { Settings } from "../core/settings.ts";
import type { Meeting, Method } from "../methods/method.ts";
import type { Operator } from "../physics/operator.ts";
import { untrained } from "./untrained.ts";

/** What may be set of {@linkcode wiener}. */
export const wienerSettings = {
  weight: {
    default: 0.01,
    min: 1e-9,
    max: 1e9,
    about: "weight λ of the image's second differences; chosen on validation subjects",
  },
  iterations: { default: 60, min: 1, max: 10_000, whole: true, about: "steps of conjugate gradients" },
} as const satisfies Settings;

/**
 * min over x of ‖A x − y‖² + λ ‖Δx‖², Δ being the discrete Laplacian: Wiener's filter for white noise and images whose
 * spectrum falls like |k|⁻⁴ (Hunt 1973, doi:10.1109/TC.1973.5009169, whose filter scikit-image offers as `wiener`).
 *
 * In the Fourier domain the filter is exact for blurs that wrap around the borders only. Real ones do not, so the normal
 * equations are solved by conjugate gradients (Hestenes & Stiefel 1952), which take the operator as it is, in the plane
 * and in volumes, from what a network sees on.
 */
export const wiener: Method<typeof wienerSettings> = {
  name: "wiener",
  about: "Wiener's linear deconvolution with the known kernel, regularisation chosen on validation subjects",
  source: "Hunt 1973, solved by conjugate gradients",
  knows: { pairs: false, operator: "exactly" },
  settings: wienerSettings,
  trains: false,
  effort: 0.2,
  tune: { setting: "weight", values: [0.001, 0.003, 0.01, 0.03, 0.1] },
  prepare: (_problem, { weight, iterations }) =>
    untrained((y, meeting) => filtered(y, meeting, weight, iterations)),
};

function filtered(y: tf.Tensor4D, { A, see }: Meeting, weight: number, iterations: number): tf.Tensor4D {
  if (A === undefined) throw new TypeError("Wiener's deconvolution needs the operator");
  const normal = (x: tf.Tensor) =>
    tf.tidy(() => tf.add(A.adjoint(A.forward(x)), tf.mul(laplacian(laplacian(x)), weight)));
  return tf.tidy(() => solved(normal, A.adjoint(y), see(y), iterations) as tf.Tensor4D);
}

/** Conjugate gradients for N x = b from x on, each sample of the batch for itself. */
function solved(
  normal: Operator["forward"],
  b: tf.Tensor,
  start: tf.Tensor,
  iterations: number,
): tf.Tensor {
  const axes = b.shape.map((_, axis) => axis).slice(1);
  const dot = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(a, b), axes, true);
  // What was found already has no residual left to divide by.
  const ratio = (a: tf.Tensor, b: tf.Tensor) => tf.div(a, tf.maximum(b, 1e-30));
  let x = tf.clone(start);
  let r = tf.sub(b, normal(x));
  let p = tf.clone(r);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const next = tf.tidy(() => {
      const along = normal(p);
      const size = dot(r, r);
      const step = ratio(size, dot(p, along));
      const residual = tf.sub(r, tf.mul(along, step));
      const turn = ratio(dot(residual, residual), size);
      return [tf.add(x, tf.mul(p, step)), residual, tf.add(residual, tf.mul(p, turn))];
    });
    tf.dispose([x, r, p]);
    [x, r, p] = next;
  }
  return x;
}

/** Of images and volumes `[batch, …, 1]`: the sum over the axes of the second differences, 0 beyond the border's own; symmetric. */
function laplacian(x: tf.Tensor): tf.Tensor {
  const axes = x.shape.map((_, axis) => axis).slice(1, -1);
  return tf.addN(axes.map((axis) => {
    const [begin, size] = [x.shape.map(() => 0), [...x.shape]];
    size[axis] -= 1;
    const first = tf.slice(x, begin, size);
    begin[axis] = 1;
    const differences = tf.sub(tf.slice(x, begin, size), first);
    const pad = (before: number, after: number) =>
      tf.pad(differences, x.shape.map((_, at): [number, number] => at === axis ? [before, after] : [0, 0]));
    return tf.sub(pad(0, 1), pad(1, 0));
  }));
}
