import { deepStrictEqual, ok } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { meanImage } from "../baselines/mean_image.ts";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { type Reconstructed, reconstructions } from "../harness/evaluate.ts";
import { batches, rangeOf, Shelf } from "../harness/samples.ts";
import { splitBySubject } from "../harness/split.ts";
import type { Knows } from "../methods/method.ts";
import { input, toyBenchmark, toyContents, toyDataset } from "./toy.ts";

await startBackend({ name: "cpu" });
const contents = toyContents(14, 2);
const { x, y, test } = splitBySubject(contents, stream("a")).parts;
const unknown: Knows = { pairs: true, operator: "nothing" };
// Toy images are uniform in [1, 2), and 0 in the columns that are not measured.
const low = 1.25;
const high = 1.75;
const benchmark = toyBenchmark({ window: () => ({ low, high }) });

function shelfOf(more = benchmark): Shelf {
  return Shelf.of(toyDataset(contents), more, {}, "task");
}

async function reconstructed(knows: Knows, gain: number): Promise<Reconstructed[]> {
  using learner = input.prepare({} as never, { gain }, stream("a"));
  const all: Reconstructed[] = [];
  for await (
    const one of reconstructions({ shelf: shelfOf(), settings: {}, learner, knows }, test.slice(0, 2))
  ) {
    all.push(one);
  }
  return all;
}

Deno.test("a method without the operator is shown the window only, from 0 on", async () => {
  const shelf = shelfOf();
  const { draw } = batches({ shelf, knows: unknown, x, y, batch: 1, mirror: false, rng: stream("s") });
  const range = rangeOf(await shelf.get(x[0]), unknown)!;
  deepStrictEqual(range, { low: 0, high: (high - low) / 2 });
  const batch = await draw();
  for (const values of [await batch.x.data(), await batch.y.data()]) {
    ok(values.every((value) => value >= 0 && value <= range.high));
    ok(values.some((value) => value === 0) && values.some((value) => value > 0));
  }
  tf.dispose([batch.x, batch.y]);
});

Deno.test("a method that knows the operator is shown all values, since the operator is linear in them", async () => {
  const shelf = shelfOf();
  const knows: Knows = { pairs: true, operator: "exactly" };
  deepStrictEqual(rangeOf(await shelf.get(x[0]), knows), undefined);
  const { draw } = batches({ shelf, knows, x, y, batch: 1, mirror: false, rng: stream("s") });
  const { x: image, y: measurement, A } = await draw();
  const difference = tf.max(tf.abs(tf.sub(A!.forward(image), measurement))).dataSync()[0];
  ok(difference < 1e-6);
  ok(Math.max(...await image.data()) > high / 2);
  tf.dispose([image, measurement]);
});

Deno.test("what lies outside of the window stays as it was seen, and a change within is added to it", async () => {
  for (const { encounter: { seen }, image } of await reconstructed(unknown, 1)) {
    ok(image.data.every((value, i) => Math.abs(value - seen.data[i]) < 1e-6), "no change");
  }
  for (const { encounter: { seen }, image } of await reconstructed(unknown, 0.5)) {
    const half = seen.data.map((value) => value - 0.5 * (Math.min(high, Math.max(low, value)) - low));
    ok(image.data.every((value, i) => Math.abs(value - half[i]) < 1e-6), "half of what it was shown");
  }
});

Deno.test("patches of a matched pair are of one place, and whole images are reconstructed", async () => {
  const everything = toyBenchmark({
    acquisition: () => ({
      name: "everything",
      settings: {},
      measure: ({ image }) => Promise.resolve({ operator: same, image, measurement: image! }),
    }),
  });
  const keep = (tensor: tf.Tensor) => tf.clone(tensor);
  const shape = [4, 4, 2];
  const same = {
    name: "identity",
    settings: {},
    imageShape: shape,
    measurementShape: shape,
    forward: keep,
    adjoint: keep,
  };
  const shelf = shelfOf(everything);
  const seenPatches = new Set<string>();
  const { draw } = batches({
    shelf,
    knows: unknown,
    x: x.slice(0, 1),
    y,
    batch: 2,
    mirror: false,
    patch: 3,
    rng: stream("patches"),
  });
  const image = (await shelf.get(x[0])).measured.image!;
  for (let i = 0; i < 20; i++) {
    const batch = await draw();
    deepStrictEqual(batch.x.shape, [2, 3, 3, 2]);
    deepStrictEqual(await batch.x.data(), await batch.y.data());
    for (const patch of await batch.x.array() as number[][][][]) {
      const [row, column] = [0, 1].flatMap((row) => [0, 1].map((column) => [row, column])).find((
        [row, column],
      ) => patch[0][0][0] === Math.fround(image.data[(row * 4 + column) * 2] / 2))!;
      seenPatches.add(`${row},${column}`);
      deepStrictEqual(patch[2][2][1], Math.fround(image.data[((row + 2) * 4 + column + 2) * 2 + 1] / 2));
    }
    tf.dispose([batch.x, batch.y]);
  }
  deepStrictEqual(seenPatches.size, 4);
});

Deno.test("training is shown the label in place of the image, and scores know both", async () => {
  const plain = toyBenchmark();
  const labelled = toyBenchmark({
    acquisition: (settings, name) => {
      const acquisition = plain.acquisition(settings, name);
      return {
        ...acquisition,
        measure: async (sample, rng) => {
          const measured = await acquisition.measure(sample, rng);
          const { shape, data } = measured.image!;
          return { ...measured, label: { shape, data: data.map((value) => value + 10) } };
        },
      };
    },
  });
  const { draw } = batches({
    shelf: shelfOf(labelled),
    knows: unknown,
    x,
    y,
    batch: 1,
    mirror: false,
    rng: stream("s"),
  });
  const { x: image, y: measurement } = await draw();
  ok((await image.data()).every((value) => value >= 5.5));
  tf.dispose([image, measurement]);
});

Deno.test("a method that looks at no measurement gives one image for all, with a window too", async () => {
  const control: Knows = { pairs: false, operator: "nothing", measurement: false };
  using learner = {
    ...input.prepare({} as never, { gain: 1 }, stream("a")),
    reconstruct: (y: tf.Tensor4D) => tf.fill<tf.Rank.R4>(y.shape, 0.1),
  };
  for await (
    const { image } of reconstructions({ shelf: shelfOf(), settings: {}, learner, knows: control }, test)
  ) {
    ok(image.data.every((value) => Math.abs(value - (low + 2 * 0.1)) < 1e-6));
  }
  deepStrictEqual(meanImage.knows, control);
});
