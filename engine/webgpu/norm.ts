/**
 * Instance normalisation and its derivatives in WGSL; the formulas are those of `compositions.ts`.
 *
 * Where sums over the pixels are needed, a workgroup takes four channels of a sample, each of its threads a share of the
 * pixels, and goes over them as often as it takes: nothing but the result is written. Where there are more pixels than one
 * workgroup should turn over, it takes a slice of them, and each pass becomes a program, which writes the sums of its
 * slices for those after it.
 */

import type * as tf from "@tensorflow/tfjs-core";
import { type Program, quadOf, sliceOf, sumsOfAll, threads, writeQuad } from "./program.ts";

/** Of each sample and channel of `x` `[n, h, w, c]` the mean, and 1 / √(variance + epsilon): `[n, 2, c]`. */
export function statistics(x: tf.TensorInfo, epsilon: number): Program {
  const [n, , , channels] = x.shape;
  return overChannels("statistics", { x }, [n, 2, channels], {
    sums: 1,
    reals: { epsilon },
    passes: [
      { each: "sums[0] += x4(at, channel);", then: "let mean = sums[0] / count;" },
      {
        each: "let apart = x4(at, channel) - mean; sums[0] += apart * apart;",
        then: "let variance = sums[0] / count;",
      },
    ],
    once: `
      write4(2 * sample * channels, channel, mean);
      write4((2 * sample + 1) * channels, channel, 1.0 / sqrt(variance + uniforms.epsilon));`,
  });
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
  const values = `
    let y = (x4(at, channel) - middle) * r;
    let w = sloped(v4(at, channel), y, uniforms.inner);`;
  return overChannels("norm gradient", { x, statistics, v }, x.shape, {
    sums: 2,
    reals: slopes,
    helpers: (isOfFours) => `${normOf(isOfFours)} ${quadOf("v", "uniforms.vShape.w", isOfFours)}`,
    start: "let middle = mean(sample, channel); let r = scale(sample, channel);",
    passes: [{
      each: `${values} sums[0] += w; sums[1] += y * w;`,
      then: "let meanOfW = sums[0] / count; let meanAlong = sums[1] / count;",
    }],
    each: `${values} write4(at, channel, sloped(r * (w - meanOfW - y * meanAlong), y, uniforms.outer));`,
  });
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
  return overChannels("norm curvature", { x, statistics, v, g }, x.shape, {
    sums: 3,
    reals: slopes,
    helpers: (isOfFours) =>
      `${normOf(isOfFours)} ${quadOf("v", "uniforms.vShape.w", isOfFours)}
      ${quadOf("g", "uniforms.gShape.w", isOfFours)}`,
    start: `
      let middle = mean(sample, channel);
      let r = scale(sample, channel);
      var meanOfV = vec4<f32>(0.0);
      var meanOfG = vec4<f32>(0.0);`,
    passes: [
      {
        each: `${values} sums[0] += v0; sums[1] += g0;`,
        then: "meanOfV = sums[0] / count; meanOfG = sums[1] / count;",
      },
      {
        each: `${values} sums[0] += v0 * y; sums[1] += g0 * y; sums[2] += v0 * g0;`,
        then: "let P = sums[0] / count; let Q = sums[1] / count; let S = sums[2] / count;",
      },
    ],
    each: `${values} write4(at, channel, -r * r * (v0 * Q + g0 * P + y * (S - 3.0 * P * Q)));`,
  });
}

/** The sum of each channel of `x` `[…, c]`, over everything: `[c]`. */
export function channelSums(x: tf.TensorInfo): Program {
  const channels = x.shape[x.shape.length - 1];
  const shape = [1, x.shape.slice(0, -1).reduce((product, extent) => product * extent, 1), 1, channels];
  return overChannels("channel sums", { x: { ...x, shape } }, [channels], {
    sums: 1,
    passes: [{ each: "sums[0] += x4(at, channel);", then: "" }],
    once: "write4(0, channel, sums[0]);",
  });
}

/** What is computed of four channels of a sample: `count` is the number of pixels, as `pixels`, and `channels` that of channels. */
interface Sums {
  /** Sums that are made at once, at the most. */
  readonly sums: number;
  readonly reals?: { readonly [name: string]: number };
  readonly helpers?: (isOfFours: (name: string) => boolean) => string;
  readonly start?: string;
  /** `each` adds what is at each pixel, from `at` on, to `sums`; `then` names what the sums over all of them are. */
  readonly passes: readonly { readonly each: string; readonly then: string }[];
  /** At the end, at each pixel. */
  readonly each?: string;
  /** At the end, by one thread. */
  readonly once?: string;
}

