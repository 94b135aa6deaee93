import { deepStrictEqual, ok, rejects } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { batches, Shelf, tensorOf } from "../harness/samples.ts";
import { splitBySubject } from "../harness/split.ts";
import { toyBenchmark, toyContents, toyDataset } from "./toy.ts";

await startBackend({ name: "cpu" });
const contents = toyContents(14, 2);
const benchmark = toyBenchmark();
const split = splitBySubject(contents, stream("a"));

function supply(pairs: boolean, operator: "exactly" | "nothing", batch = 1, seed = "seed") {
  const shelf = new Shelf(toyDataset(contents), benchmark, benchmark.acquisition({}, "s"), "task");
  const { x, y } = split.parts;
  return {
    shelf,
    draw: batches({ shelf, knows: { pairs, operator }, x, y, batch, mirror: false, rng: stream(seed) }),
  };
}

/** The values of images by the subject they are of, so that a batch can be told where it came from. */
async function subjectOf(values: Float32Array): Promise<string> {
  const data = toyDataset(contents);
  for (const subject of contents.subjects) {
    for (const id of subject.samples) {
      const { image } = await data.sample(subject.id, id);
      if (image!.data.every((value, i) => Math.abs(value / 2 - values[i]) < 1e-6 || values[i] === 0)) {
        return subject.id;
      }
    }
  }
  throw new Error("of no subject");
}

Deno.test("batches() never gives an unpaired method the two halves of one subject", async () => {
  const { draw } = supply(false, "exactly");
  const [xs, ys] = [new Set<string>(), new Set<string>()];
  for (let i = 0; i < 40; i++) {
    const { x, y } = await draw();
    xs.add(await subjectOf(x.dataSync() as Float32Array));
    ys.add(await subjectOf(y.dataSync() as Float32Array));
    tf.dispose([x, y]);
  }
  deepStrictEqual([...xs].filter((subject) => ys.has(subject)), []);
  deepStrictEqual([xs.size, ys.size], [4, 4]);
});

Deno.test("batches() gives a method that knows pairs an image with its own measurement", async () => {
  const { draw } = supply(true, "exactly", 2);
  for (let i = 0; i < 10; i++) {
    const { x, y, A } = await draw();
    const difference = tf.max(tf.abs(tf.sub(A!.forward(x), y))).dataSync()[0];
    ok(difference < 1e-6, `H x differs from y by ${difference}`);
    tf.dispose([x, y]);
  }
});

Deno.test("batches() hands no operator to a method that may not know it", async () => {
  const { A, x, y, see } = await supply(false, "nothing").draw();
  deepStrictEqual(A, undefined);
  deepStrictEqual(see(y).dataSync(), y.dataSync());
  tf.dispose([x, y]);
});

Deno.test("batches() shows every sample once an epoch, in the same order for the same stream", async () => {
  const orders: string[][] = [];
  for (const seed of ["one", "one", "two"]) {
    const { draw } = supply(true, "exactly", 1, seed);
    const order: string[] = [];
    for (let i = 0; i < split.parts.x.length; i++) {
      const { x, y } = await draw();
      order.push(tensorHash(x));
      tf.dispose([x, y]);
    }
    deepStrictEqual(new Set(order).size, split.parts.x.length);
    orders.push(order);
  }
  deepStrictEqual(orders[0], orders[1]);
  ok(orders[0].join() !== orders[2].join());
});

Deno.test("a shelf gives the same values whether it kept the sample or measured it again", async () => {
  const ref = split.parts.x[0];
  const { shelf } = supply(true, "exactly");
  const first = await shelf.get(ref);
  const again = await supply(true, "exactly").shelf.get(ref);
  deepStrictEqual(first.measured.measurement, again.measured.measurement);
  ok(first === await shelf.get(ref));
});

Deno.test("a mirrored sample is its mirrored image, measured", async () => {
  const { shelf } = supply(true, "exactly");
  const ref = split.parts.x[0];
  const plain = (await shelf.get(ref)).measured;
  for (const [mirror, row, column] of [["rows", 3, 0], ["columns", 0, 3], ["both", 3, 3]] as const) {
    const { image, measurement } = (await shelf.get(ref, mirror)).measured;
    deepStrictEqual([...image!.data.slice(0, 2)], [
      ...plain.image!.data.slice((row * 4 + column) * 2).slice(0, 2),
    ]);
    // The operator stays where it is: it measures every other column of the mirrored image, too.
    deepStrictEqual([...measurement.data.slice(0, 4)], [...image!.data.slice(0, 2), 0, 0]);
  }
});

Deno.test("a shelf refuses a sample without signal, and names it", async () => {
  const { shelf } = supply(true, "exactly");
  const dark = new Shelf(shelf.dataset, { ...benchmark, scale: () => 0 }, shelf.acquisition, "task");
  await rejects(dark.get(split.parts.x[0]), /cannot be scaled[\s\S]*subject "s\d+"/);
});

Deno.test("tensorOf() stacks images in order", () => {
  const image = (value: number) => ({ shape: [1, 1, 2], data: Float32Array.of(value, -value) });
  const batch = tensorOf([image(1), image(2)]);
  deepStrictEqual([batch.shape, [...batch.dataSync()]], [[2, 1, 1, 2], [1, -1, 2, -2]]);
  batch.dispose();
});

function tensorHash(tensor: tf.Tensor): string {
  return [...tensor.dataSync()].join();
}
