/**
 * Our kernels on the native backend, where TensorFlow has one op for what would else be a composition: each call costs 0.1
 * to 0.2 ms there, whatever it computes.
 */

import * as tf from "@tensorflow/tfjs-core";
import { kernel } from "../kernel_names.ts";

/** What we use of `NodeJSKernelBackend` in `@tensorflow/tfjs-node-gpu`. */
export interface NativeBackend extends tf.KernelBackend {
  readonly binding: { readonly [constant: string]: number };
  executeSingleOutput(
    name: string,
    attributes: readonly object[],
    inputs: readonly tf.TensorInfo[],
  ): tf.Tensor;
}

// deno-lint-ignore no-explicit-any -- attributes are whatever `ops.ts` gave, by name
type Attributes = any;
type Inputs = { readonly [name: string]: tf.TensorInfo };
type Kernel = (inputs: Inputs, attributes: Attributes) => tf.TensorInfo;

/** Registers them on `backendName`, before the compositions that stand in for the others. */
export function registerNativeKernels(backend: NativeBackend, backendName: string): void {
  for (const [kernelName, run] of Object.entries(kernels(backend))) {
    if (tf.getKernel(kernelName, backendName) !== undefined) tf.unregisterKernel(kernelName, backendName);
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs }) => tf.tidy(() => run(inputs as Inputs, attrs) as tf.Tensor),
    });
  }
}

function kernels(backend: NativeBackend): { readonly [name: string]: Kernel } {
  const { binding } = backend;
  const type = (name: string, value: number) => ({ name, type: binding.TF_ATTR_TYPE, value });
  const float = type("T", binding.TF_FLOAT);
  const text = (name: string, value: string) => ({ name, type: binding.TF_ATTR_STRING, value });
  const numbers = (name: string, value: readonly number[]) => ({ name, type: binding.TF_ATTR_INT, value });
  const whole = (name: string, value: number) => ({ name, type: binding.TF_ATTR_INT, value });
  const real = (name: string, value: number) => ({ name, type: binding.TF_ATTR_FLOAT, value });
  const flag = (name: string, value: boolean) => ({ name, type: binding.TF_ATTR_BOOL, value });
  const shapeTensor = (shape: readonly number[]) => tf.tensor1d([...shape], "int32");

  const convolution = (padding: number) => [
    float,
    numbers("strides", [1, 1, 1, 1]),
    ...(padding === 0 ? [text("padding", "VALID")] : [
      text("padding", "EXPLICIT"),
      numbers("explicit_paddings", [0, 0, padding, padding, padding, padding, 0, 0]),
    ]),
    text("data_format", "NHWC"),
    flag("use_cudnn_on_gpu", true),
    numbers("dilations", [1, 1, 1, 1]),
  ];

  return {
    [kernel.conv2d]: ({ x, filter }, { padding }) =>
      backend.executeSingleOutput("Conv2D", convolution(padding), [x, filter]),

    [kernel.conv2dBackpropInput]: ({ gradient, filter }, { padding, height, width }) =>
      backend.executeSingleOutput("Conv2DBackpropInput", convolution(padding), [
        shapeTensor([gradient.shape[0], height, width, filter.shape[2]]),
        filter,
        gradient,
      ]),

    [kernel.conv2dBackpropFilter]: ({ x, gradient }, { padding, filterHeight, filterWidth }) =>
      backend.executeSingleOutput("Conv2DBackpropFilter", convolution(padding), [
        x,
        shapeTensor([filterHeight, filterWidth, x.shape[3], gradient.shape[3]]),
        gradient,
      ]),

    [kernel.leakyRelu]: ({ x }, { slope }) =>
      backend.executeSingleOutput("LeakyRelu", [real("alpha", slope), float], [x]),

    [kernel.leakyReluGradient]: ({ where, x }, { slope }) =>
      backend.executeSingleOutput("LeakyReluGrad", [real("alpha", slope), float], [x, where]),

    [kernel.addToChannels]: ({ x, bias }) =>
      backend.executeSingleOutput("BiasAdd", [float, text("data_format", "NHWC")], [x, bias]),

    [kernel.channelSums]: ({ x }) =>
      backend.executeSingleOutput("BiasAddGrad", [float, text("data_format", "NHWC")], [x]),

    // Each pixel as a 2x2 block; TensorFlow copies exactly at this size.
    [kernel.blockFill]: ({ x }, { scale }) => {
      const [, height, width] = x.shape;
      const large = backend.executeSingleOutput("ResizeNearestNeighbor", [
        float,
        flag("align_corners", false),
        flag("half_pixel_centers", false),
      ], [x, shapeTensor([2 * height, 2 * width])]);
      return scale === 1 ? large : tf.mul(large, scale);
    },

    [kernel.blockSum]: ({ x }, { scale, start, size, channels }) => {
      const [n, height, width] = x.shape;
      const some = size === channels
        ? x
        : tf.slice(x as tf.Tensor4D, [0, 0, 0, start], [n, height, width, size]);
      const mean = backend.executeSingleOutput("AvgPool", [
        float,
        numbers("ksize", [1, 2, 2, 1]),
        numbers("strides", [1, 2, 2, 1]),
        text("padding", "VALID"),
        text("data_format", "NHWC"),
      ], [some]);
      return scale === 0.25 ? mean : tf.mul(mean, 4 * scale);
    },

    [kernel.l2]: ({ a, b }) => tf.mean(tf.squaredDifference(a as tf.Tensor, b as tf.Tensor)),

    [kernel.concatChannels]: ({ a, b }) =>
      backend.executeSingleOutput("ConcatV2", [
        float,
        whole("N", 2),
        type("Tidx", binding.TF_INT32),
      ], [a, b, tf.scalar(a.shape.length - 1, "int32")]),
  };
}