function overChannels(
  name: string,
  inputs: { readonly x: tf.TensorInfo; readonly [name: string]: tf.TensorInfo },
  outputShape: readonly number[],
  { sums, reals, helpers = () => "", start = "", passes, each, once }: Sums,
): Program {
  const [n, height, width, channels] = inputs.x.shape;
  const pixels = height * width;
  const slice = sliceOf(pixels);
  const slices = Math.ceil(pixels / slice);
  const everything = { name, inputs: inputs as Program["inputs"], outputShape, slice, known: 0 };

  const none = `sums = array<vec4<f32>, ${sums}>();`;
  const eachPixel = (body: string) => `
    for (var pixel = first + i32(localIndex); pixel < last; pixel += ${threads}) {
      let at = (sample * pixels + pixel) * channels;
      ${body}
    }`;
  const end = each !== undefined ? eachPixel(each) : `if (localIndex == 0u) { ${once} }`;

  /** Of slices of so many pixels; the sums of the passes `known` are inputs. */
  const program = ({ known, slice, ...rest }: typeof everything, body: string): Program => ({
    ...rest,
    reals,
    wholes: { samples: n, pixels, channels, slice },
    count: threads * n * Math.ceil(pixels / slice) * Math.ceil(channels / 4),
    code: (isOfFours) => `
      ${"x" in rest.inputs ? quadOf("x", "uniforms.channels", isOfFours) : ""}
      ${passes.slice(0, known).map((_, i) => quadOf(`pass${i}`, "uniforms.channels", isOfFours)).join("")}
      ${writeQuad("uniforms.channels", isOfFours)}
      ${helpers(isOfFours)}
      ${sumsOfAll(sums)}
      fn main(index : i32) {
        let pixels = uniforms.pixels;
        let channels = uniforms.channels;
        let count = f32(pixels);
        let quads = (channels + 3) / 4;
        let slices = (pixels + uniforms.slice - 1) / uniforms.slice;
        let group = min(index / ${threads}, uniforms.samples * slices * quads - 1);
        let channel = 4 * (group % quads);
        let part = group / quads;
        let sample = part / slices;
        let first = part % slices * uniforms.slice;
        let last = min(first + uniforms.slice, pixels);
        var sums : array<vec4<f32>, ${sums}>;
        ${start}
        ${
      passes.slice(0, known).map(({ then }, i) => `${none} ${sumsKnown(`pass${i}`, sums)} ${then}`).join("")
    }
        ${body}
      }`,
  });

  if (slices === 1) {
    const passed = passes.map(({ each, then }) =>
      `${none} ${eachPixel(each)} sums = sumsOfAll(sums); ${then}`
    );
    return program(everything, passed.join("") + end);
  }
  const before = passes.map(({ each }, i) => {
    const body = `${none} ${eachPixel(each)} sums = sumsOfAll(sums);
      if (localIndex == 0u) { ${
      perSum(sums, (k) => `write4((part * ${sums} + ${k}) * channels, channel, sums[${k}]);`)
    } }`;
    const ofSlices = { name: `${name}, pass ${i}`, outputShape: [n, slices, sums, channels], known: i };
    return [`pass${i}`, program({ ...everything, ...ofSlices }, body)] as const;
  });
  // What one thread writes is made of the sums alone, and what a program does not read cannot be bound.
  const last = {
    name: `${name}, end`,
    known: passes.length,
    ...(each === undefined && { inputs: {}, slice: pixels }),
  };
  return { ...program({ ...everything, ...last }, end), before: Object.fromEntries(before) };
}

/** The sums over all slices, of those of each that a pass wrote, `[n, slices, sums, c]`. */
function sumsKnown(pass: string, sums: number): string {
  return `
    for (var i = i32(localIndex); i < uniforms.${pass}Shape.y; i += ${threads}) {
      let place = (sample * uniforms.${pass}Shape.y + i) * ${sums};
      ${perSum(sums, (k) => `sums[${k}] += ${pass}4((place + ${k}) * channels, channel);`)}
    }
    sums = sumsOfAll(sums);`;
}

const perSum = (sums: number, code: (which: number) => string) =>
  Array.from({ length: sums }, (_, which) => code(which)).join(" ");

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
