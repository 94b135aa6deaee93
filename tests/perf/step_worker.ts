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
  /** Our kernels in either arithmetic class, the first without replay, or TensorFlow.js's own ops. */
  readonly engine: "fma" | "muladd" | "tape" | "stock";
}

const methods: Readonly<Record<StepKind["method"], Method>> = {
  supervised,
  "ot-cyclegan": otCycleGan,
  cyclegan: cycleGan,
};

/** Steps before the clock: V8 compiles the hot ones again after about twenty. */
const WARM_UP = 30;

async function start(engine: StepKind["engine"]): Promise<void> {
  if (engine !== "stock") {
    const { arithmetic } = await startBackend({
      name: "wasm",
      portable: engine === "muladd",
      replay: engine !== "tape",
    });
    if (arithmetic !== (engine === "tape" ? "fma" : engine)) {
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
  await start(kind.engine);
  const learner = learnerOf(kind);
  const draw = batches(kind);
  const step = async () => {
    await learner.update!(draw, 0);
  };
  for (let i = 0; i < WARM_UP; i++) await step();
  console.log("ready");
  for await (const line of createInterface({ input: process.stdin })) {
    console.log((await timed(step, Number(line))).median);
  }
}
