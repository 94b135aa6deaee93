/**
 * Our kernels on the backend `wasm`: each reads its tensors' pointers and makes one call into our module.
 *
 * What stands here decides nothing by data, only by shapes: a training step is always the same list of calls.
 */

import type * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { sizeOf } from "../core/image.ts";
import { kernel } from "./kernel_names.ts";
import { aside, underway } from "./trace.ts";
import { registerOnWasm, stored, type WasmModule } from "./wasm_module.ts";

type Inputs = { readonly [name: string]: tf.TensorInfo };
type Attributes = { readonly [name: string]: number };
type Kernel = (inputs: Inputs, attributes: Attributes) => tf.TensorInfo | tf.TensorInfo[];

/** Registers our kernels on `wasm`, in place of any that are there. */
export function registerWasmKernels(backend: BackendWasm, module: WasmModule): void {
  for (const [kernelName, run] of Object.entries(kernels(backend, module))) {
    registerOnWasm(kernelName, ({ inputs, attrs }) => run(inputs as Inputs, attrs as Attributes));
  }
}

function kernels(backend: BackendWasm, { calls, scratch }: WasmModule): { readonly [name: string]: Kernel } {
  /** Where a tensor's values are; read at each call, because memory moves. */
  const at = (tensor: tf.TensorInfo): number => stored(backend, tensor).memoryOffset;
  /** A new tensor; its memory holds whatever was there before. */
  const make = (shape: readonly number[]): tf.TensorInfo => backend.makeOutput([...shape], "float32");

  /**
   * Where a variable's new values go: its own memory, unless somebody else refers to it (a clone, which is an alias here,
   * must keep its values).
   */
  const inPlace = (variable: tf.TensorInfo): tf.TensorInfo => {
    const alone = stored(backend, variable).refCount === 1;
    if (!alone) {
      underway()?.spoil();
      return aside(() => make(variable.shape));
    }
    underway()?.write(variable);
    backend.incRef(variable.dataId);
    return { dataId: variable.dataId, shape: variable.shape, dtype: variable.dtype };
  };

  /** One of the three convolutions, given the sizes of its image and filter. */
  const convolve = (
    name: "convForward" | "convBackpropInput" | "convBackpropFilter",
    first: tf.TensorInfo,
    second: tf.TensorInfo,
    out: tf.TensorInfo,
    sizes: readonly number[],
  ): tf.TensorInfo => {
    const room = scratch(calls[`${name}Scratch`](...sizes));
    calls[name](at(first), at(second), at(out), ...sizes, room);
    return out;
  };

  return {
    [kernel.conv2d]({ x, filter }, { padding }) {
      const [n, height, width, channels] = x.shape;
      const [filterHeight, filterWidth, , outputs] = filter.shape;
      const out = make([
        n,
        height + 2 * padding - filterHeight + 1,
        width + 2 * padding - filterWidth + 1,
        outputs,
      ]);
      const sizes = [n, height, width, channels, filterHeight, filterWidth, outputs, padding];
      return convolve("convForward", x, filter, out, sizes);
    },

    [kernel.conv2dBackpropInput]({ gradient, filter }, { padding, height, width }) {
      const [filterHeight, filterWidth, channels, outputs] = filter.shape;
      const n = gradient.shape[0];
      const sizes = [n, height, width, channels, filterHeight, filterWidth, outputs, padding];
      return convolve("convBackpropInput", gradient, filter, make([n, height, width, channels]), sizes);
    },

    [kernel.conv2dBackpropFilter]({ x, gradient }, { padding, filterHeight, filterWidth }) {
      const [n, height, width, channels] = x.shape;
      const outputs = gradient.shape[3];
      const out = make([filterHeight, filterWidth, channels, outputs]);
      const sizes = [n, height, width, channels, filterHeight, filterWidth, outputs, padding];
      return convolve("convBackpropFilter", x, gradient, out, sizes);
    },

    // A matrix product is the 1x1 convolution of one row of pixels.
    [kernel.symmetricProduct]({ x, s }) {
      const [m, n] = x.shape;
      return convolve("convForward", x, s, make([m, n]), [1, 1, m, n, 1, 1, n, 0]);
    },

    [kernel.logProduct]({ x, y }) {
      const [rows, inner] = x.shape;
      const columns = y.shape[1];
      const out = make([rows, columns]);
      const room = scratch(calls.logProductScratch(inner, columns));
      calls.logProduct(at(x), at(y), at(out), rows, inner, columns, room);
      return out;
    },

    // With the parts exchanged on both sides the transform is the inverse one.
    [kernel.fourier]({ x }, { outer, length, inner, inverse }) {
      const out = make(x.shape);
      const part = 4 * outer * length * inner;
      const [re, im] = inverse ? [part, 0] : [0, part];
      const turn = 2 * Math.PI / length;
      const room = scratch(calls.fourierScratch(length));
      const [from, to] = [at(x), at(out)];
      const sizes = [outer, length, inner, Math.cos(turn), Math.sin(turn)];
      calls.fourier(from + re, from + im, to + re, to + im, ...sizes, room);
      return out;
    },

    [kernel.spaceToDepth]({ x }, { block, padding, height, width, rows, columns }) {
      const [n, , , channels] = x.shape;
      const out = make([n, rows, columns, block * block * channels]);
      calls.spaceToDepth(at(x), at(out), n, height, width, channels, block, padding, rows, columns);
      return out;
    },

    [kernel.depthToSpace]({ x }, { block, padding, height, width, rows, columns }) {
      const [n, , , depth] = x.shape;
      const channels = depth / (block * block);
      const out = make([n, height, width, channels]);
      calls.depthToSpace(at(x), at(out), n, height, width, channels, block, padding, rows, columns);
      return out;
    },

    [kernel.stackSlices]({ x }, { depth, steps, taps, stride, padding }) {
      const [slices, height, width, channels] = x.shape;
      const n = slices / depth;
      const out = make([n * steps, height, width, taps * channels]);
      const sizes = [n, depth, height * width, channels, taps, stride, padding, steps];
      calls.stackSlices(at(x), at(out), ...sizes);
      return out;
    },

    [kernel.unstackSlices]({ x }, { depth, steps, taps, stride, padding }) {
      const [stacks, height, width, stacked] = x.shape;
      const [n, channels] = [stacks / steps, stacked / taps];
      const out = make([n * depth, height, width, channels]);
      const sizes = [n, depth, height * width, channels, taps, stride, padding, steps];
      calls.unstackSlices(at(x), at(out), ...sizes);
      return out;
    },

    [kernel.instanceNormStatistics]({ x }, { epsilon }) {
      const [n, height, width, channels] = x.shape;
      const out = make([n, 2, channels]);
      calls.instanceNormStatistics(at(x), at(out), n, height * width, channels, epsilon);
      return out;
    },

    [kernel.instanceNorm]({ x, statistics }, { slope }) {
      const [n, height, width, channels] = x.shape;
      const out = make(x.shape);
      calls.instanceNorm(at(x), at(statistics), at(out), n, height * width, channels, slope);
      return out;
    },

    [kernel.instanceNormGradient]({ x, statistics, v }, { inner, outer }) {
      const [n, height, width, channels] = x.shape;
      const out = make(x.shape);
      const sizes = [n, height * width, channels];
      const room = scratch(calls.instanceNormScratch(channels));
      calls.instanceNormGradient(at(x), at(statistics), at(v), at(out), ...sizes, inner, outer, room);
      return out;
    },

    [kernel.instanceNormCurvature]({ x, statistics, v, g }, { inner, outer }) {
      const [n, height, width, channels] = x.shape;
      const out = make(x.shape);
      const sizes = [n, height * width, channels];
      const room = scratch(calls.instanceNormScratch(channels));
      calls.instanceNormCurvature(at(x), at(statistics), at(v), at(g), at(out), ...sizes, inner, outer, room);
      return out;
    },

    [kernel.leakyRelu]({ x }, { slope }) {
      const out = make(x.shape);
      calls.leakyRelu(at(x), at(x), at(out), sizeOf(x.shape), slope);
      return out;
    },

    [kernel.leakyReluGradient]({ where, x }, { slope }) {
      const out = make(x.shape);
      calls.leakyRelu(at(where), at(x), at(out), sizeOf(x.shape), slope);
      return out;
    },

    [kernel.within]({ where, x }, { low, high }) {
      const out = make(x.shape);
      calls.within(at(where), at(x), at(out), sizeOf(x.shape), low, high);
      return out;
    },

    [kernel.prelu]({ where, x, slope }, { positive }) {
      const out = make(x.shape);
      const [channels] = slope.shape;
      calls.prelu(at(where), at(x), at(slope), at(out), sizeOf(x.shape) / channels, channels, positive);
      return out;
    },

    [kernel.preluSlopes]({ where, x, y }) {
      const channels = x.shape[x.shape.length - 1];
      const out = make([channels]);
      const room = scratch(calls.channelSumsScratch(channels));
      calls.preluSlopes(at(where), at(x), at(y), at(out), sizeOf(x.shape) / channels, channels, room);
      return out;
    },

    [kernel.addToChannels]({ x, bias }) {
      const out = make(x.shape);
      const [channels] = bias.shape;
      calls.addToChannels(at(x), at(bias), at(out), sizeOf(x.shape) / channels, channels);
      return out;
    },

    [kernel.channelSums]({ x }) {
      const channels = x.shape[x.shape.length - 1];
      const out = make([channels]);
      const room = scratch(calls.channelSumsScratch(channels));
      calls.channelSums(at(x), at(out), sizeOf(x.shape) / channels, channels, room);
      return out;
    },

    // The batch and the rows of its images are one: blocks do not cross from one image to the next.
    [kernel.blockSum]({ x }, { scale, start, size, channels }) {
      const [n, height, width] = x.shape;
      const out = make([n, height / 2, width / 2, size]);
      calls.blockSum(at(x), at(out), n * height / 2, width / 2, channels, start, size, scale);
      return out;
    },

    [kernel.blockFill]({ x }, { scale }) {
      const [n, height, width, channels] = x.shape;
      const out = make([n, 2 * height, 2 * width, channels]);
      calls.blockFill(at(x), at(out), n * height, width, channels, 0, channels, scale);
      return out;
    },

    [kernel.pickMaximum]({ where, x }) {
      const [n, height, width, channels] = x.shape;
      const out = make([n, height / 2, width / 2, channels]);
      calls.pickMaximum(at(where), at(x), at(out), n * height / 2, width / 2, channels);
      return out;
    },

    [kernel.placeMaximum]({ where, x }) {
      const [n, rows, columns, channels] = x.shape;
      const out = make(where.shape);
      calls.placeMaximum(at(where), at(x), at(out), n * rows, columns, channels);
      return out;
    },

    [kernel.concatChannels]({ a, b }, { first, second }) {
      const out = make([...a.shape.slice(0, -1), first + second]);
      const pixels = sizeOf(a.shape) / first;
      calls.placeChannels(at(a), at(out), pixels, first + second, 0, first);
      calls.placeChannels(at(b), at(out), pixels, first + second, first, second);
      return out;
    },

    [kernel.concatUpsampled]({ a, b }, { first, second }) {
      const [n, height, width] = b.shape;
      const channels = first + second;
      const out = make([...a.shape.slice(0, -1), channels]);
      calls.placeChannels(at(a), at(out), sizeOf(a.shape) / first, channels, 0, first);
      calls.blockFill(at(b), at(out), n * height, width, channels, first, second, 1);
      return out;
    },

    [kernel.sliceChannels]({ x }, { start, size, channels }) {
      const out = make([...x.shape.slice(0, -1), size]);
      calls.sliceChannels(at(x), at(out), sizeOf(x.shape) / channels, channels, start, size);
      return out;
    },

    [kernel.padChannels]({ x }, { start, size, channels }) {
      const out = make([...x.shape.slice(0, -1), channels]);
      calls.padChannels(at(x), at(out), sizeOf(x.shape) / size, channels, start, size);
      return out;
    },

    [kernel.l1]({ a, b }) {
      const out = make([]);
      calls.meanAbsolute(at(a), at(b), at(out), sizeOf(a.shape));
      return out;
    },

    [kernel.l1Gradient]({ a, b, gradient }) {
      const out = make(a.shape);
      calls.meanAbsoluteGradient(at(a), at(b), at(gradient), at(out), sizeOf(a.shape));
      return out;
    },

    [kernel.l2]({ a, b }) {
      const out = make([]);
      calls.meanSquare(at(a), at(b), at(out), sizeOf(a.shape));
      return out;
    },

    [kernel.l2Gradient]({ a, b, gradient }) {
      const out = make(a.shape);
      calls.meanSquareGradient(at(a), at(b), at(gradient), at(out), sizeOf(a.shape));
      return out;
    },

    [kernel.adam]({ variable, gradient, first, second, pace }, { beta1, beta2 }) {
      const old = [variable, first, second];
      const updated = old.map(inPlace);
      const [w, m, v] = old.map(at);
      const [newW, newM, newV] = updated.map(at);
      const size = sizeOf(variable.shape);
      calls.adam(w, at(gradient), m, v, newW, newM, newV, at(pace), size, 1 - beta1, 1 - beta2);
      return updated;
    },

    [kernel.assign]({ variable, values }) {
      const out = inPlace(variable);
      calls.copyValues(at(values), at(out), sizeOf(variable.shape));
      return out;
    },
  };
}
