/**
 * Our WebAssembly modules, living on the heap of TensorFlow.js's wasm backend.
 *
 * They import that heap as their memory, so a kernel of ours reads and writes tensors where they are, by pointer. The sources,
 * and how they are compiled, are in `kernels/`.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { aside, type Call, type Stored, underway } from "./trace.ts";

/** The functions of all modules, by name; `kernels/README.md` and the sources say what they take. */
export type Calls = { readonly [name: string]: Call };

/** The modules on one heap. */
export interface WasmModule {
  readonly arithmetic: "fma" | "muladd";
  readonly calls: Calls;
  /**
   * A pointer to at least `bytes` bytes of scratch memory that belong to the caller until its kernel ends. There is one block,
   * which grows to what the largest kernel needs.
   */
  scratch(bytes: number): number;
}

const moduleNames = [
  "arrays",
  "blocks",
  "channels",
  "conv",
  "fourier",
  "lines",
  "logarithms",
  "norm",
  "pointwise",
];

const instances = new WeakMap<BackendWasm, Map<boolean, Promise<WasmModule>>>();

/**
 * The modules on the backend's heap, instantiated once: the `fma` ones where this machine has fused multiply-add, unless
 * `portable`, else the `muladd` ones.
 */
export function modulesOn(backend: BackendWasm, portable: boolean): Promise<WasmModule> {
  const ofBackend = instances.get(backend) ?? new Map<boolean, Promise<WasmModule>>();
  instances.set(backend, ofBackend);
  const modules = ofBackend.get(portable) ?? instantiateModules(backend, portable);
  ofBackend.set(portable, modules);
  return modules;
}

async function instantiateModules(backend: BackendWasm, portable: boolean): Promise<WasmModule> {
  const memory = heapOf(backend);
  const fused = portable ? undefined : await instantiate("fma", memory).catch(ignoreUnsupported);
  const arithmetic = fused !== undefined && isFused(fused) ? "fma" : "muladd";
  const calls = arithmetic === "fma" ? fused! : await instantiate("muladd", memory);

  let block = 0;
  let blockBytes = 0;
  let recorded = false;
  // Emscripten's allocator, which the package's types leave out.
  const heap = backend.wasm as unknown as {
    _malloc(bytes: number): number;
    _free(pointer: number): void;
  };
  return {
    arithmetic,
    calls: Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, noted(name, call)])),
    scratch(bytes) {
      if (bytes > blockBytes) {
        // A recorded call may still point to it. All that were outgrown are at most five times as large.
        if (block !== 0 && !recorded) aside(() => heap._free(block));
        recorded = false;
        // A quarter more, so that slowly growing needs do not copy the heap time and again.
        const wanted = Math.ceil(bytes * 1.25 / 16) * 16;
        [block, blockBytes] = [0, 0];
        block = aside(() => heap._malloc(wanted)) >>> 0; // signed beyond 2 GB
        blockBytes = wanted;
      }
      if (underway() !== undefined) recorded = true;
      return block;
    },
  };
}

/** The function, whose calls are told to whoever follows them. Scratch sizes are only asked for. */
function noted(name: string, call: Call): Call {
  if (name.endsWith("Scratch")) return call;
  return (...values) => {
    underway()?.call(call, values);
    return call(...values);
  };
}

async function instantiate(arithmetic: "fma" | "muladd", memory: WebAssembly.Memory): Promise<Calls> {
  const imports = {
    env: {
      memory,
      abort: () => {
        throw new Error("a WebAssembly kernel aborted");
      },
    },
  };
  const parts = moduleNames.map(async (name) => {
    const bytes = await Deno.readFile(new URL(`./kernels/${name}.${arithmetic}.wasm`, import.meta.url));
    return (await WebAssembly.instantiate(bytes, imports)).instance.exports;
  });
  return Object.assign({}, ...await Promise.all(parts)) as Calls;
}

/** An engine without relaxed SIMD refuses to compile the `fma` modules. */
function ignoreUnsupported(error: unknown): undefined {
  if (!(error instanceof WebAssembly.CompileError)) throw error;
}

/**
 * Whether multiply-add rounds once. Without the instruction V8 silently multiplies, rounds, adds and rounds again:
 * (1 + 2⁻¹³)(1 − 2⁻¹³) = 1 − 2⁻²⁶ rounds to 1, and what is left of 1 is then 0 instead of −2⁻²⁶.
 */
function isFused(calls: Calls): boolean {
  return calls.multiplyAdd(1 + 2 ** -13, 1 - 2 ** -13, -1) !== 0;
}

/** The heap among the exports of the backend's own module; found by its type, since their names are minified. */
function heapOf(backend: BackendWasm): WebAssembly.Memory {
  for (const part of Object.values(backend.wasm)) {
    if (part === null || typeof part !== "object") continue;
    for (const value of Object.values(part)) {
      if (value instanceof WebAssembly.Memory) return value;
    }
  }
  throw new Error(
    "the wasm backend of TensorFlow.js exports no memory: is it the version that deno.json pins?",
  );
}

/** What the backend keeps of a tensor's data at this moment, for a kernel that points to it. */
export function stored(backend: BackendWasm, tensor: tf.TensorInfo): Stored {
  const data = backend.dataIdMap.get(tensor.dataId) as unknown as Stored;
  underway()?.use(tensor, data);
  return data;
}

/**
 * Registers a kernel on `wasm`, in place of any of its name. All that it computes must be calls into our
 * modules, or it could not be replayed.
 */
export function registerOnWasm(kernelName: string, kernelFunc: tf.KernelFunc): void {
  if (tf.getKernel(kernelName, "wasm") !== undefined) tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({
    kernelName,
    backendName: "wasm",
    kernelFunc: (call) => {
      underway()?.kernel(kernelName, call.inputs, call.attrs);
      return kernelFunc(call);
    },
  });
}
