/** TensorFlow itself as a backend: `@tensorflow/tfjs-node-gpu` with the binding that `deno task native` built. */

import * as tf from "@tensorflow/tfjs-core";
import { createRequire } from "node:module";
import util from "node:util";
import { UsageError } from "../../core/errors.ts";
import { registerCompositions } from "../compositions.ts";
import { outOfMemory } from "../out_of_memory.ts";
import { keepingGradients } from "../stock_gradients.ts";
import { bindingName, nativeFolder } from "./folder.ts";
import { type NativeBackend, registerNativeKernels } from "./kernels.ts";

/** The name under which the package registers its kernels. */
export const nativeName = "tensorflow";

/**
 * Loads the binding and registers backend and kernels.
 *
 * @returns whether a GPU computes, and TensorFlow's version.
 * @throws {UsageError} where it is not built, or does not load.
 */
export async function startNative(
  folder: string = nativeFolder,
): Promise<{ onGpu: boolean; version: string }> {
  const binding = await loadBinding(folder);
  if (tf.findBackend(nativeName) === null) {
    supplyOldUtilities();
    // The package's main module would look for its own download. It brings a copy of TensorFlow.js, which shares the
    // engine and the registries of kernels and gradients with ours, all being global.
    const require = createRequire(`${folder}/package.json`);
    const within = (module: string) => require(`@tensorflow/tfjs-node-gpu/dist/${module}.js`);
    const NodeJSKernelBackend = keepingGradients(() => {
      within("register_all_kernels");
      return within("nodejs_kernel_backend").NodeJSKernelBackend;
    });
    tf.registerBackend(
      nativeName,
      () => new NodeJSKernelBackend(wordingMemory(binding), "@tensorflow/tfjs-node"),
    );
  }
  await tf.setBackend(nativeName);
  registerNativeKernels(tf.backend() as NativeBackend, nativeName);
  registerCompositions(nativeName);
  return { onGpu: binding.isUsingGpuDevice(), version: binding.TF_Version };
}

interface Binding {
  readonly TF_Version: string;
  isUsingGpuDevice(): boolean;
  executeOp(...given: unknown[]): unknown;
}

/** The binding, whose error where memory is full is worded. */
function wordingMemory(binding: Binding): Binding {
  return Object.create(binding, {
    executeOp: {
      value(...given: unknown[]): unknown {
        try {
          return binding.executeOp(...given);
        } catch (error) {
          const [tensor] = /OOM when allocating tensor.*/.exec((error as Error).message) ?? [];
          if (tensor === undefined) throw error;
          throw outOfMemory("native", tensor, { cause: error });
        }
      },
    },
  });
}

async function loadBinding(folder: string): Promise<Binding> {
  const path = `${folder}/${bindingName}`;
  const there = await Deno.stat(path).then(() => true, () => false);
  if (!there) {
    throw new UsageError({
      what: `the native backend is not built: there is no ${path}`,
      where: "--backend native",
      fix: "run deno task native, or use --backend wasm, which needs nothing but npm packages",
    });
  }
  // TensorFlow tells which instructions it uses, on every start.
  if (Deno.env.get("TF_CPP_MIN_LOG_LEVEL") === undefined) Deno.env.set("TF_CPP_MIN_LOG_LEVEL", "2");
  try {
    return createRequire(import.meta.url)(path) as Binding;
  } catch (cause) {
    throw new UsageError({
      what: `the binding ${path} does not load: ${(cause as Error).message}`,
      where: "--backend native",
      fix: "build it again with deno task native",
    }, { cause });
  }
}

/** The package calls two functions of `node:util` that newer versions of Node and Deno no longer have. */
function supplyOldUtilities(): void {
  const old = util as unknown as Record<string, unknown>;
  old.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  old.isArray ??= Array.isArray;
}
