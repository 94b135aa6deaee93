/** Pearson's correlation of images: of a reconstruction with the density of emitters, and of kernels. */

import { explain } from "../core/errors.ts";
import { type Image, sameShape } from "../core/image.ts";
import type { Metric } from "./metric.ts";
import { type Outcome, scoreImages } from "./scoring.ts";

/** How well a reconstruction's pixels follow the density of the true emitters, which is the truth here. */
export const densityCorrelation: Metric = {
  id: "density-correlation",
  convention: "pearson",
  unit: "",
  better: "higher",
  about:
    "Pearson’s correlation between a reconstruction and the density of the true emitters, over all pixels",
  of: "whole",
  score: (subject) => scoreImages(subject, ({ reconstruction, truth }) => pearson(reconstruction, truth)),
};

/** Σ (a − ā)(b − b̄) / √(Σ (a − ā)² Σ (b − b̄)²), in float64. */
export function pearson(a: Image, b: Image): Outcome {
  const mean = ({ data }: Image) => data.reduce((sum, value) => sum + value, 0) / data.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.data.length; i++) {
    const [da, db] = [a.data[i] - meanA, b.data[i] - meanB];
    ab += da * db, aa += da * da, bb += db * db;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : { reason: "an image is constant" };
}

/**
 * How alike two kernels are in form: Pearson's correlation of the two, the smaller one with zeros around it, both centred on
 * the same pixel.
 *
 * @throws {TypeError} where their axes do not match or differ in whether they have a middle pixel.
 */
export function kernelCorrelation(kernel: Image, truth: Image): Outcome {
  const shape = kernel.shape.map((extent, axis) => Math.max(extent, truth.shape[axis] ?? 0));
  const haveOneMiddle = kernel.shape.length === truth.shape.length &&
    kernel.shape.every((extent, axis) => (extent - truth.shape[axis]) % 2 === 0);
  if (!haveOneMiddle) {
    throw new TypeError(explain({
      what: `a kernel [${kernel.shape}] and a true one [${truth.shape}] have no middle in common`,
      where: "kernelCorrelation()",
      fix: "give both an odd size along every axis",
    }));
  }
  return pearson(padded(kernel, shape), padded(truth, shape));
}

/**
 * √(Σ h r² / Σ h), in pixels, r the distance from the kernel's centre of mass: how broad it is. For a kernel `[height, width,
 * 1]` in the plane, for a volume in space, each axis by its own `pixelSize`.
 */
export function rmsRadius({ shape, data }: Image, pixelSize: readonly number[] = []): Outcome {
  const extents = shape.slice(0, -1);
  let total = 0;
  const [first, second] = [extents.map(() => 0), extents.map(() => 0)];
  const place = extents.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    total += data[i];
    for (let axis = 0; axis < extents.length; axis++) {
      const at = place[axis] * (pixelSize[axis] ?? 1);
      first[axis] += data[i] * at;
      second[axis] += data[i] * at * at;
    }
    for (let axis = extents.length - 1; axis >= 0 && ++place[axis] === extents[axis]; axis--) place[axis] = 0;
  }
  if (!(total > 0)) return { reason: "the kernel has no positive sum" };
  const square = extents.reduce((sum, _, axis) => sum + second[axis] / total - (first[axis] / total) ** 2, 0);
  return square >= 0
    ? Math.sqrt(square)
    : { reason: "the kernel is negative where it is far from its middle" };
}

function padded(image: Image, shape: readonly number[]): Image {
  if (sameShape(image.shape, shape)) return image;
  const offset = shape.map((extent, axis) => (extent - image.shape[axis]) / 2);
  const output = new Float32Array(shape.reduce((product, extent) => product * extent, 1));
  for (let i = 0; i < image.data.length; i++) {
    let [at, step, rest] = [0, 1, i];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += step * (rest % image.shape[axis] + offset[axis]);
      step *= shape[axis];
      rest = Math.floor(rest / image.shape[axis]);
    }
    output[at] = image.data[i];
  }
  return { shape, data: output };
}
