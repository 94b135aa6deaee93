/**
 * Ops held to plain float64 loops: their values, and by finite differences of the loops their first and second
 * derivatives, on every backend that starts here. The loops share no code with the engine.
 */

import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";

/** Numbers in reading order. */
export type Values = number[];

/** An op, the shapes of what it takes, and what it computes. */
export interface Case {
  readonly name: string;
  readonly shapes: readonly number[][];
  op(...inputs: tf.Tensor[]): tf.Tensor;
  oracle(...inputs: Values[]): Values;
}
// Everything is made one number, ½⟨c, (y + 1)²⟩, curved so that a linear op has a second derivative too.

function joined(y: Values, weights: Values): number {
  return y.reduce((sum, value, i) => sum + weights[i] * (value + 1) ** 2 / 2, 0);
}

function joinedTensor(y: tf.Tensor, weights: Values): tf.Scalar {
  const c = tf.tensor(weights.slice(0, y.size), y.shape);
  return tf.sum(tf.mul(tf.mul(c, 0.5), tf.square(tf.add(y, 1))));
}

/** Standard normal numbers of this name. */
export function normals(name: string, length: number): Values {
  const rng = stream(`engine-ops/${name}`);
  return Array.from({ length }, () => Math.fround(rng.normal()));
}

/** `f`'s derivative along each unit vector of the joined inputs. */
function differences(f: (inputs: Values[]) => number, inputs: Values[], h: number): Values {
  return inputs.flatMap((values, which) =>
    values.map((_, index) => {
      const moved = (by: number) =>
        inputs.map((other, i) => i === which ? other.map((v, j) => j === index ? v + by : v) : other);
      return (f(moved(h)) - f(moved(-h))) / (2 * h);
    })
  );
}

/** The values of tensors, which are spent. */
export async function read(tensors: tf.Tensor[]): Promise<Values> {
  const parts = await Promise.all(tensors.map((tensor) => tensor.data()));
  tensors.forEach((tensor) => tensor.dispose());
  return parts.flatMap((part) => [...part]);
}

/** Refuses what is further from the expected values than a share of the largest. */
export function assertClose(actual: Values, expected: Values, tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length, `${what}: number of values`);
  const scale = Math.max(...expected.map(Math.abs));
  for (const [i, value] of expected.entries()) {
    assert.ok(
      Math.abs(actual[i] - value) <= tolerance * scale,
      `${what}: value ${i} is ${actual[i]}, not ${value} (largest ${scale})`,
    );
  }
}

/** Every backend, and whether it has to be left out because it does not start here. */
export const allBackends = [
  { title: "wasm", options: { name: "wasm" }, ignore: false },
  { title: "wasm, portable", options: { name: "wasm", portable: true }, ignore: false },
  { title: "cpu", options: { name: "cpu" }, ignore: false },
  { title: "native", options: { name: "native" }, ignore: !(await starts("native")) },
  { title: "webgpu", options: { name: "webgpu" }, ignore: !(await starts("webgpu")) },
];

/** Those that start here. */
export const backends = allBackends.filter(({ ignore }) => !ignore);

/** Whether a backend starts here. */
export async function starts(name: string): Promise<boolean> {
  return await startBackend({ name }).then(() => true, () => false);
}

/** A test of each case on each backend; those on backends that do not start here are ignored, and counted as such. */
export function testCases(cases: readonly Case[]): void {
  for (const { title, options, ignore } of allBackends) {
    for (const one of cases) testCase(one, title, options, ignore);
  }
}

function testCase(
  { name, shapes, op, oracle }: Case,
  title: string,
  options: { name: string },
  ignore: boolean,
): void {
  const words = `${name} has the values and derivatives of its plain loops (${title})`;
  Deno.test({ name: words, ignore }, async () => {
    await startBackend(options);
    // Away from zero, where a leaky ReLU has a kink that no difference may step over.
    const inputs = shapes.map((shape, i) =>
      normals(`${name}/input ${i}`, sizeOf(shape)).map((value) =>
        Math.fround(value + 0.05 * Math.sign(value))
      )
    );
    const directions = shapes.map((shape, i) => normals(`${name}/direction ${i}`, sizeOf(shape)));
    const expected = oracle(...inputs);
    const weights = normals(`${name}/weights`, expected.length);
    const before = tf.memory().numTensors;

    const tensors = inputs.map((values, i) => tf.tensor(values, [...shapes[i]]));
    const along = directions.map((values, i) => tf.tensor(values, [...shapes[i]]));
    const loss = (...xs: tf.Tensor[]) => joinedTensor(op(...xs), weights);
    const value = tf.tidy(() => op(...tensors));
    const first = tf.tidy(() => tf.grads(loss)(tensors));
    const slope = (...xs: tf.Tensor[]) =>
      tf.addN(tf.grads(loss)(xs).map((gradient, i) => tf.sum(tf.mul(gradient, along[i]))));
    const second = tf.tidy(() => tf.grads(slope as (...xs: tf.Tensor[]) => tf.Scalar)(tensors));

    assertClose(await read([value]), expected, 1e-5, "values");

    const smooth = (moved: Values[]) => joined(oracle(...moved), weights);
    assertClose(await read(first), differences(smooth, inputs, 1e-5), 3e-5, "first derivative");

    const h = 1e-4;
    const directional = (moved: Values[]) => {
      const step = (by: number) => moved.map((values, i) => values.map((v, j) => v + by * directions[i][j]));
      return (smooth(step(h)) - smooth(step(-h))) / (2 * h);
    };
    assertClose(await read(second), differences(directional, inputs, h), 1e-4, "second derivative");

    [...tensors, ...along].forEach((tensor) => tensor.dispose());
    assert.equal(tf.memory().numTensors, before, "tensors are leaked");
  });
}
