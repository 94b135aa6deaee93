/**
 * A process that makes training steps of one kind when it is told to, and says how long they took.
 *
 * Its one argument is a {@linkcode StepKind} as JSON. It warms up, prints a line, and then answers each line
 * of its standard input, a count, with the median milliseconds of so many steps. `torch_steps.py` speaks the
 * same.
 */

import { createInterface } from "node:readline";
import process from "node:process";
import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../../core/random.ts";
import { resolve } from "../../core/settings.ts";
import { startBackend } from "../../engine/backend.ts";
import { registerCompositions } from "../../engine/compositions.ts";
import { cycleGan } from "../../methods/cyclegan.ts";
import type { Batch, Learner, Method } from "../../methods/method.ts";
import { otCycleGan } from "../../methods/ot_cyclegan.ts";
import { supervised } from "../../methods/supervised.ts";
import { maskedFourier } from "../../physics/fourier.ts";
import { centralLines } from "../../physics/masks.ts";
import { timed } from "./timing.ts";

/** A training step and what computes it. */
export interface StepKind {
  readonly method: "supervised" | "ot-cyclegan" | "cyclegan";
  /** Height and width of the complex images. */
  readonly size: number;
  /** Channels of the U-Net's first level; the critic has 16, as in ENGINE.md. */
  readonly width: number;
  /**
   * Our kernels in either arithmetic class, the first without replay, or TensorFlow.js's own ops; `empty` are recorded
   * steps whose kernels then do nothing, so that what is left of a step is JavaScript.
   */
  readonly engine: "fma" | "muladd" | "tape" | "stock" | "empty";
}

const methods: Readonly<Record<StepKind["method"], Method>> = {
  supervised,
  "ot-cyclegan": otCycleGan,
  cyclegan: cycleGan,
};

/** Steps before the clock: V8 compiles the hot ones again after about twenty. */
const WARM_UP = 30;

/** Lets our modules, once they are there, do nothing from the moment on that the result is called. */
function emptyKernels(): () => void {
  let empty = false;
  const instantiate = WebAssembly.instantiate;
  const emptied = (exports: WebAssembly.Exports) =>
    Object.fromEntries(
      Object.entries(exports).map(([name, call]) => [
        name,
        // TypeScript knows that an export may be a memory; ours are functions.
        (...values: number[]) => empty ? 0 : (call as (...values: number[]) => number)(...values),
      ]),
    );
  const patched = async (module: BufferSource, imports: WebAssembly.Imports = {}) => {
    const made = await instantiate(module, imports);
    // TensorFlow.js's own module, which allocates, brings its memory.
    return imports.env?.memory !== undefined
      ? { ...made, instance: { exports: emptied(made.instance.exports) } }
      : made;
  };
  WebAssembly.instantiate = patched as typeof WebAssembly.instantiate;
  return () => empty = true;
}

async function start(engine: StepKind["engine"]): Promise<void> {
  if (engine !== "stock") {
    const { arithmetic } = await startBackend({
      name: "wasm",
      portable: engine === "muladd",
      replay: engine !== "tape",
    });
    if (arithmetic !== (engine === "muladd" ? "muladd" : "fma")) {
      throw new Error(`this machine computes in the class ${arithmetic}`);
    }
    return;
  }
  await import("@tensorflow/tfjs-backend-wasm");
  await tf.setBackend("wasm");
  registerCompositions("wasm");
}

function learnerOf({ method: name, width, size }: StepKind): Learner {
  const method = methods[name];
  const shape = [size, size, 2];
  const wanted: Record<string, number> = { width, criticWidth: 16 };
  const overrides = Object.fromEntries(Object.entries(wanted).filter(([key]) => key in method.settings));
  const problem = {
    imageShape: shape,
    seenShape: shape,
    measurementShape: shape,
    updates: 1e6,
    batch: 1,
  };
  return method.prepare(problem, resolve(method.settings, overrides, "perf"), stream("perf/networks"));
}

/** Draws of fresh tensors of the same values, as a run uploads each sample. */
function batches({ size }: StepKind): () => Promise<Batch> {
  const rng = stream("perf/images");
  const shape: [number, number, number, number] = [1, size, size, 2];
  const [x, y] = [0, 1].map(() => Float32Array.from({ length: 2 * size * size }, () => rng.normal()));
  const A = maskedFourier(size, size, centralLines(size, Math.round(size / 4)));
  return () =>
    Promise.resolve({
      x: tf.tensor4d(x, shape),
      y: tf.tensor4d(y, shape),
      A,
      see: (seen: tf.Tensor) => tf.clone(seen) as tf.Tensor4D,
    });
}

if (import.meta.main) {
  const kind = JSON.parse(Deno.args[0]) as StepKind;
  const empty = kind.engine === "empty" ? emptyKernels() : () => {};
  await start(kind.engine);
  const learner = learnerOf(kind);
  const draw = batches(kind);
  const step = async () => {
    await learner.update!(draw, 0);
  };
  for (let i = 0; i < WARM_UP; i++) await step();
  empty();
  console.log("ready");
  for await (const line of createInterface({ input: process.stdin })) {
    console.log((await timed(step, Number(line))).median);
  }
}
