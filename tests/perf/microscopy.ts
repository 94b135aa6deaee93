/**
 * Parts `frc` and `points`: metrics of microscopy on large data, against the one step that nothing can do without; part
 * `convolution`: blurs by sums against blurs by Fourier transforms.
 */

import * as tf from "@tensorflow/tfjs-core";
import KDBush from "kdbush";
import { transformAxes } from "../../core/fourier.ts";
import type { Image } from "../../core/image.ts";
import type { Points } from "../../core/points.ts";
import { stream } from "../../core/random.ts";
import { startBackend } from "../../engine/backend.ts";
import { input, Replay } from "../../engine/replay.ts";
import { assignPoints } from "../../metrics/assignment.ts";
import { ringCorrelation } from "../../metrics/ring_correlation.ts";
import { convolutionForm } from "../../physics/convolution.ts";
import { type Contender, takeTurns, timed } from "./timing.ts";

const once = (run: () => void): Contender => async () => (await timed(run, 1)).least;

/** Fourier ring correlation of two images of 2048 x 2048, against the transform of both alone. */
export async function frc(rounds: number): Promise<string> {
  const side = 2048;
  const image = (name: string): Image => {
    const rng = stream(`perf/frc/${name}`);
    return { shape: [side, side, 1], data: Float32Array.from({ length: side * side }, () => rng.uniform()) };
  };
  const [a, b] = [image("a"), image("b")];
  const values = new Float64Array(2 * side * side).map((_, i) => i % 7);
  const times = await takeTurns({
    correlation: once(() => void ringCorrelation(a, b)),
    transform: once(() => transformAxes(values, [side, side], false)),
  }, rounds);
  return table(`Fourier ring correlation, 2048²`, "its transform", [
    ["float64", times.correlation, times.transform],
  ]);
}

/** Assignment of 10⁴ points to as many at several crowdings, against finding who is near whom. */
export async function points(rounds: number): Promise<string> {
  const count = 1e4;
  const scatter = (name: string, side: number): Points => {
    const rng = stream(`perf/points/${name}`);
    const line = () => Float64Array.from({ length: count }, () => side * rng.uniform());
    return { xNm: line(), yNm: line() };
  };
  const rows: [string, number, number][] = [];
  for (const [side, toleranceNm] of [[40000, 250], [12000, 50], [12000, 250]]) {
    const [a, b] = [scatter("a", side), scatter("b", side)];
    const times = await takeTurns({
      whole: once(() => void assignPoints(a, b, toleranceNm)),
      near: once(() => {
        const tree = new KDBush(count, 64, Float64Array);
        b.xNm.forEach((x, i) => tree.add(x, b.yNm[i]));
        tree.finish();
        a.xNm.forEach((x, i) => void tree.within(x, a.yNm[i], toleranceNm));
      }),
    }, rounds);
    rows.push([
      `${(count / (side / 1000) ** 2).toFixed(0)} points a µm², ${toleranceNm} nm`,
      times.whole,
      times.near,
    ]);
  }
  return table("assignment of 10⁴ to 10⁴ points", "finding neighbours", rows);
}

/** A training step of a learned kernel, forward and backward and replayed, both ways. */
export async function convolution(rounds: number): Promise<string> {
  await startBackend();
  const shapes = [
    ...[7, 11, 13, 15, 21].map((side) => [[64, 64, 1], [side, side, 1]]),
    ...[11, 15, 31].map((side) => [[256, 256, 1], [side, side, 1]]),
    ...[3, 5, 7, 9].map((side) => [[32, 32, 32, 1], [side, side, side, 1]]),
  ];
  const rows: [string, number, number][] = [];
  for (const [image, kernel] of shapes) {
    const x = tf.randomUniform([1, ...image], 0, 1, "float32", 1);
    const h = tf.randomUniform(kernel, 0, 1, "float32", 2);
    const step = (by: "sums" | "fourier") => {
      const form = convolutionForm(image, kernel, undefined, { by });
      const gradients = tf.grads((x, h) => tf.sum(tf.square(form.operator(() => tf.clone(h)).forward(x))));
      const replay = new Replay("perf");
      return async () =>
        (await timed(() => {
          const result = replay.run([], () => tf.addN(gradients([input(() => x), h]).map((g) => tf.sum(g))));
          result.dispose();
        }, 20)).least;
    };
    const times = await takeTurns({ sums: step("sums"), fourier: step("fourier") }, rounds);
    rows.push([
      `${image.slice(0, -1).join(" x ")} by ${kernel.slice(0, -1).join(" x ")}`,
      times.sums,
      times.fourier,
    ]);
    tf.dispose([x, h]);
  }
  return table("blur by sums, forward and backward", "by transforms", rows);
}

function table(title: string, floor: string, rows: readonly (readonly [string, number, number])[]): string {
  const lines = [
    `| ${title} | ms | ${floor}, ms | times as long |`,
    "| --- | ---: | ---: | ---: |",
    ...rows.map(([name, whole, part]) =>
      `| ${name} | ${digits(whole)} | ${digits(part)} | ${(whole / part).toFixed(1)} |`
    ),
  ];
  for (const line of lines) console.log(line);
  return lines.join("\n");
}

function digits(ms: number): string {
  return ms.toFixed(ms < 10 ? 2 : 0);
}
