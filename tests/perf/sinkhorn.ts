/**
 * Part `sinkhorn`: an evaluation of the optimal transport losses, against one whose products are sums over
 * all pairs of pixels.
 */

import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../../core/random.ts";
import { startBackend } from "../../engine/backend.ts";
import { input, output, Replay } from "../../engine/replay.ts";
import { sinkhorn } from "../../methods/sinkhorn.ts";
import { unrolledSinkhorn } from "../../methods/sinkhorn_unrolled.ts";
import type { Transport } from "../../methods/transport.ts";
import { type Contender, takeTurns, timed } from "./timing.ts";

const set: Transport = { reach: 0.15625, epsilon: 0.12, sinkhornIterations: 10, floor: 1e-4 };

/** A loss and its gradient, as a training step has them: recorded once, and replayed. */
function evaluation(loss: typeof sinkhorn, images: readonly tf.Tensor4D[], iterations: number): Contender {
  const replay = new Replay("perf");
  const run = () =>
    replay.run([], () => {
      const [x, label] = images.map((image) => input(() => image));
      const { value, grad } = tf.valueAndGrad((x) => loss(x as tf.Tensor4D, label, set))(x);
      output(grad, () => {});
      return value;
    }).dispose();
  for (let i = 0; i < 30; i++) run();
  return async () => (await timed(run, iterations)).least;
}

/**
 * Ten iterations without a gradient, each product with the kernel being sums over all pairs of pixels, in a
 * plain loop.
 */
function direct(images: readonly tf.Tensor4D[], size: number): Contender {
  const [x, label] = images.map((image) => image.dataSync<"float32">());
  const kernel = Float32Array.from({ length: size * size }, (_, place) => {
    const squared = Math.floor(place / size) ** 2 + (place % size) ** 2;
    return Math.exp(-squared / (set.reach * size) ** 2 / set.epsilon);
  });
  const divided = (masses: Float32Array, by: Float32Array): Float32Array =>
    masses.map((mass, place) => {
      const [row, column] = [Math.floor(place / size), place % size];
      let sum = 0;
      for (let i = 0, at = 0; i < size; i++) {
        const down = Math.abs(i - row) * size;
        for (let j = 0; j < size; j++, at++) sum += kernel[down + Math.abs(j - column)] * by[at];
      }
      return mass / sum;
    });
  const run = () => {
    let v = new Float32Array(size * size).fill(1);
    for (let iteration = 0; iteration < set.sinkhornIterations; iteration++) {
      v = divided(label, divided(x, v)) as Float32Array<ArrayBuffer>;
    }
  };
  return async () => (await timed(run, 1)).least;
}

/** Measures, prints as it goes, and returns Markdown. */
export async function transport(): Promise<string> {
  await startBackend();
  const rng = stream("perf/sinkhorn");
  const lines = [
    "Ten iterations, value and gradient, replayed as in a training step; each as a multiple of the first row of its size.",
    "",
    "| evaluation | 32² | 64² |",
    "| --- | ---: | ---: |",
  ];
  const times: Record<string, number>[] = [];
  for (const size of [32, 64]) {
    const image = () =>
      tf.tensor4d(Float32Array.from({ length: size * size }, () => 0.1 + rng.uniform()), [1, size, size, 1]);
    const images = [image(), image()];
    times.push(
      await takeTurns({
        "by distance², with logarithms (`sinkhorn.ts`)": evaluation(sinkhorn, images, 20),
        "as published, through the iterations (`sinkhorn_unrolled.ts`)": evaluation(
          unrolledSinkhorn,
          images,
          20,
        ),
        "directly, sums over all pairs in JavaScript; no gradient": direct(images, size),
      }, 5),
    );
  }
  for (const name of Object.keys(times[0])) {
    const multiples = times.map((time, i) => `${(time[name] / Object.values(times[i])[0]).toFixed(1)}`);
    lines.push(`| ${name} | ${multiples.join(" | ")} |`);
  }
  lines.push(
    "",
    `The first row took ${times.map((time) => Object.values(time)[0].toFixed(1)).join(" and ")} ms.`,
  );
  lines.forEach((line) => console.log(line));
  return lines.join("\n");
}
