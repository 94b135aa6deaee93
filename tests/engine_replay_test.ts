import { deepStrictEqual, equal, notEqual, ok, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../core/random.ts";
import { Adam } from "../engine/adam.ts";
import { assign } from "../engine/assign.ts";
import { startBackend } from "../engine/backend.ts";
import { conv2d, instanceNorm, leakyRelu } from "../engine/ops.ts";
import { aside, input, output, Replay } from "../engine/replay.ts";
import { heapBytes, takenBlocks } from "./counted_heap.ts";

function variable(values: number[]): tf.Variable {
  return tf.tidy(() => tf.variable(tf.tensor1d(values)));
}

function valueOf(tensor: tf.Tensor): number[] {
  return [...tensor.dataSync<"float32">()];
}

/** The value of a result that is disposed. */
function spent(result: tf.Tensor): number[] {
  const values = valueOf(result);
  result.dispose();
  return values;
}

Deno.test("a replay sees new inputs, and gives its result and outputs anew", () => {
  using replay = new Replay("doubling");
  const seen: number[][] = [];
  let [x, run] = [tf.tensor1d([0]), 0];
  for (; run < 5; run++) {
    x.dispose();
    x = tf.tensor1d([run, 1]);
    const result = replay.run(["one"], () => {
      const twice = tf.mul(input(() => x), 2);
      output(twice, (copy) => seen.push(valueOf(copy)));
      return tf.add(twice, input(() => tf.scalar(100 * run))); // what is fetched may be made for it
    });
    deepStrictEqual(spent(result), [102 * run, 2 + 100 * run]);
  }
  x.dispose();
  deepStrictEqual(seen, [[0, 2], [2, 2], [4, 2], [6, 2], [8, 2]]);
  deepStrictEqual(replay.counts, { tape: 0, recorded: 2, replayed: 3 });
});

Deno.test("an op that computes in JavaScript is refused by name, when it is recorded, and leaves nothing broken behind", () => {
  const x = tf.tensor1d([1, 2, 3, 4]);
  const planted: [string, () => tf.Tensor, RegExp][] = [
    ["a stock op", () => tf.cumsum(input(() => x)), /Cumsum cannot be replayed/],
    ["a stock op of another type", () => tf.cast(tf.greater(input(() => x), 2), "float32"), /Greater cannot/],
    [
      "a value that is read",
      () => tf.mul(x, x.dataSync()[0]),
      /reading a tensor's values cannot be replayed/,
    ],
  ];
  for (const [what, compute, expected] of planted) {
    using replay = new Replay(what);
    const before = [tf.memory().numTensors, takenBlocks()];
    throws(() => replay.run([], compute), expected, what);
    deepStrictEqual([tf.memory().numTensors, takenBlocks()], before, what);
    deepStrictEqual(spent(tf.cumsum(x)), [1, 3, 6, 10]);
  }
  x.dispose();
});

Deno.test("a value from JavaScript that changes is refused, not frozen", () => {
  using replay = new Replay("counting");
  const x = tf.tensor1d([1]);
  let count = 0;
  const run = () => spent(replay.run([], () => tf.mul(input(() => x), ++count)));
  deepStrictEqual([run(), run(), run()], [[1], [2], [3]]);
  throws(run, /each run does something else: "values \[\]: 4 .*counting/s);
  x.dispose();
});

Deno.test("a value that changes after a long time is noticed within a thousand runs", () => {
  using replay = new Replay("warming up");
  const x = tf.tensor1d([1]);
  let runs = 0;
  const run = () => replay.run([], () => tf.mul(input(() => x), runs < 500 ? 1 : 2)).dispose();
  throws(() => {
    for (; runs < 2000; runs++) run();
  }, /each run does something else: "values \[\]: 2 /);
  ok(runs >= 500 && runs < 1500, `noticed in run ${runs}`);
  x.dispose();
});

Deno.test("what is made once, at the first run, and kept, is a constant", () => {
  using replay = new Replay("scaling");
  let three: tf.Tensor | undefined;
  const x = tf.tensor1d([2]);
  for (const make of [() => tf.keep(tf.tensor1d([3])), () => aside(() => tf.keep(tf.tensor1d([3])))]) {
    three = undefined;
    for (let run = 0; run < 5; run++) {
      const result = replay.run([make], () => tf.mul(input(() => x), three ??= make()));
      deepStrictEqual(spent(result), [6]);
    }
    three!.dispose();
  }
  deepStrictEqual(replay.counts, { tape: 0, recorded: 3 + 2, replayed: 2 + 3 });
  x.dispose();
});

Deno.test("a tensor that outlives the run that made it is refused, since replays write over its memory", () => {
  using replay = new Replay("keeping");
  const kept: tf.Tensor[] = [];
  const x = tf.tensor1d([2]);
  const run = () =>
    replay.run([], () => {
      kept.push(tf.keep(tf.square(input(() => x))));
      return tf.square(kept[0]);
    }).dispose();
  run();
  throws(run, /a tensor outlives the computation/);
  deepStrictEqual(kept.map(valueOf), [[4], [4]]);
  tf.dispose([x, ...kept]);
});

Deno.test("each key has a recording of its own, and only so many are kept", () => {
  using replay = new Replay("of any size");
  const run = (size: number) => {
    const result = replay.run([size], () => tf.sum(input(() => tf.ones([size]))));
    deepStrictEqual(spent(result), [size]);
  };
  for (let round = 0; round < 5; round++) [1, 2, 3].forEach(run);
  deepStrictEqual(replay.counts, { tape: 0, recorded: 6, replayed: 9 });
  for (let size = 4; size < 20; size++) run(size);
  run(1);
  deepStrictEqual(replay.counts, { tape: 0, recorded: 6 + 16 + 1, replayed: 9 });
  // Where every run has a key of its own there is nothing to gain, and it stays on the tape.
  for (let size = 20; size < 100; size++) run(size);
  ok(replay.counts.tape > 30, `${replay.counts.tape} runs on the tape`);
});

Deno.test("a fetch that holds on to the tensor of the recorded run is told so, where that is gone", () => {
  using replay = new Replay("forgetful");
  const run = () => {
    const x = tf.tensor1d([1]);
    try {
      replay.run([], () => tf.square(input(() => x))).dispose();
    } finally {
      x.dispose();
    }
  };
  run();
  run();
  throws(run, /an input is a tensor that was disposed.*let `fetch` look up/s);
});

Deno.test("a variable is written in place, unless somebody else shares its values", () => {
  using replay = new Replay("growing");
  const weight = variable([1]);
  const run = () =>
    replay.run([], () => {
      assign(weight, tf.mul(weight, 2));
      return tf.clone(weight);
    }).dispose();
  for (let i = 0; i < 4; i++) run();
  deepStrictEqual(valueOf(weight), [16]);
  const before = weight.clone();
  run();
  deepStrictEqual([valueOf(weight), valueOf(before)], [[32], [16]]);
  before.dispose();
  for (let i = 0; i < 4; i++) run();
  deepStrictEqual(valueOf(weight), [512]);
  equal(replay.counts.replayed, 2 + 3);
  // Given new memory from outside, it is found there.
  tf.tidy(() => weight.assign(tf.tensor1d([1])));
  for (let i = 0; i < 4; i++) run();
  deepStrictEqual(valueOf(weight), [16]);
  equal(replay.counts.replayed, 2 + 3 + 3);
  weight.dispose();
});

Deno.test("a variable that is given new memory in every run is refused, with what to do instead", () => {
  using replay = new Replay("moving");
  const weight = variable([1]);
  const run = () =>
    replay.run([], () => {
      const result = tf.square(weight);
      weight.assign(tf.add(weight, 1));
      return result;
    });
  deepStrictEqual(spent(run()), [1]);
  throws(run, /use assign\(\) of engine\/assign.ts/);
  weight.dispose();
});

/** Steps of Adam on a small network; the weights at the end. */
function trained(steps: number, between: (step: number) => void = () => {}): number[] {
  const rng = stream("engine-replay/images");
  const draw = (shape: [number, number, number, number]) =>
    tf.tensor4d(Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => rng.normal()), shape);
  using replay = new Replay("training");
  using adam = new Adam();
  const filter = tf.tidy(() => tf.variable(draw([3, 3, 2, 8])));
  let step = 0;
  for (; step < steps; step++) {
    replay.run([], () => {
      const image = input(() => draw([1, 16, 16, 2]));
      const { value, grads } = tf.variableGrads(
        () => tf.mean(tf.square(leakyRelu(instanceNorm(conv2d(image, filter, { padding: 1 }))))) as tf.Scalar,
        [filter],
      );
      adam.step([filter], [grads[filter.name]], () => 0.1 / (1 + step));
      return value;
    }).dispose();
    between(step);
  }
  equal(adam.steps, steps);
  const values = valueOf(filter);
  filter.dispose();
  return values;
}

Deno.test("replayed steps of Adam move weights as steps on the tape do, with rates that fall", async () => {
  const replayed = trained(8);
  await startBackend({ replay: false });
  deepStrictEqual(trained(8), replayed);
  notEqual(trained(7).join(), replayed.join());
  await startBackend();
});

Deno.test("a recording outlives a heap that grows and tensors that come and go", () => {
  const expected = trained(8);
  const large: tf.Tensor[] = [];
  const bytes = heapBytes();
  const actual = trained(8, (step) => {
    if (step === 4) {
      while (heapBytes() === bytes) large.push(tf.ones([2 ** 22]));
    }
    tf.tidy(() => tf.mul(tf.ones([1, 16, 16, 8]), 7)); // would write over memory that was freed too early
  });
  ok(heapBytes() > bytes);
  tf.dispose(large);
  deepStrictEqual(actual, expected);
});

Deno.test("replays take no memory, and give back what recordings took", () => {
  trained(3); // the scratch memory of the kernels stays
  const before = takenBlocks();
  const taken: number[] = [];
  trained(20, () => taken.push(takenBlocks() - before));
  equal(takenBlocks(), before);
  ok(taken[2] > 10 && taken.slice(2).every((count) => count === taken[2]), `${taken}`);
});

Deno.test("every other backend computes on the tape", async () => {
  await startBackend({ name: "cpu" });
  using replay = new Replay("on cpu");
  for (let run = 0; run < 4; run++) {
    deepStrictEqual(spent(replay.run([], () => tf.mul(input(() => tf.scalar(run)), 2))), [2 * run]);
  }
  deepStrictEqual(replay.counts, { tape: 4, recorded: 0, replayed: 0 });
  await startBackend();
});
