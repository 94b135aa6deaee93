import { deepStrictEqual, ok, rejects } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../core/random.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { startBackend } from "../engine/backend.ts";
import { batches, Shelf, tensorOf } from "../harness/samples.ts";
import { splitBySubject } from "../harness/split.ts";
import type { Acquisition } from "../physics/acquisition.ts";
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
    ...batches({ shelf, knows: { pairs, operator }, x, y, batch, mirror: false, rng: stream(seed) }),
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

/** Batches of subjects whose images have these sizes, each its own; everything is measured. */
function ofSizes(x: readonly (readonly number[])[], y: readonly (readonly number[])[]) {
  const subjects = [...x, ...y].map(([height, width], i) => ({
    id: `s${i}`,
    samples: ["0"],
    shape: [height, width, 2],
  }));
  const dataset: Dataset = {
    contents: { ...toyContents(0, 0), subjects },
    sample(subject, id) {
      const { shape } = subjects.find((one) => one.id === subject)!;
      return Promise.resolve({
        id,
        subject,
        image: { shape, data: new Float32Array(shape.reduce((a, b) => a * b)).fill(1) },
      });
    },
    close() {},
  };
  const acquisition: Acquisition = {
    name: "everything",
    settings: {},
    measure({ image }) {
      const { shape } = image!;
      const same = (tensor: tf.Tensor) => tf.clone(tensor);
      const operator = {
        name: "identity",
        settings: {},
        imageShape: shape,
        measurementShape: shape,
        forward: same,
        adjoint: same,
      };
      return Promise.resolve({ operator, image, measurement: image! });
    },
  };
  const refs = subjects.map(({ id }) => ({ subject: id, sample: "0" }));
  return batches({
    shelf: new Shelf(dataset, benchmark, acquisition, "task"),
    knows: { pairs: false, operator: "exactly" },
    x: refs.slice(0, x.length),
    y: refs.slice(x.length),
    batch: 1,
    mirror: false,
    rng: stream("sizes"),
  }).draw;
}

Deno.test("batches() meets images and measurements of one size, and draws none whose size the others lack", async () => {
  // Twice as many images of one size, and twice as many measurements of the other.
  const draw = ofSizes([[4, 4], [4, 4], [4, 6], [2, 2]], [[4, 8], [4, 6], [4, 6], [4, 4]]);
  const sizes = new Set<string>();
  for (let i = 0; i < 60; i++) {
    const { x, y } = await draw();
    deepStrictEqual(x.shape, y.shape);
    sizes.add(String(x.shape));
    tf.dispose([x, y]);
  }
  deepStrictEqual(sizes, new Set(["1,4,4,2", "1,4,6,2"]));
});

Deno.test("batches() refuses domains that have no size in common", async () => {
  const draw = ofSizes([[4, 4]], [[4, 8], [4, 6]]);
  await rejects(draw, /no image of x has the size[^]*e\.g\. 4 x (8|6)[^]*--set matrix=N/);
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
