/**
 * Instance normalisation and its derivatives in WGSL; the formulas are those of `compositions.ts`.
 *
 * Where sums over the pixels are needed, a workgroup takes four channels of a sample, each of its threads a share of the
 * pixels, and goes over them as often as it takes: nothing but the result is written.
 */

import type * as tf from "@tensorflow/tfjs-core";
import { type Program, quadOf, sumsOfAll, threads, writeQuad } from "./program.ts";

/** Of each sample and channel of `x` `[n, h, w, c]` the mean, and 1 / √(variance + epsilon): `[n, 2, c]`. */
export function statistics(x: tf.TensorInfo, epsilon: number): Program {
  const [n, , , channels] = x.shape;
  return {
    ...overChannels("statistics", { x }, [n, 2, channels], {
      sums: 1,
      helpers: () => "",
      body: `
        var sums : array<vec4<f32>, 1>;
        ${eachPixel("sums[0] += x4(at, channel);")}
        let mean = sumsOfAll(sums)[0] / count;
        sums[0] = vec4<f32>(0.0);
        ${eachPixel("let apart = x4(at, channel) - mean; sums[0] += apart * apart;")}
        let variance = sumsOfAll(sums)[0] / count;
        if (localIndex == 0u) {
          write4(2 * sample * size.w, channel, mean);
          write4((2 * sample + 1) * size.w, channel, 1.0 / sqrt(variance + uniforms.epsilon));
        }`,
    }),
    reals: { epsilon },
  };
}

/** N(x), and a leaky ReLU of it. */
export function normalised(x: tf.TensorInfo, statistics: tf.TensorInfo, slope: number): Program {
  const [n, height, width, channels] = x.shape;
  const quads = Math.ceil(channels / 4);
  return {
    name: "norm",
    inputs: { x, statistics },
    outputShape: x.shape,
    reals: { slope },
    count: n * height * width * quads,
    code: (isOfFours) => `
      ${quadOf("x", "uniforms.xShape.w", isOfFours)}
      ${writeQuad("uniforms.outShape.w", isOfFours)}
      ${normOf(isOfFours)}
      fn main(index : i32) {
        let size = uniforms.xShape;
        let quads = (size.w + 3) / 4;
        let pixel = index / quads;
        let channel = 4 * (index % quads);
        let sample = pixel / size.y / size.z;
        if (sample >= size.x) { return; }
        let y = (x4(pixel * size.w, channel) - mean(sample, channel)) * scale(sample, channel);
        write4(pixel * size.w, channel, sloped(y, y, uniforms.slope));
      }`,
  };
}

/** With w = D′v: D″ r (w − mean w − y ⟨y, w⟩/M). */
export function gradient(
  x: tf.TensorInfo,
  statistics: tf.TensorInfo,
  v: tf.TensorInfo,
  slopes: { readonly inner: number; readonly outer: number },
): Program {
  return {
    ...overChannels("norm gradient", { x, statistics, v }, x.shape, {
      sums: 2,
      helpers: (isOfFours) => `${normOf(isOfFours)} ${quadOf("v", "uniforms.vShape.w", isOfFours)}`,
      body: `
        let middle = mean(sample, channel);
        let r = scale(sample, channel);
        var sums : array<vec4<f32>, 2>;
        ${
        eachPixel(`
          let y = (x4(at, channel) - middle) * r;
          let w = sloped(v4(at, channel), y, uniforms.inner);
          sums[0] += w;
          sums[1] += y * w;`)
      }
        sums = sumsOfAll(sums);
        let meanOfW = sums[0] / count;
        let meanAlong = sums[1] / count;
        ${
        eachPixel(`
          let y = (x4(at, channel) - middle) * r;
          let w = sloped(v4(at, channel), y, uniforms.inner);
          write4(at, channel, sloped(r * (w - meanOfW - y * meanAlong), y, uniforms.outer));`)
      }`,
    }),
    reals: slopes,
  };
}

