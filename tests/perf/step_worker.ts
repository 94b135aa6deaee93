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
import { sizeOf } from "../../core/image.ts";
import { stream } from "../../core/random.ts";
import { resolve } from "../../core/settings.ts";
import { startBackend } from "../../engine/backend.ts";
import { registerCompositions } from "../../engine/compositions.ts";
import { cycleGan } from "../../methods/cyclegan.ts";
import type { Batch, Learner, Method } from "../../methods/method.ts";
import { otCycleGan } from "../../methods/ot_cyclegan.ts";
import { supervised } from "../../methods/supervised.ts";
import { maskedFourier } from "../../physics/fourier.ts";
import { identity } from "../../physics/identity.ts";
import { centralLines } from "../../physics/masks.ts";
import type { Shape } from "../../physics/operator.ts";
import { stockVolumeStep } from "./stock_volumes.ts";
import { timed } from "./timing.ts";

/** A training step and what computes it. */
export interface StepKind {
  readonly method: "supervised" | "ot-cyclegan" | "cyclegan";
  /** Whether it is made of complex images or of volumes; 2, images, unless said. */
  readonly dimensions?: 2 | 3;
  /** Extent of the images or volumes along every axis. */
  readonly size: number;
  /** Channels of the U-Net's first level. */
  readonly width: number;
  /** Channels of the critic's first layer; 16 unless said, as in ENGINE.md. */
  readonly critic?: number;
  /**
   * Our kernels in either arithmetic class, the first without replay, or TensorFlow.js's own ops; `empty` are recorded
   * steps whose kernels then do nothing, so that what is left of a step is JavaScript. Or another backend, with our kernels
   * and, `webgpu-stock`, without.
   */
  readonly engine: "fma" | "muladd" | "tape" | "stock" | "empty" | "native" | "webgpu" | "webgpu-stock";
  /**
   * What is told: the median time of a step by the clock, unless said, or its mean time of all processors, which is the
   * same however busy the machine is.
   */
  readonly time?: "clock" | "processors";
}

const methods: Readonly<Record<StepKind["method"], Method>> = {
  supervised,
  "ot-cyclegan": otCycleGan,
  cyclegan: cycleGan,
};

/** Steps before the clock: V8 compiles the hot ones again after about twenty. Slow ones, for so many seconds only. */
const [WARM_UP, PATIENCE] = [30, 10];

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
  if (engine === "native" || engine === "webgpu") {
    await startBackend({ name: engine });
    return;
  }
  if (engine === "webgpu-stock") {
    await import("@tensorflow/tfjs-backend-webgpu");
    tf.enableProdMode();
    await tf.setBackend("webgpu");
    registerCompositions("webgpu");
    return;
  }
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

function shapeOf({ dimensions, size }: StepKind): Shape {
  return dimensions === 3 ? [size, size, size, 1] : [size, size, 2];
}

function learnerOf(kind: StepKind): Learner {
  const { method: name, width } = kind;
  const method = methods[name];
  const shape = shapeOf(kind);
  const wanted: Record<string, number> = kind.dimensions === 3
    ? { width, levels: 2, criticWidth: width, criticLayers: 2 }
    : { width, criticWidth: kind.critic ?? 16 };
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
function batches(kind: StepKind): () => Promise<Batch> {
  const { size, dimensions } = kind;
  const rng = stream("perf/images");
  const shape = shapeOf(kind);
  const [x, y] = [0, 1].map(() => Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()));
  const A = dimensions === 3
    ? identity(shape)
    : maskedFourier(size, size, centralLines(size, Math.round(size / 4)));
  const batch = (values: Float32Array) => tf.tensor(values, [1, ...shape]) as tf.Tensor as tf.Tensor4D;
  return () =>
    Promise.resolve({
      x: batch(x),
      y: batch(y),
      A,
      see: (seen: tf.Tensor) => tf.clone(seen) as tf.Tensor4D,
    });
}

function ownStep(kind: StepKind): () => Promise<void> {
  const learner = learnerOf(kind);
  const draw = batches(kind);
  return async () => {
    await learner.update!(draw, 0);
  };
}

/** Milliseconds of all processors that a step takes, over `count` of them. */
async function processorTime(step: () => Promise<void>, count: number): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) await step();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / count;
}

if (import.meta.main) {
  const kind = JSON.parse(Deno.args[0]) as StepKind;
  const empty = kind.engine === "empty" ? emptyKernels() : () => {};
  await start(kind.engine);
  const isSlow = kind.engine === "stock" && kind.dimensions === 3;
  const step = isSlow ? stockVolumeStep(kind) : ownStep(kind);
  const start_ = performance.now();
  const isWarm = (done: number) => done >= 2 && performance.now() - start_ > 1000 * PATIENCE;
  for (let i = 0; i < (isSlow ? 2 : WARM_UP) && !isWarm(i); i++) await step();
  empty();
  console.log("ready");
  for await (const line of createInterface({ input: process.stdin })) {
    const count = Number(line);
    console.log(
      kind.time === "processors" ? await processorTime(step, count) : (await timed(step, count)).median,
    );
  }
}
