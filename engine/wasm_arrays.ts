/**
 * The stock ops that losses, networks and operators of the suite use, as kernels of ours: arithmetic, sums
 * over axes, and values moved about. They are faster than the backend's own, and can be replayed
 * (`replay.ts`).
 *
 * They cover float32. Other types, and what moves along more than six axes, go to the stock kernel as before, but for
 * arithmetic along so many, which is refused.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { explain } from "../core/errors.ts";
import { sizeOf } from "../core/image.ts";
import { registerOnWasm, stored, type WasmModule } from "./wasm_module.ts";
import { stockKernel } from "./wasm_stock.ts";

// deno-lint-ignore no-explicit-any -- the attributes that the stock ops give their kernels
type Attributes = any;
type Info = tf.TensorInfo;
/** Makes a result, or says with undefined that it is the stock kernel's. */
type ArrayKernel = (inputs: Info[], attributes: Attributes) => Info | Info[] | undefined;

/** Functions of two values and of one, in the order of the modules' `combine` and `transform`. */
const combinations = ["Add", "Sub", "Multiply", "RealDiv", "Maximum", "Minimum", "SquaredDifference"];
const transformations = [
  "Neg",
  "Square",
  "Sqrt",
  "Rsqrt",
  "Reciprocal",
  "Abs",
  "Relu",
  "Sign",
  "Exp",
  "Log",
  "ClipByValue",
];

/** Puts ours before the stock kernels. */
export function registerArrayKernels(backend: BackendWasm, module: WasmModule): void {
  for (const [kernelName, run] of Object.entries(kernels(backend, module))) {
    const stock = stockKernel(kernelName);
    registerOnWasm(kernelName, (call) => {
      const inputs = Object.values(call.inputs) as Info[];
      const float = inputs.every(({ dtype }) => dtype === "float32");
      return (float ? run(inputs, call.attrs) : undefined) ?? stock(call);
    });
  }
}

