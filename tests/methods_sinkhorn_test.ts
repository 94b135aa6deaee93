import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { input, output, Replay } from "../engine/replay.ts";
import { lowRank } from "../methods/low_rank.ts";
import { sinkhorn } from "../methods/sinkhorn.ts";
import { unrolledSinkhorn } from "../methods/sinkhorn_unrolled.ts";
import { massError, type Transport } from "../methods/transport.ts";
import golden from "./golden/methods_sinkhorn.json" with { type: "json" };
import { masses, quarticCost, squaredCost, transport } from "./sinkhorn_oracle.ts";

await startBackend();

type Loss = typeof sinkhorn;

/** A smooth image with some empty and some negative pixels. */
function image(name: string, height: number, width: number): number[] {
  const rng = stream(`sinkhorn/${name}`);
  const [row, column] = [height * (0.3 + 0.4 * rng.uniform()), width * (0.3 + 0.4 * rng.uniform())];
  return Array.from({ length: height * width }, (_, i) => {
    const far = ((Math.floor(i / width) - row) ** 2 + (i % width - column) ** 2) / (height * width / 20);
    return Math.fround(Math.exp(-far) + 0.1 * rng.normal());
  });
}

function batch(images: readonly (readonly number[])[], height: number): tf.Tensor4D {
  return tf.tensor4d(Float32Array.from(images.flat()), [images.length, height, images[0].length / height, 1]);
}

function valueOf(loss: Loss, output: number[], label: number[], height: number, set: Transport): number {
  return tf.tidy(() => loss(batch([output], height), batch([label], height), set).dataSync()[0]);
}

function gradientOf(loss: Loss, output: number[], label: number[], height: number, set: Transport): number[] {
  return tf.tidy(() => {
    const towards = batch([label], height);
    return [...tf.grad((x) => loss(x as tf.Tensor4D, towards, set))(batch([output], height)).dataSync()];
  });
}

function near(actual: number, expected: number, tolerance: number, what = ""): void {
  ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, not ${expected}`);
}

function norm(values: readonly number[]): number {
  return Math.hypot(...values);
}

/** ‖a − b‖ / ‖b‖. */
function distance(a: readonly number[], b: readonly number[]): number {
  return norm(a.map((value, i) => value - b[i])) / norm(b);
}

/** Where an image has mass the loss can be differentiated; below 0 it has no derivative. */
function differences(f: (image: number[]) => number, at: readonly number[], step: number): number[] {
  return at.map((value, i) => {
    if (value <= 0) return 0;
    const moved = (by: number) => f(at.map((other, j) => j === i ? other + by : other));
    return (moved(step) - moved(-step)) / (2 * step);
  });
}

const coarse: Transport = { reach: 0.4, epsilon: 0.1, sinkhornIterations: 10, floor: 1e-3 };
const sizes = [[8, 8], [7, 10], [9, 5]] as const;

for (const backend of ["wasm", "cpu"]) {
  Deno.test(`sinkhorn() has the value of the log-domain solver between all pairs of pixels (${backend})`, async () => {
    await startBackend({ name: backend });
    for (const [height, width] of sizes) {
      const [a, b] = [image("a", height, width), image("b", height, width)];
      for (
        const set of [coarse, { ...coarse, sinkhornIterations: 1 }, {
          ...coarse,
          epsilon: 0.01,
          sinkhornIterations: 60,
        }]
      ) {
        const [p, q] = [masses(a, b, set.floor), masses(b, b, set.floor)];
        const cost = squaredCost(set.reach * width);
        const { dual } = transport(p, q, width, cost, set.epsilon, set.sinkhornIterations);
        near(valueOf(sinkhorn, a, b, height, set), dual, 2e-6, `${height}x${width} ${JSON.stringify(set)}`);
      }
    }
    await startBackend();
  });

  Deno.test(`unrolledSinkhorn() has the cost of the plan at which the solver's iterations stop (${backend})`, async () => {
    await startBackend({ name: backend });
    for (const [height, width] of sizes) {
      const [a, b] = [image("a", height, width), image("b", height, width)];
      for (const set of [{ ...coarse, epsilon: 0.12 }, { ...coarse, sinkhornIterations: 2 }]) {
        const [p, q] = [masses(a, b, set.floor), masses(b, b, set.floor)];
        const { cost } = transport(
          p,
          q,
          width,
          quarticCost(set.reach * width),
          set.epsilon,
          set.sinkhornIterations,
        );
        near(valueOf(unrolledSinkhorn, a, b, height, set), cost, 2e-5, `${height}x${width}`);
      }
    }
    await startBackend();
  });
}

