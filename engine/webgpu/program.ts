/**
 * How a kernel of ours runs on the WebGPU backend of TensorFlow.js: that backend binds tensors and uniforms, keeps compiled
 * programs, and queues what is dispatched; what is here says which, and brings the WGSL.
 *
 * A program finds its inputs as arrays of their names, their shapes as `uniforms.<name>Shape`, its numbers as
 * `uniforms.<name>`, and writes `result`. A tensor whose channels come in fours is an array of `vec4<f32>`, any other one of
 * `f32`: {@linkcode quadOf} and {@linkcode writeQuad} write what reads and writes either of them by fours.
 */

import type * as tf from "@tensorflow/tfjs-core";

/** What we use of TensorFlow.js's `WebGPUBackend`. */
export interface WebGpuBackend extends tf.KernelBackend {
  disposeData(dataId: tf.DataId): boolean;
  readonly device: {
    readonly limits: { readonly maxStorageBufferBindingSize: number };
    /** Comes to pass when the device is gone. */
    readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
    createBuffer(wanted: { readonly size: number }): unknown;
    addEventListener(
      event: "uncapturederror",
      listener: (told: { readonly error: { readonly message: string } }) => void,
    ): void;
  };
  runWebGPUProgram(
    program: object,
    inputs: readonly tf.TensorInfo[],
    outputType: tf.DataType,
    uniforms: readonly { readonly type: "int32" | "float32"; readonly data: readonly number[] }[],
  ): tf.TensorInfo;
}

/** Something to be computed. */
export interface Program {
  /** One name has one source, but for how tensors are laid out. */
  readonly name: string;
  readonly inputs: { readonly [name: string]: tf.TensorInfo };
  /** What is computed before it, in this order; it, and each that comes after, has the results as inputs of these names. */
  readonly before?: { readonly [name: string]: Program };
  readonly outputShape: readonly number[];
  /** Whole numbers that it reads. */
  readonly wholes?: { readonly [name: string]: number };
  /** Real numbers that it reads. */
  readonly reals?: { readonly [name: string]: number };
  /** Whether tensors are arrays of `f32` whatever their channels are. */
  readonly byOnes?: boolean;
  /** Threads at the least: they come in workgroups of {@linkcode threads}. */
  readonly count: number;
  /** WGSL with `fn main(index : i32)`, which each thread calls; which tensors are of fours is told by name. */
  readonly code: (isOfFours: (name: string) => boolean) => string;
}

/** Threads of a workgroup. */
export const threads = 64;

/**
 * Pixels that a workgroup sums at the most. Mesa's software Vulkan ends an invocation after 65,535 turns of its loops, all
 * of them together, and tells nobody (`LP_MAX_TGSI_LOOP_ITERATIONS`): so what grows with an image or a batch is cut into
 * slices, by its shape alone, such that the order of a sum is always the same.
 */
const mostShared = 1024 * threads;

/** Pixels of each slice, the last of which may have fewer. */
export function sliceOf(pixels: number): number {
  return Math.ceil(pixels / Math.ceil(pixels / mostShared));
}

/** Runs it; the result is the caller's. */
export function run(backend: WebGpuBackend, program: Program): tf.TensorInfo {
  const made: { [name: string]: tf.TensorInfo } = {};
  const withMade = (one: Program) => ({ ...one, inputs: { ...one.inputs, ...made } });
  for (const [name, part] of Object.entries(program.before ?? {})) {
    made[name] = runOne(backend, withMade(part));
  }
  const result = runOne(backend, withMade(program));
  Object.values(made).forEach(({ dataId }) => backend.disposeData(dataId));
  return result;
}

