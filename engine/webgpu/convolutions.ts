/**
 * The stride-1 convolution and its two adjoints in WGSL.
 *
 * Values are taken by fours of channels: a thread makes four neighbouring pixels of four channels, by products with 4x4
 * pieces of the filter. Neighbouring threads have the same pixels and neighbouring channels, so that they read the same
 * pixels and one run of the filter. A gradient in the filter is a sum over all pixels: a workgroup makes 4x4 of its
 * numbers, each thread of it a share of the pixels, or of a slice of them where they are many.
 */

import type * as tf from "@tensorflow/tfjs-core";
import { type Program, quadOf, sliceOf, sumsOfAll, threads, writeQuad } from "./program.ts";

/** Pixels of a thread, side by side. */
const strip = 4;

/** Pixels that one thread sums at the most. */
const mostAlone = 8000;

const fours = (channels: number) => Math.ceil(channels / 4);

/** `x` `[n, h, w, c]` with `weights` `[kh, kw, c, k]`. */
export function convolution(x: tf.TensorInfo, weights: tf.TensorInfo, padding: number): Program {
  const [n, height, width] = x.shape;
  const [filterHeight, filterWidth, , outputs] = weights.shape;
  const shape = [n, height + 2 * padding - filterHeight + 1, width + 2 * padding - filterWidth + 1, outputs];
  return {
    ...overPixels("convolution", shape, x, weights, {
      // The filter's rows are channels of x, its columns those of the result.
      ...{ tap: "vec2<i32>(down, right) - uniforms.padding", row: "c", column: "channel", product: "m * v" },
    }),
    wholes: { padding },
  };
}

/** The adjoint of {@linkcode convolution} in its image: `gradient` like its result, the result `[n, height, width, c]`. */
export function imageGradient(
  gradient: tf.TensorInfo,
  weights: tf.TensorInfo,
  { padding, height, width }: { padding: number; height: number; width: number },
): Program {
  const shape = [gradient.shape[0], height, width, weights.shape[2]];
  return {
    ...overPixels("image gradient", shape, gradient, weights, {
      ...{ tap: "uniforms.padding - vec2<i32>(down, right)", row: "channel", column: "c", product: "v * m" },
    }),
    wholes: { padding },
  };
}

/** Where a tap of the filter reads, and how its 4x4 piece `m` acts on four channels `v` of what is read. */
interface Tap {
  readonly tap: string;
  readonly row: string;
  readonly column: string;
  readonly product: string;
}

function overPixels(
  name: string,
  outputShape: readonly number[],
  x: tf.TensorInfo,
  weights: tf.TensorInfo,
  { tap, row, column, product }: Tap,
): Program {
  const [n, height, width, channels] = outputShape;
  return {
    name,
    inputs: { x, weights },
    outputShape,
    count: n * height * Math.ceil(width / strip) * fours(channels),
    code: (isOfFours) => `
      ${quadOf("x", "uniforms.xShape.w", isOfFours)}
      ${quadOf("weights", "uniforms.weightsShape.w", isOfFours)}
      ${writeQuad("uniforms.outShape.w", isOfFours)}

      // Four rows of a tap of the filter; rows beyond the last meet zeros, and only have to be numbers.
      fn piece(tap : i32, row : i32, column : i32) -> mat4x4<f32> {
        let size = uniforms.weightsShape.zw;
        let first = tap * size.x;
        let last = size.x - 1;
        return mat4x4<f32>(
          weights4((first + row) * size.y, column),
          weights4((first + min(row + 1, last)) * size.y, column),
          weights4((first + min(row + 2, last)) * size.y, column),
          weights4((first + min(row + 3, last)) * size.y, column),
        );
      }

      fn main(index : i32) {
        let size = uniforms.outShape;
        let quads = (size.w + 3) / 4;
        let strips = (size.z + ${strip - 1}) / ${strip};
        let channel = 4 * (index % quads);
        let column = ${strip} * (index / quads % strips);
        let line = index / quads / strips;
        let sample = line / size.y;
        if (sample >= size.x) { return; }
        let source = uniforms.xShape;
        var sums : array<vec4<f32>, ${strip}>;
        for (var down = 0; down < uniforms.weightsShape.x; down++) {
          for (var right = 0; right < uniforms.weightsShape.y; right++) {
            let place = vec2<i32>(line % size.y, column) + ${tap};
            if (place.x < 0 || place.x >= source.y) { continue; }
            let tap = down * uniforms.weightsShape.y + right;
            let start = ((sample * source.y + place.x) * source.z + place.y) * source.w;
            for (var c = 0; c < source.w; c += 4) {
              let m = piece(tap, ${row}, ${column});
              for (var i = 0; i < ${strip}; i++) {
                if (place.y + i >= 0 && place.y + i < source.z) {
                  let v = x4(start + i * source.w, c);
                  sums[i] += ${product};
                }
              }
            }
          }
        }
        let to = (line * size.z + column) * size.w;
        for (var i = 0; i < min(${strip}, size.z - column); i++) { write4(to + i * size.w, channel, sums[i]); }
      }`,
  };
}

