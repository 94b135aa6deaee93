/**
 * Our kernels on WebGPU: those that would else be compositions of many ops, or that TensorFlow.js computes slowly there.
 * Everything is queued: no result is waited for.
 */

import * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../../core/image.ts";
import { kernel } from "../kernel_names.ts";
import { convolution, filterGradient, imageGradient } from "./convolutions.ts";
import {
  blockFill,
  blockSum,
  concatUpsampled,
  depthToSpace,
  spaceToDepth,
  stackSlices,
  unstackSlices,
} from "./moves.ts";
import { channelSums, curvature, gradient, normalised, statistics } from "./norm.ts";
import { type Program, run, type WebGpuBackend } from "./program.ts";
import { mendStockKernels } from "./stock.ts";

// deno-lint-ignore no-explicit-any -- attributes are whatever `ops.ts` gave, by name
type Attributes = any;
type Inputs = { readonly [name: string]: tf.TensorInfo };

/** Registers them on `backendName`, before the compositions that stand in for the others. */
export function registerWebGpuKernels(backend: WebGpuBackend, backendName: string): void {
  for (const [kernelName, programsOf] of Object.entries(kernels)) {
    if (tf.getKernel(kernelName, backendName) !== undefined) continue;
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs }) =>
        programsOf(inputs as Inputs, attrs, (program) => run(backend, program)),
    });
  }
  mendStockKernels(backendName);
}

type Run = (program: Program) => tf.TensorInfo;
type Kernel = (inputs: Inputs, attributes: Attributes, run: Run) => tf.TensorInfo | tf.TensorInfo[];

const kernels: { readonly [name: string]: Kernel } = {
  [kernel.conv2d]: ({ x, filter }, { padding }, run) => run(convolution(x, filter, padding)),
  [kernel.conv2dBackpropInput]: ({ gradient, filter }, sizes, run) =>
    run(imageGradient(gradient, filter, sizes)),
  [kernel.conv2dBackpropFilter]: ({ x, gradient }, sizes, run) => run(filterGradient(x, gradient, sizes)),

  [kernel.instanceNormStatistics]: ({ x }, { epsilon }, run) => run(statistics(x, epsilon)),
  [kernel.instanceNorm]: (inputs, { slope }, run) => run(normalised(inputs.x, inputs.statistics, slope)),
  [kernel.instanceNormGradient]: (inputs, slopes, run) =>
    run(gradient(inputs.x, inputs.statistics, inputs.v, slopes)),
  [kernel.instanceNormCurvature]: (inputs, slopes, run) =>
    run(curvature(inputs.x, inputs.statistics, inputs.v, inputs.g, slopes)),

  [kernel.leakyRelu]: ({ x }, { slope }, run) =>
    run(
      pointwise(
        "leaky ReLU",
        { x },
        { slope },
        "select(uniforms.slope * x[index], x[index], x[index] > zero)",
      ),
    ),
  [kernel.leakyReluGradient]: ({ where, x }, { slope }, run) =>
    run(
      pointwise(
        "leaky ReLU gradient",
        { place: where, x },
        { slope },
        "select(uniforms.slope * x[index], x[index], place[index] > zero)",
      ),
    ),

  [kernel.channelSums]: ({ x }, _attributes, run) => run(channelSums(x)),
  [kernel.blockSum]: ({ x }, { scale, start, size }, run) => run(blockSum(x, scale, start, size)),
  [kernel.blockFill]: ({ x }, { scale }, run) => run(blockFill(x, scale)),
  [kernel.concatUpsampled]: ({ a, b }, _attributes, run) => run(concatUpsampled(a, b)),
  [kernel.spaceToDepth]: ({ x }, sizes, run) => run(spaceToDepth(x, sizes)),
  [kernel.depthToSpace]: ({ x }, sizes, run) => run(depthToSpace(x, sizes)),
  [kernel.stackSlices]: ({ x }, sizes, run) => run(stackSlices(x, sizes)),
  [kernel.unstackSlices]: ({ x }, sizes, run) => run(unstackSlices(x, sizes)),

  [kernel.l1Gradient]: ({ a, b, gradient }, _attributes, run) =>
    run(pointwise(
      "L1 gradient",
      { a, b, gradient },
      { share: 1 / sizeOf(a.shape) },
      `
      uniforms.share * gradient[0] * sign(a[index] - b[index])`,
    )),
  [kernel.l2Gradient]: ({ a, b, gradient }, _attributes, run) =>
    run(pointwise(
      "L2 gradient",
      { a, b, gradient },
      { share: 2 / sizeOf(a.shape) },
      `
      uniforms.share * gradient[0] * (a[index] - b[index])`,
    )),

  // Each of the three is a program of its own, since a program writes one tensor.
  [kernel.adam]: ({ variable, gradient, first, second, pace }, { beta1, beta2 }, run) => {
    const mean = (old: tf.TensorInfo, beta: number, of: string) =>
      run(
        pointwise(
          `Adam's mean of ${of}`,
          { old, gradient },
          { beta, rest: 1 - beta },
          `
          uniforms.beta * old[index] + uniforms.rest * ${of}`,
        ),
      );
    const m = mean(first, beta1, "gradient[index]");
    const v = mean(second, beta2, "gradient[index] * gradient[index]");
    const moved = run(
      pointwise(
        "Adam",
        { variable, m, v, pace },
        {},
        "variable[index] - pace[0] * (m[index] / (sqrt(v[index]) + pace[1]))",
      ),
    );
    return [moved, m, v];
  },
};

/** `value` of each place `index`; inputs of the result's shape are of fours where the result is. */
function pointwise(name: string, inputs: Inputs, reals: { [name: string]: number }, value: string): Program {
  const [{ shape }] = Object.values(inputs);
  const together = shape.length > 0 && shape[shape.length - 1] % 4 === 0 ? 4 : 1;
  const count = sizeOf(shape) / together;
  return {
    name,
    inputs,
    outputShape: shape,
    reals,
    wholes: { count },
    count,
    code: () => `
      fn main(index : i32) {
        let zero = ${together === 4 ? "vec4<f32>(0.0)" : "0.0"};
        if (index < uniforms.count) { result[index] = ${value}; }
      }`,
  };
}