/** −(r²/M) [v′Q + g′P + y (S − 3PQ/M)]; here P, Q and S are means. */
export function curvature(
  x: tf.TensorInfo,
  statistics: tf.TensorInfo,
  v: tf.TensorInfo,
  g: tf.TensorInfo,
  slopes: { readonly inner: number; readonly outer: number },
): Program {
  const values = `
    let y = (x4(at, channel) - middle) * r;
    let v0 = sloped(v4(at, channel), y, uniforms.inner) - meanOfV;
    let g0 = sloped(g4(at, channel), y, uniforms.outer) - meanOfG;`;
  return {
    ...overChannels("norm curvature", { x, statistics, v, g }, x.shape, {
      sums: 3,
      helpers: (isOfFours) =>
        `${normOf(isOfFours)} ${quadOf("v", "uniforms.vShape.w", isOfFours)}
        ${quadOf("g", "uniforms.gShape.w", isOfFours)}`,
      body: `
        let middle = mean(sample, channel);
        let r = scale(sample, channel);
        var meanOfV = vec4<f32>(0.0);
        var meanOfG = vec4<f32>(0.0);
        var sums : array<vec4<f32>, 3>;
        ${eachPixel(`${values} sums[0] += v0; sums[1] += g0;`)}
        sums = sumsOfAll(sums);
        meanOfV = sums[0] / count;
        meanOfG = sums[1] / count;
        sums = array<vec4<f32>, 3>();
        ${eachPixel(`${values} sums[0] += v0 * y; sums[1] += g0 * y; sums[2] += v0 * g0;`)}
        sums = sumsOfAll(sums);
        let P = sums[0] / count;
        let Q = sums[1] / count;
        let S = sums[2] / count;
        ${eachPixel(`${values} write4(at, channel, -r * r * (v0 * Q + g0 * P + y * (S - 3.0 * P * Q)));`)}`,
    }),
    reals: slopes,
  };
}

/** The sum of each channel of `x` `[…, c]`, over everything: `[c]`. */
export function channelSums(x: tf.TensorInfo): Program {
  const channels = x.shape[x.shape.length - 1];
  const shape = [1, x.shape.slice(0, -1).reduce((product, extent) => product * extent, 1), 1, channels];
  return {
    ...overChannels("channel sums", { x: { ...x, shape } }, [channels], {
      sums: 1,
      helpers: () => "",
      body: `
        var sums : array<vec4<f32>, 1>;
        ${eachPixel("sums[0] += x4(at, channel);")}
        sums = sumsOfAll(sums);
        if (localIndex == 0u) { write4(0, channel, sums[0]); }`,
    }),
  };
}

/** `body` at the start `at` of each pixel that is this thread's. */
function eachPixel(body: string): string {
  return `for (var pixel = i32(localIndex); pixel < pixels; pixel += ${threads}) {
    let at = (sample * pixels + pixel) * size.w;
    ${body}
  }`;
}

interface Sums {
  /** Sums that are made at once, at the most. */
  readonly sums: number;
  readonly helpers: (isOfFours: (name: string) => boolean) => string;
  /** With `size`, the shape of x, `pixels` and `count`, their number, and `sample` and `channel`, the first of four. */
  readonly body: string;
}

function overChannels(
  name: string,
  inputs: { readonly x: tf.TensorInfo; readonly [name: string]: tf.TensorInfo },
  outputShape: readonly number[],
  { sums, helpers, body }: Sums,
): Program {
  const [n, , , channels] = inputs.x.shape;
  return {
    name,
    inputs,
    outputShape,
    count: threads * n * Math.ceil(channels / 4),
    code: (isOfFours) => `
      ${quadOf("x", "uniforms.xShape.w", isOfFours)}
      ${writeQuad("uniforms.xShape.w", isOfFours)}
      ${helpers(isOfFours)}
      ${sumsOfAll(sums)}
      fn main(index : i32) {
        let size = uniforms.xShape;
        let pixels = size.y * size.z;
        let count = f32(pixels);
        let quads = (size.w + 3) / 4;
        let group = min(index / ${threads}, size.x * quads - 1);
        let sample = group / quads;
        let channel = 4 * (group % quads);
        ${body}
      }`,
  };
}

/** `mean` and `scale`, 1/std, of a sample's channels, and the `slope` of a leaky ReLU where something is not positive. */
function normOf(isOfFours: (name: string) => boolean): string {
  return `
    ${quadOf("statistics", "uniforms.statisticsShape.z", isOfFours)}
    fn mean(sample : i32, channel : i32) -> vec4<f32> {
      return statistics4(2 * sample * uniforms.statisticsShape.z, channel);
    }
    fn scale(sample : i32, channel : i32) -> vec4<f32> {
      return statistics4((2 * sample + 1) * uniforms.statisticsShape.z, channel);
    }
    fn sloped(values : vec4<f32>, place : vec4<f32>, slope : f32) -> vec4<f32> {
      return select(slope * values, values, place > vec4<f32>(0.0));
    }`;
}
