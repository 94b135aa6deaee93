/** The toy benchmark as a user's module: `--use tests/toy_extension.ts`. */

import process from "node:process";
import * as tf from "@tensorflow/tfjs-core";
import type { Learner, Method } from "../methods/method.ts";
import type { Extension } from "../mod.ts";
import { input, toyBenchmark } from "./toy.ts";

/** Learns one number: how far the images of its seed's order are from their measurements. */
export const trained: Method = {
  ...input,
  name: "trained",
  about: "a trained factor",
  knows: { pairs: true, operator: "exactly" },
  settings: { rate: { default: 0.1, about: "of the moving mean", min: 0, max: 1 } },
  trains: true,
  effort: 1,
  prepare(_problem, { rate }, rng): Learner {
    let factor = rng.uniform();
    return {
      parameters: 1,
      macs: () => 32,
      async update(draw) {
        const { x, y } = await draw();
        const ratio = tf.tidy(() => tf.div(tf.sum(x), tf.sum(y)));
        const [value] = await ratio.data();
        tf.dispose([x, y, ratio]);
        factor += (rate as number) * (value - factor);
        return { ratio: value };
      },
      reconstruct: (y, { see }) => tf.tidy(() => tf.mul(see(y), factor)),
      weights: () => Promise.resolve([{ name: "factor", shape: [1], data: Float32Array.of(factor) }]),
      [Symbol.dispose]() {},
    };
  },
};

/** {@linkcode trained}, with as much patience as an interruption needs. */
const slow: Method = {
  ...trained,
  name: "slow",
  prepare(problem, settings, rng) {
    const learner = trained.prepare(problem, settings, rng);
    return {
      ...learner,
      async update(draw, progress) {
        await new Promise((resolve) => setTimeout(resolve, 150));
        return await learner.update!(draw, progress);
      },
      [Symbol.dispose]() {},
    };
  },
};

/** {@linkcode slow}, which adds up what it learns and can go on where it was stopped. */
const patient: Method = {
  ...slow,
  name: "patient",
  prepare(problem, settings, rng) {
    const learner = slow.prepare(problem, settings, rng);
    let sum = 0;
    return {
      ...learner,
      async update(draw, progress) {
        const losses = await learner.update!(draw, progress);
        sum += losses.ratio;
        return losses;
      },
      reconstruct: (y, { see }) => tf.tidy(() => tf.mul(see(y), sum)),
      weights: () => Promise.resolve([{ name: "sum", shape: [1], data: Float32Array.of(sum) }]),
      state: () => Promise.resolve({ arrays: [], rest: sum }),
      restore: ({ rest }) => void (sum = rest as number),
      [Symbol.dispose]() {},
    };
  },
};

/** {@linkcode trained}, whose loss grows beyond all numbers at its second update. */
const diverging: Method = {
  ...trained,
  name: "diverging",
  prepare(problem, settings, rng) {
    const learner = trained.prepare(problem, settings, rng);
    return {
      ...learner,
      async update(draw, progress) {
        const losses = await learner.update!(draw, progress);
        return progress === 0 ? losses : { ratio: Infinity };
      },
      [Symbol.dispose]() {},
    };
  },
};

/** Throws when it is to reconstruct. */
const throwing: Method = {
  ...input,
  name: "throwing",
  prepare: (problem, settings, rng) => ({
    ...input.prepare(problem, settings, rng),
    reconstruct() {
      throw new Error("no image for you");
    },
    [Symbol.dispose]() {},
  }),
};

/** Writes to stdout what a launcher may take for a message, and more. */
const printing: Method = {
  ...input,
  name: "printing",
  prepare(problem, settings, rng) {
    console.log("the gain is", settings.gain);
    console.log('{"phase": "training", "done": "much"}');
    Deno.stdout.writeSync(new TextEncoder().encode('{"phase": oh\n{"done": 1}\nnull\n{"record"'));
    return input.prepare(problem, settings, rng);
  },
};

/** Ends its process, as the system does where memory runs out. */
const dying: Method = {
  ...input,
  name: "dying",
  prepare() {
    Deno.exit(7);
  },
};

/** Is killed in the middle of its work. */
const killed: Method = {
  ...input,
  name: "killed",
  prepare() {
    console.error("it was about to say something");
    process.abort();
  },
};

/** Tries what a worker may not do, and tells which attempts came to something. */
const trespassing: Method = {
  ...input,
  name: "trespassing",
  prepare() {
    const attempts: Record<string, () => unknown> = {
      "write elsewhere": () => Deno.writeTextFileSync("/tmp/trespassing", ""),
      "read elsewhere": () => Deno.readTextFileSync("/etc/hostname"),
      "read the environment": () => Deno.env.get("HOME"),
      "listen": () => Deno.listen({ port: 0 }),
      "start a program": () => new Deno.Command("true").outputSync(),
      "load a library": () => Deno.dlopen("libc.so.6", {}),
    };
    const done = Object.entries(attempts).filter(([, attempt]) => {
      try {
        attempt();
        return true;
      } catch (error) {
        return !(error instanceof Deno.errors.NotCapable);
      }
    });
    throw new Error(`it could ${done.map(([name]) => name).join(", ") || "do nothing"}`);
  },
};

/** Never comes to an end. */
const hanging: Method = {
  ...input,
  name: "hanging",
  prepare() {
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  },
};

/** {@linkcode trained}, with a tensor of 64 MB, and of four times as much for twice the batch. */
const hungry: Method = {
  ...trained,
  name: "hungry",
  prepare(problem, settings, rng) {
    tf.fill([problem.batch, problem.batch, 16, 1024, 1024], 1).dispose();
    return trained.prepare(problem, settings, rng);
  },
};

const toy = toyBenchmark();

export default {
  benchmarks: [{
    ...toy,
    rows: [...toy.rows, { name: "trained", method: trained }],
    byName: [slow, patient, diverging, throwing, printing, dying, killed, hanging, hungry, trespassing].map((
      method,
    ) => ({
      name: method.name,
      method,
    })),
  }],
} satisfies Extension;