function runOne(backend: WebGpuBackend, program: Program): tf.TensorInfo {
  const { name, inputs, outputShape, wholes = {}, reals = {}, byOnes = false, count, code } = program;
  const names = Object.keys(inputs);
  const componentsOf = (shape: readonly number[]) =>
    !byOnes && shape.length > 0 && shape.at(-1)! % 4 === 0 ? 4 : 1;
  const components = names.map((name) => componentsOf(inputs[name].shape));
  const outputComponents = componentsOf(outputShape);
  const isOfFours = (name: string) =>
    (name === "result" ? outputComponents : components[names.indexOf(name)]) === 4;
  const declared = [
    ...Object.keys(wholes).map((name) => `${name} : i32, `),
    ...Object.keys(reals).map((name) => `${name} : f32, `),
  ];
  return backend.runWebGPUProgram(
    {
      outputShape: [...outputShape],
      dispatchLayout: { x: outputShape.map((_, axis) => axis) },
      dispatch: [Math.ceil(count / threads), 1, 1],
      workgroupSize: [threads, 1, 1],
      variableNames: names,
      variableComponents: components,
      outputComponent: outputComponents,
      uniforms: declared.join(""),
      shaderKey: `engine ${name} ${components} ${outputComponents}`,
      getUserCode: () => code(isOfFours),
    },
    Object.values(inputs),
    "float32",
    [
      ...Object.values(wholes).map((value) => ({ type: "int32" as const, data: [value] })),
      ...Object.values(reals).map((value) => ({ type: "float32" as const, data: [value] })),
    ],
  );
}

/**
 * `fn <name>4(at : i32, channel : i32) -> vec4<f32>`: four channels from `channel` on, a multiple of four, of the pixel whose
 * channels begin at `at`; zeros where there are none, but the first is always one. It has no loop, whose turns would add up
 * (see {@linkcode sliceOf}).
 */
export function quadOf(name: string, channels: string, isOfFours: (name: string) => boolean): string {
  return isOfFours(name)
    ? `fn ${name}4(at : i32, channel : i32) -> vec4<f32> { return ${name}[(at + channel) / 4]; }`
    : `fn ${name}4(at : i32, channel : i32) -> vec4<f32> {
        let start = at + channel;
        let count = ${channels} - channel;
        var values = vec4<f32>(${name}[start], 0.0, 0.0, 0.0);
        if (count > 1) { values.y = ${name}[start + 1]; }
        if (count > 2) { values.z = ${name}[start + 2]; }
        if (count > 3) { values.w = ${name}[start + 3]; }
        return values;
      }`;
}

/** `fn write4(at : i32, channel : i32, values : vec4<f32>)`: the same of the result. */
export function writeQuad(channels: string, isOfFours: (name: string) => boolean): string {
  return isOfFours("result")
    ? `fn write4(at : i32, channel : i32, values : vec4<f32>) { result[(at + channel) / 4] = values; }`
    : `fn write4(at : i32, channel : i32, values : vec4<f32>) {
        let to = at + channel;
        let count = ${channels} - channel;
        result[to] = values.x;
        if (count > 1) { result[to + 1] = values.y; }
        if (count > 2) { result[to + 2] = values.z; }
        if (count > 3) { result[to + 3] = values.w; }
      }`;
}

/**
 * `fn sumsOfAll(values : array<vec4<f32>, N>)`, and the same of what it returns: the sums over the threads of a workgroup,
 * always in one order. All threads must call it. Sums are made of eights twice: a barrier costs more than an addition.
 */
export function sumsOfAll(count: number): string {
  const each = `array<vec4<f32>, ${count}>`;
  return `
  var<workgroup> parts : array<vec4<f32>, ${threads * count}>;
  fn sumOfEight(start : i32) -> vec4<f32> {
    var sum = parts[start];
    for (var i = 1; i < 8; i++) { sum += parts[start + i]; }
    return sum;
  }
  fn sumsOfAll(values : ${each}) -> ${each} {
    let own = i32(localIndex);
    workgroupBarrier();
    for (var i = 0; i < ${count}; i++) { parts[i * ${threads} + own] = values[i]; }
    workgroupBarrier();
    var sum = vec4<f32>(0.0);
    if (own < ${8 * count}) { sum = sumOfEight(8 * own); }
    workgroupBarrier();
    if (own < ${8 * count}) { parts[own] = sum; }
    workgroupBarrier();
    var sums : ${each};
    for (var i = 0; i < ${count}; i++) { sums[i] = sumOfEight(8 * i); }
    return sums;
  }`;
}