function kernels(backend: BackendWasm, { calls }: WasmModule): { readonly [name: string]: ArrayKernel } {
  const at = (tensor: Info): number => stored(backend, tensor).memoryOffset;
  const make = (shape: readonly number[]): Info => backend.makeOutput([...shape], "float32");
  const free = (tensor: Info): boolean => backend.disposeData(tensor.dataId);
  /** The same data in another shape; the tensor is spent. */
  const shaped = ({ dataId, dtype }: Info, shape: number[]): Info => ({ dataId, dtype, shape });

  const filled = (shape: readonly number[], value: number): Info => {
    const out = make(shape);
    calls.fillValues(at(out), sizeOf(shape), value);
    return out;
  };

  /** Copies values from where `x` has them to where `out` has them; offsets and strides in values. */
  const move = (x: Info, out: Info, sizes: readonly number[], from: Walk, to: Walk): void => {
    const axes = merged(sizes.map((size, axis) => ({ size, x: from.strides[axis], out: to.strides[axis] })));
    const all = [...Array<Axis>(6 - axes.length).fill({ size: 1, x: 0, out: 0 }), ...axes];
    const numbers = [...all.map(({ size }) => size), ...all.map(({ x }) => x), ...all.map(({ out }) => out)];
    calls.moveValues(at(x) + 4 * from.start, at(out) + 4 * to.start, ...numbers);
  };

  /** `x` with its axes in another order. */
  const transposed = (x: Info, order: readonly number[]): Info => {
    const strides = stridesOf(x.shape);
    const out = make(order.map((axis) => x.shape[axis]));
    const from = { start: 0, strides: order.map((axis) => strides[axis]) };
    move(x, out, out.shape, from, whole(out.shape));
    return out;
  };

  /** `x` repeated along the axes where `shape` is larger. */
  const broadcast = (x: Info, shape: number[]): Info => {
    const out = make(shape);
    const missing = shape.length - x.shape.length;
    const own = stridesOf(x.shape);
    const strides = shape.map((_, axis) =>
      axis < missing || x.shape[axis - missing] === 1 ? 0 : own[axis - missing]
    );
    move(x, out, shape, { start: 0, strides }, whole(shape));
    return out;
  };

  /** The part of `x` from `begin` on. */
  const sliced = (x: Info, begin: readonly number[], shape: readonly number[]): Info => {
    const out = make(shape);
    const strides = stridesOf(x.shape);
    move(x, out, shape, { start: dot(begin, strides), strides }, whole(shape));
    return out;
  };

  /** Writes `x` into `out` from `begin` on. */
  const put = (x: Info, out: Info, begin: readonly number[]): void => {
    const strides = stridesOf(out.shape);
    move(x, out, x.shape, whole(x.shape), { start: dot(begin, strides), strides });
  };

  const combine = (what: number): ArrayKernel => ([a, b]) => {
    const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
    const size = sizeOf(shape);
    if ([a, b].some((tensor) => ![1, size].includes(sizeOf(tensor.shape))) && tooMany({ shape })) {
      // The stock kernel would leave the result as it found the memory, without an error.
      throw new RangeError(explain({
        what: `[${a.shape}] and [${b.shape}] are to be combined along more than six axes`,
        fix: "reshape them to fewer",
      }));
    }
    // Equal shapes and single numbers, which most of a training step's are, need nothing to be repeated.
    const [oneA, oneB] = [a, b].map((tensor) => sizeOf(tensor.shape) === 1 && size !== 1);
    const [wideA, wideB] = [a, b].map((tensor, which) =>
      [oneA, oneB][which] || sizeOf(tensor.shape) === size ? tensor : broadcast(tensor, shape)
    );
    const out = make(shape);
    calls.combine(what, oneA ? 1 : oneB ? 2 : 0, at(wideA), at(wideB), at(out), size);
    if (wideA !== a) free(wideA);
    if (wideB !== b) free(wideB);
    return out;
  };

  const transform = (what: number): ArrayKernel => ([x], attributes) => {
    const out = make(x.shape);
    const { clipValueMin = 0, clipValueMax = 0 } = attributes ?? {};
    calls.transform(what, at(x), at(out), sizeOf(x.shape), clipValueMin, clipValueMax);
    return out;
  };

  const sum = (mean: boolean): ArrayKernel => ([x], { axis, keepDims }) => {
    if (tooMany(x)) return undefined;
    const axes = tf.util.parseAxisParam(axis, x.shape);
    const rest = x.shape.map((_, index) => index).filter((index) => !axes.includes(index));
    const order = [...rest, ...axes];
    const rows = order.every((from, to) => from === to) ? x : transposed(x, order);
    const shape = keepDims
      ? x.shape.map((extent, index) => axes.includes(index) ? 1 : extent)
      : rest.map((index) => x.shape[index]);
    const out = make(shape);
    const count = sizeOf(shape);
    const length = sizeOf(axes.map((index) => x.shape[index]));
    calls.sumRows(at(rows), at(out), count, length, mean ? length : 1);
    if (rows !== x) free(rows);
    return out;
  };

  return {
    ...Object.fromEntries(combinations.map((name, what) => [name, combine(what)])),
    ...Object.fromEntries(transformations.map((name, what) => [name, transform(what)])),
    Sum: sum(false),
    Mean: sum(true),
    AddN: ([first, ...others]) =>
      others.reduce((total: Info | undefined, next) => {
        const out = make(first.shape);
        calls.combine(0, 0, at(total ?? first), at(next), at(out), sizeOf(first.shape));
        if (total !== undefined) free(total);
        return out;
      }, undefined),

    Fill: (_inputs, { shape, value, dtype }) =>
      typeof value === "number" && (dtype ?? "float32") === "float32" ? filled(shape, value) : undefined,
    OnesLike: ([x]) => filled(x.shape, 1),
    ZerosLike: ([x]) => filled(x.shape, 0),

    Transpose: ([x], { perm }) => tooMany(x) ? undefined : transposed(x, perm),

    Slice: ([x], { begin, size }) => {
      if (tooMany(x)) return undefined;
      const [starts, extents] = tf.slice_util.parseSliceParams(x as tf.Tensor, begin, size);
      return sliced(x, starts, extents);
    },

    PadV2: ([x], { paddings, constantValue }) => {
      if (tooMany(x)) return undefined;
      const pairs = paddings as [number, number][];
      const out = filled(pairs.map(([before, after], axis) => before + x.shape[axis] + after), constantValue);
      put(x, out, pairs.map(([before]) => before));
      return out;
    },

    Tile: ([x], { reps }) => {
      if (tooMany(x)) return undefined;
      // Each axis is twice there: once for the repetitions, and once for the values.
      const shape = x.shape.flatMap((extent, axis) => [reps[axis] as number, extent]);
      const once = x.shape.flatMap((extent) => [1, extent]);
      if (tooMany({ shape })) return undefined;
      return shaped(broadcast(shaped(x, once), shape), x.shape.map((extent, axis) => extent * reps[axis]));
    },

    Reverse: ([x], { dims }) => {
      if (tooMany(x)) return undefined;
      const axes = tf.util.parseAxisParam(dims, x.shape);
      const strides = stridesOf(x.shape);
      const out = make(x.shape);
      const start = axes.reduce((sum, axis) => sum + (x.shape[axis] - 1) * strides[axis], 0);
      const back = strides.map((stride, axis) => axes.includes(axis) ? -stride : stride);
      move(x, out, x.shape, { start, strides: back }, whole(x.shape));
      return out;
    },

    Concat: (parts, { axis }) => {
      if (parts.some(tooMany)) return undefined;
      const along = tf.util.parseAxisParam(axis, parts[0].shape)[0];
      const extent = parts.reduce((sum, { shape }) => sum + shape[along], 0);
      const out = make(parts[0].shape.map((own, index) => index === along ? extent : own));
      let start = 0;
      for (const part of parts) {
        put(part, out, part.shape.map((_, index) => index === along ? start : 0));
        start += part.shape[along];
      }
      return out;
    },

    Pack: (parts, { axis }) => {
      const [{ shape }] = parts;
      if (shape.length > 5) return undefined;
      const along = axis < 0 ? axis + shape.length + 1 : axis;
      const out = make([...shape.slice(0, along), parts.length, ...shape.slice(along)]);
      const slot = [...shape.slice(0, along), 1, ...shape.slice(along)];
      for (const [index, part] of parts.entries()) {
        put(shaped(part, slot), out, slot.map((_, at) => at === along ? index : 0));
      }
      return out;
    },

    Unpack: ([value], { axis }) => {
      if (tooMany(value)) return undefined;
      const along = axis < 0 ? axis + value.shape.length : axis;
      const slot = value.shape.map((extent, index) => index === along ? 1 : extent);
      const shape = value.shape.filter((_, index) => index !== along);
      return Array.from(
        { length: value.shape[along] },
        (_, index) => shaped(sliced(value, slot.map((_, at) => at === along ? index : 0), slot), shape),
      );
    },

    SplitV: ([x], { numOrSizeSplits, axis }) => {
      if (tooMany(x)) return undefined;
      const along = tf.util.parseAxisParam(axis, x.shape)[0];
      let start = 0;
      return tf.backend_util.prepareSplitSize(x as tf.Tensor, numOrSizeSplits, along).map((extent) => {
        const begin = x.shape.map((_, index) => index === along ? start : 0);
        start += extent;
        return sliced(x, begin, x.shape.map((own, index) => index === along ? extent : own));
      });
    },
  };
}

/** Where a walk over an array starts, and its step along each axis, in values. */
interface Walk {
  readonly start: number;
  readonly strides: readonly number[];
}

/** An axis that is walked in two arrays at once. */
interface Axis {
  readonly size: number;
  readonly x: number;
  readonly out: number;
}

/** More axes than `moveValues` has; of those that have one value only it needs none. */
function tooMany({ shape }: { readonly shape: readonly number[] }): boolean {
  return shape.filter((extent) => extent > 1).length > 6;
}

function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}

function whole(shape: readonly number[]): Walk {
  return { start: 0, strides: stridesOf(shape) };
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * b[index], 0);
}

/** The same walk with as few axes as it takes, so that the innermost is long. */
function merged(axes: readonly Axis[]): Axis[] {
  const result: Axis[] = [];
  for (const axis of axes) {
    if (axis.size === 1) continue;
    const outer = result.at(-1);
    if (outer !== undefined && outer.x === axis.size * axis.x && outer.out === axis.size * axis.out) {
      result[result.length - 1] = { ...axis, size: outer.size * axis.size };
    } else result.push(axis);
  }
  return result;
}