for (const { kind, reach, epsilon, transport: cost, entropic } of golden.cases) {
  Deno.test(`at convergence the losses and the solver have the values of POT, ${kind} cost, ε ${epsilon}`, () => {
    const { height, width, output, label } = golden;
    // The paper's literal ε: here is what logarithms are for, and it needs many iterations.
    const literal = epsilon === 1e-3;
    const set = { reach, epsilon, sinkhornIterations: literal ? 3000 : 400, floor: 1e-9 };
    const [p, q] = [masses(output, label, set.floor), masses(label, label, set.floor)];
    const costs = (kind === "squared" ? squaredCost : quarticCost)(reach * width);
    const solved = transport(p, q, width, costs, epsilon, set.sinkhornIterations);
    near(solved.dual, entropic, literal ? 3e-4 : 1e-8);
    near(solved.cost, cost, literal ? 3e-3 : 2e-5);
    if (kind === "squared") near(valueOf(sinkhorn, output, label, height, set), entropic, 2e-6);
    else if (!literal) near(valueOf(unrolledSinkhorn, output, label, height, set), cost, 2e-5);
  });
}

Deno.test("the paper's literal ε underflows in single precision, and is refused there", () => {
  strictEqual(Math.fround(Math.exp(-1 / 1e-3)), 0);
  const [a, b] = [image("a", 8, 8), image("b", 8, 8)];
  throws(
    () => valueOf(unrolledSinkhorn, a, b, 8, { ...coarse, epsilon: 1e-3 }),
    /e\^\(−1\/ε\) underflows[^]*fix:/,
  );
});

Deno.test("sinkhorn()'s gradient at convergence is what finite differences of the converged solver say", () => {
  for (const [height, width] of [[6, 6], [5, 7]]) {
    const [a, b] = [image("a", height, width), image("b", height, width)];
    const set = { ...coarse, sinkhornIterations: 300 };
    const q = masses(b, b, set.floor);
    const cost = squaredCost(set.reach * width);
    const solved = (x: number[]) =>
      transport(masses(x, b, set.floor), q, width, cost, set.epsilon, set.sinkhornIterations).dual;
    const expected = differences(solved, a, 1e-4);
    ok(expected.filter((slope) => slope !== 0).length > 10);
    const error = distance(gradientOf(sinkhorn, a, b, height, set), expected);
    ok(error < 1e-4, `wrong by ${error}`);
  }
});

Deno.test("unrolledSinkhorn()'s gradient is what finite differences of the solver's same ten iterations say", () => {
  const [height, width] = [5, 7];
  const [a, b] = [image("a", height, width), image("b", height, width)];
  const set = { ...coarse, epsilon: 0.12 };
  const q = masses(b, b, set.floor);
  const cost = quarticCost(set.reach * width);
  const solved = (x: number[]) =>
    transport(masses(x, b, set.floor), q, width, cost, set.epsilon, set.sinkhornIterations).cost;
  const expected = differences(solved, a, 1e-4);
  const error = distance(gradientOf(unrolledSinkhorn, a, b, height, set), expected);
  ok(error < 2e-3, `wrong by ${error}`);
});

/** Two soft discs, each moved by its own few pixels or not. */
function discs(size: number, moved: 0 | 1): number[] {
  const disc = (i: number, row: number, column: number, radius: number) =>
    1 / (1 + Math.exp(4 * (Math.hypot(Math.floor(i / size) - row, i % size - column) - radius)));
  return Array.from(
    { length: size * size },
    (_, i) => disc(i, 20 + 4 * moved, 30 - 3 * moved, 6) + 0.7 * disc(i, 44 - 3 * moved, 40 + 4 * moved, 8),
  );
}

