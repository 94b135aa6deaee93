/**
 * Parallel imaging: several receiver coils, each of which sees the image through a sensitivity of its own.
 *
 * Coil images are `[height, width, 2·coils]`, real and imaginary parts of one coil side by side. The model is
 * SENSE (Pruessmann et al. 1999, doi:10.1002/(SICI)1522-2594(199911)42:5<952::AID-MRM16>3.0.CO;2-S) in image
 * space: y_c = F⁻¹ P F (S_c x).
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import type { Image } from "../core/image.ts";
import { conv2d } from "../engine/ops.ts";
import { kept } from "./constants.ts";
import { aliasing } from "./fourier.ts";
import { calibrationLines, type Lines, requireLines } from "./masks.ts";
import type { Operator } from "./operator.ts";
import { requireBatch } from "./shapes.ts";

let made = 0;

/**
 * The operator x ↦ F⁻¹PF S_c x for all coils c: `[height, width, 2]` to `[height, width, 2·coils]`. With
 * Σ_c |S_c|² ≤ 1 its norm is at most 1; unlike the single-coil operator it is no projection.
 *
 * @param sensitivities `[height, width, 2·coils]`, as {@linkcode estimateSensitivities} gives them.
 * @param lines k-space lines along the width that are measured, the same for all coils.
 */
export function multiCoilFourier(sensitivities: Image, lines: Lines): Operator {
  const [height, width, channels] = sensitivities.shape;
  const coils = channels / 2;
  requireLines(width, lines);
  const aliased = aliasing(width, lines);
  const name = `sensitivities ${made++}`;

  // Coils come before the pixels here, so that every row of every coil is one row of the product. With real
  // and imaginary part side by side, s·v = s_re·v + s_im·(i·v), plane by plane.
  const real = (): tf.Tensor => kept(`${name}, real`, () => planes(0));
  const imaginary = (): tf.Tensor => kept(`${name}, imaginary`, () => planes(1));
  const planes = (part: 0 | 1): tf.Tensor => {
    const data = new Float32Array(sensitivities.data.length);
    for (let pixel = 0; pixel < height * width; pixel++) {
      for (let coil = 0; coil < coils; coil++) {
        const to = 2 * (coil * height * width + pixel);
        data.fill(sensitivities.data[pixel * channels + 2 * coil + part], to, to + 2);
      }
    }
    return tf.tensor(data, [1, coils, height, width, 2]);
  };

  return {
    name: "multi-coil-fourier",
    settings: { height, width, coils, lines },
    imageShape: [height, width, 2],
    measurementShape: [height, width, channels],
    forward: (image) =>
      tf.tidy(() => {
        requireBatch("multi-coil-fourier", image, [height, width, 2]);
        const x = tf.reshape(image, [-1, 1, height, width, 2]);
        const weighted = tf.add(tf.mul(x, real()), tf.mul(timesI(x), imaginary()));
        return tf.reshape(tf.transpose(aliased(weighted), [0, 2, 3, 1, 4]), [-1, height, width, channels]);
      }),
    adjoint: (measurement) =>
      tf.tidy(() => {
        requireBatch("multi-coil-fourier", measurement, [height, width, channels]);
        const split = tf.reshape(measurement, [-1, height, width, coils, 2]);
        const y = aliased(tf.transpose(split, [0, 3, 1, 2, 4]));
        return tf.sum(tf.sub(tf.mul(y, real()), tf.mul(timesI(y), imaginary())), 1);
      }),
  };
}

/**
 * i·v for complex values `[…, height, width, 2]`, as a convolution, since reversing an axis is slow on wasm.
 */
function timesI(v: tf.Tensor): tf.Tensor {
  const [height, width] = v.shape.slice(-3);
  const turn = kept("times i", () => tf.tensor4d([0, 1, -1, 0], [1, 1, 2, 2]));
  return tf.reshape(conv2d(tf.reshape(v, [-1, height, width, 2]), turn), v.shape);
}

// Below this share of the brightest pixel there is no signal that a sensitivity could be read off.
const noSignal = 0.02;

/**
 * Coil sensitivities from the measurement itself: the low-resolution coil images that the auto-calibration
 * lines give, divided by their root sum of squares, so that Σ_c |S_c|² = 1 where there is signal, falling to
 * 0 where there is none (less than 2 % of the brightest pixel).
 *
 * Along the width they have the frequencies of the fully measured central run of lines, weighted by half a
 * cosine against ringing; along the height, where everything is measured, all of them: smoothing there too
 * made the model's error on real 8-coil data larger, by a tenth at 230 x 180 and by a quarter at 64². The
 * object's own low-resolution phase goes into the sensitivities, so that the combined image Σ_c conj(S_c) y_c
 * is nearly real.
 *
 * @param measurement zero-filled or fully measured coil images `[height, width, 2·coils]`.
 * @throws {RangeError} where the mask lacks the lowest frequency.
 */
