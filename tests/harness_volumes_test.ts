/** Volumes on their way through the harness: mirrored along three axes, cut to cubes, shown as projections. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import type { Benchmark } from "../benchmarks/benchmark.ts";
import { type Image, maximumProjection, mirrored, sizeOf } from "../core/image.ts";
import { stream } from "../core/random.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { startBackend } from "../engine/backend.ts";
import { configure } from "../harness/configuration.ts";
import { runJob } from "../harness/job.ts";
import { jobsOf } from "../harness/plan.ts";
import { prepare } from "../harness/prepare.ts";
import { batches, type Mirror, Shelf } from "../harness/samples.ts";
import { supervised } from "../methods/supervised.ts";
import type { Operator } from "../physics/operator.ts";
import { parseRecord, type ResultRecord } from "../results/record.ts";
import { inFolder } from "./commands_running.ts";
import { toyBenchmark, toyContents } from "./toy.ts";

const backend = await startBackend();
const shape = [3, 6, 5, 1];
const contents = toyContents(14, 1, { shape });

const dataset: Dataset = {
  contents,
  sample(subject, id) {
    const rng = stream(`volumes/${subject}/${id}`);
    const data = Float32Array.from({ length: sizeOf(shape) }, () => rng.uniform());
    return Promise.resolve({ id, subject, image: { shape, data } });
  },
  close() {},
};

const halving: Operator = {
  name: "halving",
  settings: {},
  imageShape: shape,
  measurementShape: shape,
  forward: (x) => tf.mul(x, 0.5),
  adjoint: (y) => tf.mul(y, 0.5),
};

const benchmark: Benchmark = toyBenchmark({
  embedded: () => dataset,
  acquisition: () => ({
    name: "halving",
    settings: {},
    measure: ({ image }) =>
      Promise.resolve({
        operator: halving,
        image,
        measurement: { shape, data: image!.data.map((value) => value / 2) },
      }),
  }),
  scale: () => 1,
  view: (image) => image,
  rows: [{ name: "supervised", method: supervised, settings: { width: 2, levels: 1 } }],
});

const shelf = Shelf.of(dataset, benchmark, {}, "task");

async function same(tensor: tf.Tensor, image: Image): Promise<boolean> {
  const values = await tensor.data();
  return image.data.every((value, i) => values[i] === value);
}

Deno.test("a mirrored volume is mirrored along its depth, its height and its width", async () => {
  const ref = { subject: "s3", sample: "0" };
  const plain = (await shelf.get(ref)).measured.image!;
  const ways: [Mirror, boolean[]][] = [
    ["rows", [false, true, false]],
    ["slices", [true, false, false]],
    ["slices and columns", [true, false, true]],
    ["all three", [true, true, true]],
  ];
  for (const [mirror, axes] of ways) {
    deepStrictEqual((await shelf.get(ref, mirror)).measured.image, mirrored(plain, axes));
  }
});

Deno.test("training volumes are shown mirrored in all eight ways", async () => {
  const ref = { subject: "s3", sample: "0" };
  const plain = (await shelf.get(ref)).measured.image!;
  const ways = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) =>
    mirrored(plain, [1, 2, 4].map((axis) => (bits & axis) !== 0))
  );
  const seen = new Set<number>();
  const { draw } = batches({
    shelf,
    knows: { pairs: true, operator: "nothing" },
    x: [ref],
    y: [],
    batch: 1,
    mirror: true,
    rng: stream("mirrored"),
  });
  for (let i = 0; i < 80; i++) {
    const { x, y } = await draw();
    for (const [way, image] of ways.entries()) if (await same(x, image)) seen.add(way);
    tf.dispose([x, y]);
  }
  strictEqual(seen.size, 8);
});

Deno.test("patches of volumes are cubes, cut at the same place from an image and its measurement", async () => {
  const refs = contents.subjects.map(({ id }) => ({ subject: id, sample: "0" }));
  const { draw } = batches({
    shelf,
    knows: { pairs: true, operator: "nothing" },
    x: refs,
    y: [],
    batch: 1,
    mirror: false,
    patch: 4,
    rng: stream("patches"),
  });
  const seen = new Set<string>();
  for (let i = 0; i < 40; i++) {
    const { x, y } = await draw();
    // Three slices are fewer than four: the depth stays whole.
    deepStrictEqual(x.shape, [1, 3, 4, 4, 1] as number[]);
    // What is seen is the adjoint of the measurement, a quarter of the image.
    ok((await tf.max(tf.abs(tf.sub(tf.mul(x, 0.25), y))).data())[0] < 1e-6);
    seen.add([...await x.data()].join());
    tf.dispose([x, y]);
  }
  ok(seen.size > 20, `${seen.size}`);
});

Deno.test("a job on volumes trains, scores, and leaves projections that say of how many slices", async () => {
  const suite = { benchmarks: [benchmark], openData: () => Promise.reject(new Error("there are no files")) };
  const request = { benchmark: "toy", profile: "smoke", seeds: "1", set: ["updates=3"] };
  await inFolder(async (folder) => {
    const { plan } = await prepare(suite, {
      request,
      data: [],
      split: "subjects",
      dataSeed: 1,
      use: [],
      backend: backend.name,
      portable: false,
      out: folder,
      fresh: false,
      keepImages: false,
    });
    const configuration = configure([benchmark], request);
    const [job] = jobsOf(configuration);
    const [row] = configuration.rows;
    const { settings } = configuration;
    const place = { folder, plan, profile: "smoke", settings, row, shelf, provenance: {} };
    const record: ResultRecord = await runJob(place, job, () => {});
    deepStrictEqual(record.state, { kind: "done" });
    ok(record.scores.some(({ metric, value }) => metric === "mae" && Number.isFinite(value)));
    const truth = record.pictures.find(({ name }) => name === "truth")!;
    deepStrictEqual([truth.slices, truth.shape], [3, [6, 5, 1]]);
    const { image } = await dataset.sample(truth.subject, truth.sample);
    const bytes = await Deno.readFile(`${folder}/${truth.path}`);
    deepStrictEqual(new Float32Array(bytes.buffer), maximumProjection(image!).data);
    deepStrictEqual(parseRecord(JSON.stringify(record), "record").pictures, record.pictures);
  });
});
