import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { Adam } from "../engine/adam.ts";

const constants = { beta1: 0.5, beta2: 0.9, epsilon: 1e-8 };
const sizes = [1, 7, 64, 33];

function draws(name: string): Float32Array[] {
  const rng = stream(`engine-adam/${name}`);
  return sizes.map((size) => Float32Array.from({ length: size }, () => rng.normal()));
}

function makeVariables(): tf.Variable[] {
  return draws("start").map((values) => tf.tidy(() => tf.variable(tf.tensor1d(values))));
}

function stepAt(adam: Adam, variables: tf.Variable[], step: number): void {
  tf.tidy(() =>
    adam.step(variables, draws(`gradient ${step}`).map((values) => tf.tensor1d(values)), 0.01 / step)
  );
}

function read(variables: tf.Variable[]): Float32Array[] {
  return variables.map((variable) => variable.dataSync<"float32">().slice());
}

/** Algorithm 1 of Kingma & Ba in float64, value by value. */
function byTheBook(steps: number): number[][] {
  return draws("start").map((start, which) =>
    [...start].map((value, i) => {
      let [w, m, v] = [value, 0, 0];
      for (let t = 1; t <= steps; t++) {
        const g = draws(`gradient ${t}`)[which][i];
        m = constants.beta1 * m + (1 - constants.beta1) * g;
        v = constants.beta2 * v + (1 - constants.beta2) * g ** 2;
        const [mHat, vHat] = [m / (1 - constants.beta1 ** t), v / (1 - constants.beta2 ** t)];
        w -= 0.01 / t * mHat / (Math.sqrt(vHat) + constants.epsilon);
      }
      return w;
    })
  );
}

for (const name of ["wasm", "cpu"]) {
  Deno.test(`Adam makes the steps of its paper (${name})`, async () => {
    await startBackend({ name });
    const variables = makeVariables();
    using adam = new Adam(constants);
    for (let step = 1; step <= 5; step++) stepAt(adam, variables, step);
    const expected = byTheBook(5);
    read(variables).forEach((values, which) =>
      values.forEach((value, i) => assert.ok(Math.abs(value - expected[which][i]) < 1e-6, `${value}`))
    );
    assert.equal(adam.steps, 5);
    tf.dispose(variables);
  });

  Deno.test(`Adam goes on from its state with the same bits (${name})`, async () => {
    await startBackend({ name });
    const variables = makeVariables();
    using straight = new Adam(constants);
    for (let step = 1; step <= 3; step++) stepAt(straight, variables, step);
    const state = await straight.state();
    const halfway = read(variables);
    for (let step = 4; step <= 6; step++) stepAt(straight, variables, step);
    const end = read(variables);

    variables.forEach((variable, i) => tf.tidy(() => variable.assign(tf.tensor1d(halfway[i]))));
    using resumed = new Adam(constants);
    resumed.restore(state, variables);
    for (let step = 4; step <= 6; step++) stepAt(resumed, variables, step);
    assert.deepEqual(read(variables), end);
    tf.dispose(variables);
  });

  Deno.test(`Adam leaks nothing, and leaves clones of its variables as they were (${name})`, async () => {
    await startBackend({ name });
    const before = tf.memory();
    const variables = makeVariables();
    const start = read(variables);
    const clones = variables.map((variable) => tf.clone(variable));
    const adam = new Adam(constants);
    stepAt(adam, variables, 1);
    const after1 = tf.memory();
    for (let step = 2; step <= 4; step++) stepAt(adam, variables, step);
    const after4 = tf.memory();
    assert.equal(after4.numTensors, after1.numTensors);
    assert.equal(after4.numBytes, after1.numBytes);
    assert.deepEqual(clones.map((clone) => clone.dataSync()), start);
    assert.notDeepEqual(read(variables), start);
    adam.dispose();
    tf.dispose([...variables, ...clones]);
    assert.equal(tf.memory().numTensors, before.numTensors);
    assert.equal(tf.memory().numBytes, before.numBytes);
  });
}

Deno.test("Adam restores a state from before its first step", async () => {
  await startBackend();
  const variables = makeVariables();
  using adam = new Adam(constants);
  const state = await adam.state();
  stepAt(adam, variables, 1);
  adam.restore(state, variables);
  assert.equal(adam.steps, 0);
  stepAt(adam, variables, 1);
  tf.dispose(variables);
});

Deno.test("Adam refuses constants, gradients, variables and states that do not fit", async () => {
  await startBackend();
  assert.throws(() => new Adam({ beta1: 1 }), /beta1 is 1[^]*\[0, 1\)/);
  assert.throws(() => new Adam({ beta2: NaN }), /beta2 is NaN/);
  assert.throws(() => new Adam({ epsilon: 0 }), /epsilon is 0/);

  const [a, b] = [tf.variable(tf.zeros([2]), true, "a"), tf.variable(tf.zeros([3]), true, "b")];
  const [two, three] = [tf.zeros([2]), tf.zeros([3])];
  using adam = new Adam();
  assert.throws(() => adam.step([a, b], [two], 1), /2 variables, 1 gradients/);
  assert.throws(() => adam.step([a], [three], 1), /the gradient of "a" \[2\] is \[3\]/);
  assert.throws(
    () => adam.step([a], [undefined as unknown as tf.Tensor], 1),
    /is \[missing\][^]*disconnected/,
  );
  adam.step([a], [two], 1);
  assert.throws(() => adam.step([b], [three], 1), /not the variables of the last step/);
  const state = await adam.state();
  assert.throws(() => adam.restore(state, [a, b]), /does not fit/);
  assert.throws(() => adam.restore(state, [b]), /does not fit/);
  tf.dispose([a, b, two, three]);
});
