/**
 * The one place where a backend is chosen.
 *
 * A process has one TensorFlow.js engine; whoever starts a program starts its backend once, before the first
 * tensor. Everything else calls the ops of `ops.ts` and does not know where they run.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { suggest, UsageError } from "../core/errors.ts";
import { registerCompositions } from "./compositions.ts";
import { startNative } from "./native/backend.ts";
import { recordOn } from "./replay.ts";
import { observeHeap } from "./trace.ts";
import { registerArrayKernels } from "./wasm_arrays.ts";
import { registerWasmKernels } from "./wasm_kernels.ts";
import { registerLineKernels } from "./wasm_lines.ts";
import { modulesOn } from "./wasm_module.ts";
import { replaceStockKernels } from "./wasm_stock.ts";
import { hearFailures } from "./webgpu/failures.ts";
import { registerWebGpuKernels } from "./webgpu/kernels.ts";
import type { WebGpuBackend } from "./webgpu/program.ts";

/** The backends by name, the default first. */
export const backendNames = ["wasm", "cpu", "webgpu", "native"] as const;

/** One of {@linkcode backendNames}. */
export type BackendName = typeof backendNames[number];

/**
 * How sums of products are rounded: once (`fma`, fused multiply-add) or twice (`muladd`) by our own kernels, or
 * as the `backend` likes. Results are the same bits only within one class.
 */
export type Arithmetic = "fma" | "muladd" | "backend";

/** A backend that has been started. */
export interface Backend {
  /** Which one. */
  readonly name: BackendName;
  /** How our kernels round. */
  readonly arithmetic: Arithmetic;
  /** What computes, where the backend can tell: a processor, or the name of a graphics device. */
  readonly device?: string;
  /** Exact versions of the packages that compute, by package name. */
  readonly versions: { readonly [packageName: string]: string };
}

/** What {@linkcode startBackend} takes. */
export interface BackendOptions {
  /** One of {@linkcode backendNames}; any text is taken, and refused in words. Default `wasm`. */
  readonly name?: string;
  /** Whether to use multiply-then-add even where fused multiply-add is at hand: the same bits on more machines. */
  readonly portable?: boolean;
  /** Whether training steps are recorded and replayed, on `wasm`, with the same bits; true unless said. */
  readonly replay?: boolean;
}

/**
 * Starts a backend and makes it the one that computes from now on.
 *
 * @throws {UsageError} where the name is unknown or the backend cannot start here.
 */
export async function startBackend(options: BackendOptions = {}): Promise<Backend> {
  const name = options.name ?? backendNames[0];
  if (!isBackendName(name)) {
    throw new UsageError({
      what: `unknown backend "${name}"`,
      where: "--backend",
      fix: suggest(name, backendNames),
    });
  }
  tf.enableProdMode();
  recordOn(undefined);
  const { arithmetic, device, versions } = await starters[name](
    options.portable ?? false,
    options.replay ?? true,
  );
  return {
    name,
    arithmetic,
    ...(device === undefined ? {} : { device }),
    versions: { "@tensorflow/tfjs-core": tf.version_core, ...versions },
  };
}

function isBackendName(name: string): name is BackendName {
  return (backendNames as readonly string[]).includes(name);
}

type Started = Omit<Backend, "name">;
type Starter = (portable: boolean, replay: boolean) => Promise<Started>;

const starters: { readonly [Name in BackendName]: Starter } = {
  async wasm(portable, replay) {
    const { version_wasm } = await import("@tensorflow/tfjs-backend-wasm");
    // Threads would split sums by their number, so that results depended on the machine.
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
    await use("wasm", "use --backend cpu, and report this with the version of Deno");
    const backend = tf.backend() as BackendWasm;
    const module = await modulesOn(backend, portable);
    observeHeap(backend);
    registerWasmKernels(backend, module);
    registerLineKernels(backend, module);
    replaceStockKernels(backend, module);
    registerArrayKernels(backend, module);
    if (replay) recordOn({ backend, copyValues: module.calls.copyValues });
    return { arithmetic: module.arithmetic, versions: { "@tensorflow/tfjs-backend-wasm": version_wasm } };
  },

  async cpu() {
    const { version_cpu } = await import("@tensorflow/tfjs-backend-cpu");
    await use("cpu", "this should not happen: report it");
    registerCompositions("cpu");
    return { arithmetic: "backend", versions: { "@tensorflow/tfjs-backend-cpu": version_cpu } };
  },

  async webgpu() {
    await import("@tensorflow/tfjs-backend-webgpu");
    await use(
      "webgpu",
      "run Deno with --unstable-webgpu on a machine with a Vulkan, Metal or DirectX 12 driver, or use --backend wasm",
    );
    const backend = tf.backend() as WebGpuBackend;
    hearFailures(backend);
    registerWebGpuKernels(backend, "webgpu");
    registerCompositions("webgpu");
    return {
      arithmetic: "backend",
      device: await graphicsDevice(),
      versions: { "@tensorflow/tfjs-backend-webgpu": tf.version_core },
    };
  },

  async native() {
    const { onGpu, version } = await startNative();
    return {
      arithmetic: "backend",
      device: onGpu ? "a GPU, by CUDA" : "the CPU",
      versions: { "@tensorflow/tfjs-node-gpu": tf.version_core, tensorflow: version },
    };
  },
};

/** The name of the device that TensorFlow.js asks for. */
async function graphicsDevice(): Promise<string> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  const { description, vendor } = adapter!.info;
  return description || vendor;
}

async function use(name: BackendName, fix: string): Promise<void> {
  let cause: unknown;
  const started = await tf.setBackend(name).catch((error) => {
    cause = error;
    return false;
  });
  if (!started) {
    throw new UsageError({
      what: `the backend "${name}" does not start here`,
      where: `--backend ${name}`,
      fix,
    }, { cause });
  }
}
