/**
 * What moves values about in WGSL: blocks of pixels, slices of volumes. A thread makes one value of the result, so that
 * neighbouring threads write neighbours; where each comes from is what is said here. Where all channels come in fours, four
 * of them are one value.
 */

import type * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../../core/image.ts";
import type { Program } from "./program.ts";

type Wholes = { readonly [name: string]: number };

/** Zeros about the image, blocks of its pixels, and how many of them there are. */
export type Blocks = Readonly<
  Record<"block" | "padding" | "height" | "width" | "rows" | "columns", number>
>;

/** Which slices of a volume each step has. */
export type Steps = Readonly<Record<"depth" | "steps" | "taps" | "stride" | "padding", number>>;

/** Some channels of `x`, each 2x2 block of them summed, times `scale`. */
export function blockSum(x: tf.TensorInfo, scale: number, start: number, size: number): Program {
  const [n, height, width] = x.shape;
  return {
    ...moved(
      "block sum",
      { x },
      [n, height / 2, width / 2, size],
      { start },
      `
      let at = place(sample, 2 * row, 2 * column, uniforms.start + channel, xSize());
      let right = xSize().w;
      let down = xSize().z * right;
      return uniforms.scale * (x[at] + x[at + right] + x[at + down] + x[at + down + right]);`,
    ),
    reals: { scale },
  };
}

/** Each pixel of `x` as a 2x2 block, times `scale`. */
export function blockFill(x: tf.TensorInfo, scale: number): Program {
  const [n, height, width, channels] = x.shape;
  return {
    ...moved(
      "block fill",
      { x },
      [n, 2 * height, 2 * width, channels],
      {},
      `
      return uniforms.scale * x[place(sample, row / 2, column / 2, channel, xSize())];`,
    ),
    reals: { scale },
  };
}

/** The channels of `a`, then those of `b`, each pixel of which is a 2x2 block. */
export function concatUpsampled(a: tf.TensorInfo, b: tf.TensorInfo): Program {
  const [n, height, width, first] = a.shape;
  return moved(
    "concat upsampled",
    { a, b },
    [n, height, width, first + b.shape[3]],
    {},
    `
    let more = channel - aSize().w;
    if (more < 0) { return a[place(sample, row, column, channel, aSize())]; }
    return b[place(sample, row / 2, column / 2, more, bSize())];`,
  );
}

/** See `spaceToDepth` in kernel_names.ts. */
export function spaceToDepth(x: tf.TensorInfo, { block, padding, rows, columns }: Blocks): Program {
  const [n, , , channels] = x.shape;
  return moved(
    "space to depth",
    { x },
    [n, rows, columns, block * block * channels],
    { block, padding },
    `
    let size = xSize();
    let within = channel / size.w;
    let y = row * uniforms.block + within / uniforms.block - uniforms.padding;
    let z = column * uniforms.block + within % uniforms.block - uniforms.padding;
    if (y < 0 || z < 0 || y >= size.y || z >= size.z) { return Value(); }
    return x[place(sample, y, z, channel % size.w, size)];`,
  );
}

/** The adjoint of {@linkcode spaceToDepth}. */
export function depthToSpace(x: tf.TensorInfo, { block, padding, height, width }: Blocks): Program {
  const [n, , , depth] = x.shape;
  return moved(
    "depth to space",
    { x },
    [n, height, width, depth / (block * block)],
    { block, padding },
    `
    let size = xSize();
    let y = row + uniforms.padding;
    let z = column + uniforms.padding;
    if (y / uniforms.block >= size.y || z / uniforms.block >= size.z) { return Value(); }
    let within = y % uniforms.block * uniforms.block + z % uniforms.block;
    return x[place(sample, y / uniforms.block, z / uniforms.block, within * outSize().w + channel, size)];`,
  );
}

/** See `stackSlices` in kernel_names.ts. */
export function stackSlices(x: tf.TensorInfo, sizes: Steps): Program {
  const [slices, height, width, channels] = x.shape;
  const shape = [slices / sizes.depth * sizes.steps, height, width, sizes.taps * channels];
  return moved(
    "stack slices",
    { x },
    shape,
    wholesOf(sizes),
    `
    let size = xSize();
    let slice = sample % uniforms.steps * uniforms.stride + channel / size.w - uniforms.padding;
    if (slice < 0 || slice >= uniforms.depth) { return Value(); }
    return x[place(sample / uniforms.steps * uniforms.depth + slice, row, column, channel % size.w, size)];`,
  );
}

/** The adjoint of {@linkcode stackSlices}. */
export function unstackSlices(x: tf.TensorInfo, sizes: Steps): Program {
  const [stacks, height, width, stacked] = x.shape;
  const shape = [stacks / sizes.steps * sizes.depth, height, width, stacked / sizes.taps];
  return moved(
    "unstack slices",
    { x },
    shape,
    wholesOf(sizes),
    `
    let size = xSize();
    let first = sample / uniforms.depth * uniforms.steps;
    var sum = Value();
    for (var tap = 0; tap < uniforms.taps; tap++) {
      let way = sample % uniforms.depth + uniforms.padding - tap;
      let step = way / uniforms.stride;
      if (way >= 0 && way % uniforms.stride == 0 && step < uniforms.steps) {
        sum += x[place(first + step, row, column, tap * outSize().w + channel, size)];
      }
    }
    return sum;`,
  );
}

function wholesOf({ depth, steps, taps, stride, padding }: Steps): Wholes {
  return { depth, steps, taps, stride, padding };
}

/** `body` returns the value of the result at a sample, row, column and channel. */
function moved(
  name: string,
  inputs: { readonly [name: string]: tf.TensorInfo },
  outputShape: readonly number[],
  { start = 0, ...wholes }: Wholes,
  body: string,
): Program {
  const channels = [...Object.values(inputs).map(({ shape }) => shape[3]), outputShape[3], start];
  const together = channels.every((count) => count % 4 === 0) ? 4 : 1;
  const sizes = [...Object.keys(inputs), "out"].map((tensor) => `
      fn ${tensor}Size() -> vec4<i32> { return uniforms.${tensor}Shape / vec4<i32>(1, 1, 1, ${together}); }`);
  return {
    name,
    inputs,
    outputShape,
    wholes: { start: start / together, ...wholes },
    byOnes: together === 1,
    count: sizeOf(outputShape) / together,
    code: () => `
      alias Value = ${together === 4 ? "vec4<f32>" : "f32"};
      ${sizes.join("")}
      fn place(sample : i32, row : i32, column : i32, channel : i32, size : vec4<i32>) -> i32 {
        return ((sample * size.y + row) * size.z + column) * size.w + channel;
      }
      fn value(sample : i32, row : i32, column : i32, channel : i32) -> Value {${body}
      }
      fn main(index : i32) {
        let size = outSize();
        let pixel = index / size.w;
        let line = pixel / size.z;
        let sample = line / size.y;
        if (sample < size.x) { result[index] = value(sample, line % size.y, pixel % size.z, index % size.w); }
      }`,
  };
}