Deno.test("after ten iterations the gradient has two thirds of its converged size, and points the same way to within 45 degrees", () => {
  const set = { reach: 0.15625, epsilon: 0.02, sinkhornIterations: 10, floor: 1e-4 };
  const [a, b] = [discs(64, 0), discs(64, 1)];
  const ten = gradientOf(sinkhorn, a, b, 64, set);
  const converged = gradientOf(sinkhorn, a, b, 64, { ...set, sinkhornIterations: 1000 });
  const product = ten.reduce((sum, value, i) => sum + value * converged[i], 0);
  near(norm(ten) / norm(converged), 0.69, 0.02, "size");
  near(product / norm(ten) / norm(converged), 0.77, 0.03, "cosine");
});

Deno.test("unrolledSinkhorn(), whose ε is large, has converged after ten iterations to a hundredth", () => {
  const set = { reach: 0.15625, epsilon: 0.12, sinkhornIterations: 10, floor: 1e-4 };
  const [a, b] = [discs(64, 0), discs(64, 1)];
  const converged = gradientOf(unrolledSinkhorn, a, b, 64, { ...set, sinkhornIterations: 60 });
  const error = distance(gradientOf(unrolledSinkhorn, a, b, 64, set), converged);
  ok(error < 0.01, `off by ${error}`);
});

Deno.test("each iteration raises sinkhorn(), and never above its converged value", () => {
  const [a, b] = [image("a", 12, 12), image("b", 12, 12)];
  const values = [1, 2, 4, 8, 16, 32, 500].map((sinkhornIterations) =>
    valueOf(sinkhorn, a, b, 12, { ...coarse, epsilon: 0.03, sinkhornIterations })
  );
  values.slice(1).forEach((value, i) => ok(value > values[i] - 1e-6, `${values}`));
  ok(values[0] < values[3] && values[3] < values[6]);
});

Deno.test("what is moved as a whole costs its distance² more, as in transport without an entropy", () => {
  const size = 32;
  const blob = (row: number, column: number) =>
    Array.from(
      { length: size * size },
      (_, i) => Math.exp(-((Math.floor(i / size) - row) ** 2 + (i % size - column) ** 2) / 8),
    );
  const set = { reach: 10 / size, epsilon: 0.05, sinkhornIterations: 800, floor: 1e-9 };
  const still = valueOf(sinkhorn, blob(16, 16), blob(16, 16), size, set);
  const moved = valueOf(sinkhorn, blob(13, 18), blob(16, 16), size, set);
  near(moved - still, (3 ** 2 + 2 ** 2) / 10 ** 2, 1e-4);
});

Deno.test("sinkhorn() is least for the label blurred by a Gaussian of variance ε s₀²/2", () => {
  const size = 32;
  const label = Array.from({ length: size * size }, (_, i) => {
    const [row, column] = [Math.floor(i / size), i % size];
    return row > 9 && row < 20 && column > 11 && column < 22 ? 1 : 0.05;
  });
  const [reach, epsilon] = [5, 0.2];
  const weights = Array.from({ length: size * size }, (_, place) => {
    const [i, j] = [Math.floor(place / size), place % size];
    return Math.exp(-((i - j) ** 2) / (2 * epsilon * reach ** 2 / 2));
  });
  // Each pixel's mass is spread by the Gaussian over the image, along one axis and then the other.
  const along = (image: number[]) =>
    Array.from({ length: size * size }, (_, place) => {
      const [row, column] = [Math.floor(place / size), place % size];
      return image.slice(row * size, row * size + size).reduce((sum, value, k) => {
        const total = weights.slice(k * size, k * size + size).reduce((a, b) => a + b);
        return sum + value * weights[k * size + column] / total;
      }, 0);
    });
  const swapped = (image: number[]) =>
    image.map((_, place) => image[place % size * size + Math.floor(place / size)]);
  const blurred = swapped(along(swapped(along(label))));
  const set = { reach: reach / size, epsilon, sinkhornIterations: 400, floor: 1e-9 };
  const slope = (image: number[]) => norm(gradientOf(sinkhorn, image, label, size, set));
  ok(slope(blurred) < 0.003 * slope(label), `${slope(blurred)} beside ${slope(label)}`);
});

