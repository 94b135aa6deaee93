/**
 * What methods that find emitters know of a microscope, read from the operator and the noise that they are told, and the way
 * from a measurement to counts and from spots back to an image.
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import { emitterImage, emitterSum, inField, type Points, shifted } from "../core/points.ts";
import type { Tensor4D } from "../engine/tensor.ts";
import type { Learner, Meeting } from "../methods/method.ts";
import type { Noise } from "../physics/noise.ts";
import type { Frame, Spots } from "./spot.ts";

/** A microscope. */
export interface Optics {
  /** Size of a camera pixel. */
  readonly pixelNm: number;
  /** σ of an emitter's spot, in camera pixels. */
  readonly sigma: number;
  /** Pixels of the image along a camera pixel. */
  readonly factor: number;
  /** Camera pixels that the image reaches beyond the frame. */
  readonly reach: number;
  /** Brightness of a count. */
  readonly unit: number;
  /** Counts where nothing shines. */
  readonly dark: number;
}

/**
 * Reads the microscope from what a method is told.
 *
 * A count is the unit in which the variance of the noise grows as fast as its mean, and `dark` is so many that it is the
 * mean: counts then have the mean and variance of Poisson's law, with read-out noise (F. Huang et al., Nature Methods 10,
 * 2013) and where electrons are multiplied, too.
 *
 * @throws {TypeError} where the operator is not that of localisation microscopy, or the noise is unknown.
 */
export async function opticsOf({ A, noise }: Meeting, method: string): Promise<Optics> {
  const refuse = (what: string): never => {
    throw new TypeError(explain({
      what,
      where: method,
      fix: `leave ${method} out with --methods, or use it for localisation microscopy`,
    }));
  };
  const settings = A?.settings ?? refuse("nobody tells how frames come from images");
  const read = (name: string): number => {
    const value = settings[name];
    return typeof value === "number" && value >= 0 ? value : refuse(`the operator does not say its ${name}`);
  };
  const pixelNm = read("pixelNm");
  const { floor, slope } = await varianceOf(noise ?? refuse("nobody tells how noisy the camera is"));
  return {
    pixelNm,
    sigma: read("psfSigmaNm") / pixelNm,
    factor: read("factor"),
    reach: read("reach"),
    unit: slope,
    dark: floor / slope ** 2,
  };
}

/** The variance of noise as floor + slope · brightness, from what it adds at brightness 0 and 1. */
async function varianceOf(noise: Noise): Promise<{ floor: number; slope: number }> {
  const variance = tf.tidy(() => {
    const expected = tf.tensor4d([0, 1], [1, 1, 2, 1]);
    const [above, below] = [1, -1].map((n) => noise.add(expected, tf.fill([1, 1, 2, 1], n)));
    return tf.square(tf.div(tf.sub(above, below), 2));
  });
  const [floor, one] = await variance.data();
  variance.dispose();
  return { floor, slope: one - floor };
}

/** The frames of a batch of measurements, in counts. */
export async function framesOf(y: Tensor4D, { unit, dark }: Optics): Promise<Frame[]> {
  const [batch, height, width] = y.shape;
  const values = await y.data();
  return Array.from({ length: batch }, (_, i) => ({
    height,
    width,
    data: Float64Array.from(
      values.subarray(i * height * width, (i + 1) * height * width),
      (value) => value / unit + dark,
    ),
  }));
}

/** Spots as emitters, in nm from the frame's corner and in units of the typical brightness. */
export function emittersOf({ x, y, light }: Spots, { pixelNm, unit }: Optics): Points {
  return {
    xNm: x.map((value) => value * pixelNm),
    yNm: y.map((value) => value * pixelNm),
    brightness: light.map((value) => value * unit / emitterSum),
  };
}

/** A learner that learns nothing, and makes its image of the spots that `find` finds in a frame. */
export function localiser(
  method: string,
  find: (frame: Frame, optics: Optics) => Spots,
): Learner {
  const last = new WeakMap<Tensor4D, { readonly optics: Optics; readonly emitters: readonly Points[] }>();
  return {
    parameters: 0,
    macs: () => undefined,
    async locate(y, meeting) {
      const optics = await opticsOf(meeting, method);
      const frames = await framesOf(y, optics);
      const emitters = frames.map((frame) => emittersOf(find(frame, optics), optics));
      last.set(y, { optics, emitters });
      const [, height, width] = y.shape;
      const { pixelNm } = optics;
      return emitters.map((points) => inField(points, height * pixelNm, width * pixelNm));
    },
    reconstruct(y, meeting) {
      const found = last.get(y);
      if (found === undefined) throw new Error(`${method} draws what it has found: await locate() before`);
      const { optics: { pixelNm, factor, reach }, emitters } = found;
      const [height, width] = meeting.A!.imageShape;
      const grid = { height, width, pixelNm: pixelNm / factor };
      const images = emitters.map((points) => emitterImage(shifted(points, reach * pixelNm), grid).data);
      return tf.tidy(() => tf.stack(images.map((data) => tf.tensor3d(data, [height, width, 1]))) as Tensor4D);
    },
    weights: () => Promise.resolve([]),
    [Symbol.dispose]: () => {},
  };
}