/** The adjoint of {@linkcode convolution} in its filter, summed over the batch: `[filterHeight, filterWidth, c, k]`. */
export function filterGradient(
  x: tf.TensorInfo,
  gradient: tf.TensorInfo,
  { padding, filterHeight, filterWidth }: { padding: number; filterHeight: number; filterWidth: number },
): Program {
  const [channels, outputs] = [x.shape[3], gradient.shape[3]];
  const pieces = filterHeight * filterWidth * fours(channels) * fours(outputs);
  // Where there are more pieces than pixels, there are threads enough with one a piece, which may turn over few pixels.
  const [n, height, width] = gradient.shape;
  const pixels = n * height * width;
  const sharers = pieces > pixels && pixels <= mostAlone ? 1 : threads;
  const slice = sliceOf(pixels);
  const slices = Math.ceil(pixels / slice);
  // Slices are above one another, like rows of one high filter.
  const ofSlices: Program = {
    name: `filter gradient by ${sharers}`,
    inputs: { x, gradient },
    outputShape: [slices * filterHeight, filterWidth, channels, outputs],
    wholes: { padding, slice, filterHeight, pieces: slices * pieces },
    count: sharers * slices * pieces,
    code: (isOfFours) => `
      ${quadOf("x", "uniforms.xShape.w", isOfFours)}
      ${quadOf("gradient", "uniforms.gradientShape.w", isOfFours)}
      ${writeQuad("uniforms.outShape.w", isOfFours)}
      ${sharers === 1 ? "" : sumsOfAll(4)}

      fn main(index : i32) {
        let size = uniforms.outShape;
        // Where there are more threads than needed, the last piece is made again.
        let which = min(index / ${sharers}, uniforms.pieces - 1);
        let quads = (size.zw + 3) / 4;
        let channel = 4 * (which % quads.y);
        let row = 4 * (which / quads.y % quads.x);
        let tap = which / quads.y / quads.x;
        let down = tap / size.y;
        let offset = vec2<i32>(down % uniforms.filterHeight, tap % size.y) - uniforms.padding;
        let source = uniforms.xShape;
        let over = uniforms.gradientShape;
        var sums : array<vec4<f32>, 4>;
        let first = down / uniforms.filterHeight * uniforms.slice;
        let last = min(first + uniforms.slice, over.x * over.y * over.z);
        for (var pixel = first + index % ${sharers}; pixel < last; pixel += ${sharers}) {
          let line = pixel / over.z;
          let place = vec2<i32>(line % over.y, pixel % over.z) + offset;
          if (all(place >= vec2<i32>(0)) && all(place < source.yz)) {
            let v = x4(((line / over.y * source.y + place.x) * source.z + place.y) * source.w, row);
            let g = gradient4(pixel * over.w, channel);
            for (var i = 0; i < 4; i++) { sums[i] += v[i] * g; }
          }
        }
        ${sharers === 1 ? "" : "sums = sumsOfAll(sums);"}
        let rows = min(4, size.z - row);
        for (var i = index % ${sharers}; i < rows; i += ${sharers}) {
          write4((tap * size.z + row + i) * size.w, channel, sums[i]);
        }
      }`,
  };
  if (slices === 1) return ofSlices;
  const outputShape = [filterHeight, filterWidth, channels, outputs];
  const size = outputShape.reduce((product, extent) => product * extent);
  return {
    name: "sum of slices",
    inputs: {},
    before: { parts: ofSlices },
    outputShape,
    byOnes: true,
    wholes: { size, slices },
    count: size,
    code: () => `
      fn main(index : i32) {
        if (index >= uniforms.size) { return; }
        var sum = 0.0;
        for (var i = 0; i < uniforms.slices; i++) { sum += parts[i * uniforms.size + index]; }
        result[index] = sum;
      }`,
  };
}
