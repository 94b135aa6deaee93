/**
 * What the kernels of the backend `wasm` do while somebody follows them.
 *
 * **Mental model.** While a computation is followed ({@linkcode follow}), every kernel, every call into our
 * modules, every value that JavaScript brings in and every block of the heap is told to a {@linkcode Trace}.
 * The trace itself only lists them, so that two runs can be compared; a recording (`recording.ts`) is a trace
 * that can be done again.
 *
 * A kernel of TensorFlow.js's own may compute in JavaScript, whose results a replay would not see change. So
 * all of them are refused while a computation is followed, by name, and so is reading a tensor's values.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { explain } from "../core/errors.ts";
import { sizeOf } from "../core/image.ts";
import { sha256 } from "../core/json.ts";
import { outOfMemory } from "./out_of_memory.ts";

/** A function of our modules: numbers and pointers in, nothing or a number out. */
export type Call = (...values: number[]) => number;

/** What the backend keeps of a tensor's data. */
export interface Stored {
  /** Where the values are, in bytes. */
  readonly memoryOffset: number;
  /** How many tensors share them. */
  readonly refCount: number;
}

/** Emscripten's side of the backend, which the package's types leave out. */
export interface Emscripten {
  /** The heap; another view whenever it has grown. */
  readonly HEAPU8: Uint8Array;
  /** A block of so many bytes. */
  _malloc(bytes: number): number;
  /** Takes a block back. */
  _free(pointer: number): void;
}

/** Who follows what is being computed, where somebody does. */
let current: Trace | undefined;

/** Who follows what is being computed, where somebody does: kernels tell it what they do. */
export function underway(): Trace | undefined {
  return current;
}

/** Runs `f` unfollowed: nothing in it will be done again. */
export function aside<T>(f: () => T): T {
  const outer = current;
  current = undefined;
  try {
    return f();
  } finally {
    current = outer;
  }
}

/** Refuses what cannot be replayed, by name, while a computation is followed. */
export function refuse(name: string): void {
  if (current === undefined) return;
  throw new TypeError(explain({
    what: `${name} cannot be replayed: what it computes in JavaScript would stay as it was recorded`,
    where: "a training step",
    fix: "use other ops (engine/ops.ts; engine/wasm_arrays.ts lists the stock ones that can), " +
      "or start the backend with replay: false (--no-replay)",
  }));
}

/**
 * What a computation does, step by step, for comparison: it runs as ever, but for ops that cannot be
 * replayed, which are refused.
 */
export class Trace {
  /** Every kernel with its attributes and shapes and every value that JavaScript brought in, in order. */
  readonly lines: string[] = [];

  /** A kernel is about to run. */
  kernel(name: string, inputs: tf.NamedTensorInfoMap, attributes: unknown): void {
    const shapes = Object.values(inputs).flat().map((input) => `[${(input as tf.TensorInfo)?.shape}]`);
    this.lines.push(`${name} ${shapes.join(" ")} ${JSON.stringify(attributes ?? {})}`);
  }

  /** A function of our modules is about to be called. */
  call(_call: Call, _values: readonly number[]): void {}

  /** A kernel asks where a tensor's data is. */
  use(_tensor: tf.TensorInfo, _at: Stored): void {}

  /** A kernel writes a variable's data in place. */
  write(_variable: tf.TensorInfo): void {}

  /** A kernel gives a variable new data: right this once, but the calls that are noted read the old ones. */
  spoil(): void {}

  /** JavaScript makes a tensor of values, by `write`. */
  upload(write: () => tf.DataId, values: ArrayBufferView, shape: readonly number[]): tf.DataId {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const some = sizeOf(shape) <= 4 ? `: ${values}` : "";
    this.lines.push(`values [${shape}]${some} ${sha256(bytes)}`);
    return write();
  }

  /** Memory for a tensor, or undefined where the heap is to give it. */
  allocate(_bytes: number): number | undefined {
    return undefined;
  }

  /** A tensor's memory is not needed any more; false where the heap is to take it back. */
  release(_block: number): boolean {
    return false;
  }

  /** A tensor that is fetched anew each time. */
  input(fetch: () => tf.Tensor): tf.Tensor {
    const fetched = aside(fetch);
    this.lines.push(`input [${fetched.shape}]`);
    return fetched;
  }

  /** Hands a tensor to `take` each time. */
  output(tensor: tf.Tensor, _copyValues: Call, take: (copy: tf.Tensor) => void): void {
    aside(() => take(tensor));
  }
}

/** Runs `compute` while `trace` is told what it does. */
export function follow(trace: Trace, compute: () => void): void {
  const outer = current;
  current = trace;
  try {
    compute();
  } finally {
    current = outer;
  }
}

const observed = new WeakSet<BackendWasm>();

/** Lets traces see the backend's heap, and guards what they could not see. Does nothing the second time. */
export function observeHeap(backend: BackendWasm): void {
  if (observed.has(backend)) return;
  observed.add(backend);
  const heap = backend.wasm as unknown as Emscripten;
  heap._free(heap._malloc(16)); // Emscripten puts the functions themselves in their place at the first call
  const { _malloc: malloc, _free: free } = heap;
  // Within a trace's own methods the heap is the heap.
  heap._malloc = (bytes) => {
    const recording = current;
    // A number of bytes that 32 bits do not hold would reach the heap as what is left of it.
    const block = bytes >= 2 ** 32
      ? 0
      : (recording && aside(() => recording.allocate(bytes))) ?? malloc(bytes);
    // TensorFlow.js would go on, and write over what is at the beginning of the heap.
    if (block === 0 && bytes > 0) {
      throw outOfMemory("wasm", `no room for ${Math.ceil(bytes / 2 ** 20)} MB more`);
    }
    return block;
  };
  heap._free = (pointer) => {
    const recording = current;
    if (recording === undefined || !aside(() => recording.release(pointer))) free(pointer);
  };

  const write = backend.write;
  backend.write = (values, shape, dtype) => {
    const run = () => write.call(backend, values, shape, dtype);
    // `makeOutput` writes nothing.
    return current === undefined || values === null
      ? run()
      : current.upload(run, values as Float32Array, shape);
  };
  const readSync = backend.readSync;
  backend.readSync = (...what) => {
    refuse("reading a tensor's values");
    return readSync.apply(backend, what);
  };
  for (const config of tf.getKernelsForBackend("wasm")) {
    if (aliases.has(config.kernelName)) continue;
    tf.unregisterKernel(config.kernelName, "wasm");
    tf.registerKernel({
      ...config,
      kernelFunc: (call) => {
        refuse(config.kernelName);
        return config.kernelFunc(call);
      },
    });
  }
}

/** Stock kernels that only hand the same data on. */
const aliases = new Set(["Reshape", "ExpandDims"]);
