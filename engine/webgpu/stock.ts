/** Stock kernels of TensorFlow.js on WebGPU, made to do what they do elsewhere. */

import * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../../core/image.ts";

// deno-lint-ignore no-explicit-any -- attributes are whatever TensorFlow.js gave, by name
type Attributes = any;
type Inputs = { readonly [name: string]: tf.TensorInfo };
type Stock = (inputs: Inputs | readonly tf.TensorInfo[], attrs: Attributes) => tf.TensorInfo;
type Mended = (
  stock: Stock,
  inputs: Inputs,
  attrs: Attributes,
  dispose: (tensor: tf.TensorInfo) => void,
) => tf.TensorInfo;

/** Puts what is below in the place of the stock kernels of `backendName`, once. */
export function mendStockKernels(backendName: string): void {
  for (const [kernelName, mended] of Object.entries(kernels)) {
    const config = tf.getKernel(kernelName, backendName);
    if (config === undefined || done.has(config.kernelFunc)) continue;
    const kernelFunc: tf.KernelFunc = ({ inputs, attrs, backend }) => {
      const stock: Stock = (inputs, attrs) =>
        config.kernelFunc({
          inputs: inputs as unknown as tf.NamedTensorInfoMap,
          attrs,
          backend,
        }) as tf.TensorInfo;
      const dispose = ({ dataId }: tf.TensorInfo) =>
        void (backend as { disposeData(id: tf.DataId): boolean }).disposeData(dataId);
      return mended(stock, inputs as Inputs, attrs, dispose);
    };
    done.add(kernelFunc);
    tf.unregisterKernel(kernelName, backendName);
    tf.registerKernel({ ...config, kernelFunc });
  }
}

const done = new WeakSet<tf.KernelFunc>();

/** Buffers that any WebGPU lets a shader read, the result not counted (`maxStorageBuffersPerShaderStage`, 8 by default). */
const mostSummed = 7;

/** Axes that the stock shaders know how to go along. */
const mostAxes = 4;

/** Axes that are padded at once: with one before them whose samples stand still, as many as there may be. */
const paddedAtOnce = mostAxes - 1;

/** Values that one workgroup reduces, at the most; the stock shader has one for each number of its result. */
const mostReduced = 2 ** 24;

const kernels: { readonly [kernelName: string]: Mended } = {
  /** The stock sum binds all tensors at once; a norm over all weights has more than a device can bind. */
  AddN(stock, inputs, attrs, dispose) {
    const [first, ...others] = inputs as unknown as tf.TensorInfo[];
    let total = stock([first, ...others.splice(0, mostSummed - 1)], attrs);
    while (others.length > 0) {
      const part = total;
      total = stock([part, ...others.splice(0, mostSummed - 1)], attrs);
      dispose(part);
    }
    return total;
  },

  /** The stock shader of more axes than four does not compile. */
  PadV2(stock, { x }, { paddings, constantValue }, dispose) {
    const padded = (of: tf.TensorInfo, pads: Paddings): tf.TensorInfo => {
      const folded = foldedPadding(of.shape, pads);
      const flat = stock({ x: shapedAs(of, folded.shape) }, { paddings: folded.paddings, constantValue });
      return shapedAs(flat, of.shape.map((extent, axis) => extent + pads[axis][0] + pads[axis][1]));
    };
    if (foldedPadding(x.shape, paddings).shape.length <= mostAxes) return padded(x, paddings);
    const axes = (paddings as Paddings).flatMap(([before, after], axis) => before + after > 0 ? [axis] : []);
    let result = x;
    while (axes.length > 0) {
      const now = axes.splice(-paddedAtOnce);
      const part = result;
      result = padded(part, (paddings as Paddings).map((pad, axis) => now.includes(axis) ? pad : [0, 0]));
      if (part !== x) dispose(part);
    }
    return result;
  },

  /** The stock shader of more axes than four is refused; all three inputs have one shape. */
  Select(stock, { condition, t, e }, attrs) {
    if (t.shape.length <= mostAxes || condition.shape.length !== t.shape.length) {
      return stock({ condition, t, e }, attrs);
    }
    const flat = (tensor: tf.TensorInfo) => shapedAs(tensor, [sizeOf(tensor.shape)]);
    return shapedAs(stock({ condition: flat(condition), t: flat(t), e: flat(e) }, attrs), t.shape);
  },

  // See sliceOf in program.ts: of 2²⁵ values, all that software Vulkan binds, each thread of the stock shader has too many.
  Sum: reducedInParts,
  Mean: reducedInParts,
  Max: reducedInParts,
  Min: reducedInParts,
};

/** A whole tensor of very many values is reduced to one in two steps, over parts of one length. */
function reducedInParts(
  ...[stock, { x }, attrs, dispose]: Parameters<Mended>
): tf.TensorInfo {
  const size = sizeOf(x.shape);
  if (size <= mostReduced) return stock({ x }, attrs);
  const axes = tf.util.parseAxisParam(attrs.axis ?? attrs.reductionIndices, [...x.shape]);
  const reduced = sizeOf(axes.map((axis) => x.shape[axis]));
  const parts = [4096, 1024, 256, 64, 16, 4, 3, 2].find((parts) => size % parts === 0);
  if (reduced < size || parts === undefined) return stock({ x }, attrs);
  const along = (axis: number) => ({ axis: [axis], reductionIndices: [axis], keepDims: false });
  const ofParts = stock({ x: shapedAs(x, [parts, size / parts]) }, along(1));
  const result = stock({ x: ofParts }, along(0));
  dispose(ofParts);
  const kept = x.shape.filter((_, axis) => attrs.keepDims || !axes.includes(axis));
  return shapedAs(result, kept.map(() => 1));
}

type Paddings = readonly (readonly [before: number, after: number])[];

/** The same padding with every axis that has none folded into the one before it. */
function foldedPadding(
  shape: readonly number[],
  paddings: Paddings,
): { shape: number[]; paddings: [number, number][] } {
  const folded: { shape: number[]; paddings: [number, number][] } = { shape: [], paddings: [] };
  for (const [axis, extent] of shape.entries()) {
    const [before, after] = paddings[axis];
    const last = folded.shape.length - 1;
    if (before + after > 0 || last < 0) {
      folded.shape.push(extent);
      folded.paddings.push([before, after]);
    } else {
      folded.shape[last] *= extent;
      folded.paddings[last] = [folded.paddings[last][0] * extent, folded.paddings[last][1] * extent];
    }
  }
  return folded;
}

/** The same values in another shape. */
function shapedAs({ dataId, dtype }: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo {
  return { dataId, dtype, shape: [...shape] };
}
