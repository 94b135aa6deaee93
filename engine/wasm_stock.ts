/**
 * Stock kernels of the wasm backend that ours stand before, because they copy needlessly, are slow, or do not notice what
 * is written in place. What ours do not cover (other types, shapes) goes to the stock kernel as before.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { sizeOf } from "../core/image.ts";
import { registerOnWasm, stored, type WasmModule } from "./wasm_module.ts";

/** Puts ours before Identity, Cast and BatchMatMul. */
export function replaceStockKernels(backend: BackendWasm, module: WasmModule): void {
  shareCopies(backend);
  multiplyMatrices(backend, module);
}

/** The backend's own kernels that ours stand before, each as it was found: they cannot be replayed. */
const stockKernels = new Map<string, tf.KernelFunc>();

/** The backend's own kernel of this name, also when one of ours stands before it. */
export function stockKernel(kernelName: string): tf.KernelFunc {
  let kernelFunc = stockKernels.get(kernelName);
  if (kernelFunc === undefined) {
    kernelFunc = tf.getKernel(kernelName, "wasm").kernelFunc;
    stockKernels.set(kernelName, kernelFunc);
  }
  return kernelFunc;
}

/**
 * Identity, and Cast to the same type, as one more reference to the same data, as on other backends. Stock wasm copies, and
 * the tape clones every tensor that it saves.
 */
function shareCopies(backend: BackendWasm): void {
  const alias = ({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo => {
    backend.incRef(dataId);
    return { dataId, shape, dtype };
  };
  const copy = stockKernel("Identity");
  registerOnWasm("Identity", (call) => {
    const x = call.inputs.x as tf.TensorInfo;
    return x.dtype === "string" ? copy(call) : alias(x);
  });
  const cast = stockKernel("Cast");
  registerOnWasm("Cast", (call) => {
    const x = call.inputs.x as tf.TensorInfo;
    return x.dtype === call.attrs?.dtype && x.dtype !== "string" ? alias(x) : cast(call);
  });
}

/**
 * Matrix products as 1x1 convolutions: `a·b`, `a·bᵀ` and `aᵀ·b` are the three directions of one. Stock wasm keeps a
 * packed copy of `b` that it does not renew when `b` is written in place (as Adam does), and its transposed products are slow.
 */
function multiplyMatrices(backend: BackendWasm, { calls, scratch }: WasmModule): void {
  const stock = stockKernel("BatchMatMul");
  registerOnWasm("BatchMatMul", (call) => {
    const { a, b } = call.inputs as unknown as { a: tf.TensorInfo; b: tf.TensorInfo };
    const { transposeA, transposeB } = call.attrs as unknown as { transposeA: boolean; transposeB: boolean };
    const batch = a.shape.slice(0, -2);
    const plain = tf.util.arraysEqual(batch, b.shape.slice(0, -2)) && a.dtype === "float32" &&
      b.dtype === "float32";
    if (!plain || (transposeA && transposeB)) return stock(call);

    const [aRows, aColumns] = a.shape.slice(-2);
    const [bRows, bColumns] = b.shape.slice(-2);
    const [rows, inner] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
    const columns = transposeB ? bRows : bColumns;
    // The image [1, 1, width, channels] and the filter [1, 1, channels, outputs] of the convolution.
    const [name, width, channels, outputs] = transposeA
      ? ["convBackpropFilter", inner, rows, columns] as const
      : transposeB
      ? ["convBackpropInput", rows, columns, inner] as const
      : ["convForward", rows, inner, columns] as const;
    const sizes = [1, 1, width, channels, 1, 1, outputs, 0];
    const out = backend.makeOutput([...batch, rows, columns], "float32");
    const room = scratch(calls[`${name}Scratch`](...sizes));
    const [atA, atB, atOut] = [a, b, out].map((tensor) => stored(backend, tensor).memoryOffset);
    for (let i = 0; i < sizeOf(batch); i++) {
      const [offsetA, offsetB, offsetOut] = [rows * inner, inner * columns, rows * columns].map((size) =>
        4 * i * size
      );
      calls[name](atA + offsetA, atB + offsetB, atOut + offsetOut, ...sizes, room);
    }
    return out;
  });
}