export function estimateSensitivities(measurement: Image, lines: Lines): Image {
  const [height, width, channels] = measurement.shape;
  const run = calibrationLines(width, lines);
  if (run.length === 0) {
    throw new RangeError(explain({
      what: "coil sensitivities cannot be estimated: the mask has no central lines",
      where: "mask",
      fix: "raise acs, e.g. to 0.08",
    }));
  }
  const centre = Math.floor(width / 2);
  const across = Math.min(centre - run[0], run[run.length - 1] - centre);
  const data = Float64Array.from(measurement.data);
  for (let row = 0; row < height; row++) {
    for (let c = 0; c < channels; c += 2) {
      keepLowFrequencies(data, row * width * channels + c, channels, width, across);
    }
  }
  return { shape: measurement.shape, data: normalised(data, channels) };
}

/** Σ_c conj(S_c) v_c: coil images `[height, width, 2·coils]` to one image `[height, width, 2]`. */
export function combineCoils(sensitivities: Image, coilImages: Image): Image {
  const [height, width, channels] = coilImages.shape;
  const data = new Float32Array(height * width * 2);
  const [s, v] = [sensitivities.data, coilImages.data];
  for (let pixel = 0; pixel < height * width; pixel++) {
    let [re, im] = [0, 0];
    for (let at = pixel * channels; at < (pixel + 1) * channels; at += 2) {
      re += s[at] * v[at] + s[at + 1] * v[at + 1];
      im += s[at] * v[at + 1] - s[at + 1] * v[at];
    }
    data[2 * pixel] = re;
    data[2 * pixel + 1] = im;
  }
  return { shape: [height, width, 2], data };
}

/**
 * Replaces `count` complex values, `stride` apart from `start` on, by their part of frequencies |κ| ≤
 * `radius`, weighted by a cosine that would reach 0 at radius + 1.
 */
function keepLowFrequencies(
  data: Float64Array,
  start: number,
  stride: number,
  count: number,
  radius: number,
): void {
  const table = waves(count);
  const re = new Float64Array(count);
  const im = new Float64Array(count);
  for (let frequency = -radius; frequency <= radius; frequency++) {
    let [sumRe, sumIm] = [0, 0];
    const wave = (n: number): number => ((frequency * n) % count + count) % count;
    for (let n = 0, at = start; n < count; n++, at += stride) {
      const w = wave(n);
      sumRe += data[at] * table.cos[w] + data[at + 1] * table.sin[w];
      sumIm += data[at + 1] * table.cos[w] - data[at] * table.sin[w];
    }
    const weight = Math.cos(Math.PI / 2 * frequency / (radius + 1)) / count;
    for (let n = 0; n < count; n++) {
      const w = wave(n);
      re[n] += weight * (sumRe * table.cos[w] - sumIm * table.sin[w]);
      im[n] += weight * (sumRe * table.sin[w] + sumIm * table.cos[w]);
    }
  }
  for (let n = 0, at = start; n < count; n++, at += stride) {
    data[at] = re[n];
    data[at + 1] = im[n];
  }
}

const tables = new Map<number, { readonly cos: Float64Array; readonly sin: Float64Array }>();

function waves(count: number): { readonly cos: Float64Array; readonly sin: Float64Array } {
  let table = tables.get(count);
  if (table === undefined) {
    const angles = Float64Array.from({ length: count }, (_, n) => 2 * Math.PI * n / count);
    table = { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
    tables.set(count, table);
  }
  return table;
}

function normalised(coils: Float64Array, channels: number): Float32Array {
  const rss = new Float64Array(coils.length / channels);
  for (let pixel = 0; pixel < rss.length; pixel++) {
    for (let c = 0; c < channels; c++) rss[pixel] += coils[pixel * channels + c] ** 2;
    rss[pixel] = Math.sqrt(rss[pixel]);
  }
  const floor = noSignal * rss.reduce((most, value) => Math.max(most, value), 0);
  const data = new Float32Array(coils.length);
  for (let i = 0; i < data.length; i++) {
    data[i] = coils[i] / (Math.max(rss[Math.floor(i / channels)], floor) || 1);
  }
  return data;
}