for (
  const [name, loss, epsilon] of [["sinkhorn", sinkhorn, 0.02], [
    "unrolledSinkhorn",
    unrolledSinkhorn,
    0.12,
  ]] as const
) {
  const set = { reach: 0.16, epsilon, sinkhornIterations: 10, floor: 1e-4 };

  Deno.test(`${name}() does not see the output's mass, which massError() measures`, () => {
    const [a, b] = [discs(64, 0), discs(64, 1)];
    const thrice = a.map((value) => 3 * value);
    const plain = { ...set, floor: 1e-9 };
    near(valueOf(loss, thrice, b, 64, plain), valueOf(loss, a, b, 64, plain), 1e-5);
    const along = gradientOf(loss, a, b, 64, plain).reduce((sum, slope, i) => sum + slope * a[i], 0);
    near(along, 0, 1e-4);
    tf.tidy(() => {
      const [x, y] = [batch([thrice, a], 64), batch([a, a], 64)];
      near(massError(x, y).dataSync()[0], (2 ** 2 + 0) / 2, 1e-5);
    });
  });

  Deno.test(`${name}() is the mean over a batch`, () => {
    const [a, b] = [[discs(64, 0), image("a", 64, 64)], [discs(64, 1), image("b", 64, 64)]];
    const together = tf.tidy(() => loss(batch(a, 64), batch(b, 64), set).dataSync()[0]);
    const apart = a.map((image, i) => valueOf(loss, image, b[i], 64, set));
    near(together, (apart[0] + apart[1]) / 2, 1e-5);
  });

  Deno.test(`${name}() stays finite for an output without mass, and draws it up where the label has some`, () => {
    const [a, b] = [discs(64, 0).map(() => 0), discs(64, 1)];
    ok(Number.isFinite(valueOf(loss, a, b, 64, set)));
    const slopes = gradientOf(loss, a.map(() => 1e-6), b, 64, set);
    ok(slopes.every(Number.isFinite));
    // By the label's weights the slope is lower than on average: there mass is wanted.
    const mean = slopes.reduce((sum, slope) => sum + slope) / slopes.length;
    const total = b.reduce((sum, value) => sum + value);
    ok(slopes.reduce((sum, slope, i) => sum + slope * b[i], 0) / total < mean);
  });

  Deno.test(`${name}() is replayed to the bit`, async () => {
    const label = discs(64, 1);
    const run = () => {
      using replay = new Replay(name);
      let now: number[] = [];
      const made: number[][] = [];
      for (const by of [1, 2, 3, 4, 5]) {
        now = discs(64, 0).map((value) => by * value + 0.01 * by);
        const value = replay.run([], () => {
          const [x, y] = [input(() => batch([now], 64)), input(() => batch([label], 64))];
          const { value, grad } = tf.valueAndGrad((x) => loss(x as tf.Tensor4D, y, set))(x);
          output(grad, (copy) => made.push([...copy.dataSync()]));
          return value;
        });
        made.push([...value.dataSync()]);
        value.dispose();
      }
      return { made, replayed: replay.counts.replayed };
    };
    const { made, replayed } = run();
    strictEqual(replayed, 3);
    await startBackend({ replay: false });
    deepStrictEqual(run(), { made, replayed: 0 });
    await startBackend();
  });

  Deno.test(`${name}() refuses images of several channels or sizes`, () => {
    for (const [a, b] of [[[1, 4, 4, 2], [1, 4, 4, 2]], [[1, 4, 4, 1], [1, 4, 5, 1]]]) {
      throws(
        () =>
          tf.tidy(() =>
            loss(tf.ones<tf.Rank.R4>(a as number[] as [1, 1, 1, 1]), tf.ones(b as [1, 1, 1, 1]), set)
          ),
        /one size and one channel/,
      );
    }
  });
}

Deno.test("lowRank() keeps every value within its tolerance, by few terms where the function is smooth", () => {
  const f = (a: number, b: number) => Math.exp(-quarticCost(10)(a, b) / 0.12);
  const { terms, error } = lowRank(f, 64, 1e-7);
  let worst = 0;
  for (let a = 0; a < 64; a++) {
    for (let b = 0; b < 64; b++) {
      const sum = terms.reduce((sum, { weight, profile }) => sum + weight * profile[a] * profile[b], 0);
      worst = Math.max(worst, Math.abs(sum - f(a, b)));
    }
  }
  ok(worst <= 1e-7, `${worst}`);
  near(error, worst, 1e-12);
  strictEqual(terms.length, 9);
});

Deno.test("lowRank() of a product is one term", () => {
  const { terms } = lowRank((a, b) => Math.exp(-(a * a + b * b) / 50), 20, 1e-9);
  strictEqual(terms.length, 1);
});
