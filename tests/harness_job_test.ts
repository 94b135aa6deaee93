import { deepStrictEqual, equal, match, notEqual, ok } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import type { Row } from "../benchmarks/benchmark.ts";
import { startBackend } from "../engine/backend.ts";
import { configure } from "../harness/configuration.ts";
import { type Progress, runJob } from "../harness/job.ts";
import { hashOf } from "../harness/weights.ts";
import { jobsOf } from "../harness/plan.ts";
import { prepare } from "../harness/prepare.ts";
import { Shelf } from "../harness/samples.ts";
import type { Batch, Method } from "../methods/method.ts";
import type { ResultRecord } from "../results/record.ts";
import { inFolder } from "./commands_running.ts";
import { input, toyBenchmark, toyContents, toyDataset } from "./toy.ts";
import { trained } from "./toy_extension.ts";

const backend = await startBackend({ name: "cpu" });

/** Does every job of these rows in this process. */
async function records(
  rows: readonly Row[],
  more: { seeds?: string; set?: string[]; tell?: (progress: Progress) => void } = {},
): Promise<ResultRecord[]> {
  const benchmark = toyBenchmark({ rows });
  const suite = { benchmarks: [benchmark], openData: () => Promise.reject(new Error("there are no files")) };
  const request = { benchmark: "toy", profile: "smoke", seeds: more.seeds ?? "1", set: more.set ?? [] };
  const done: ResultRecord[] = [];
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
    const { settings } = configuration;
    for (const job of jobsOf(configuration)) {
      const shelf = Shelf.of(toyDataset(toyContents(14, 2)), benchmark, settings, plan.data.stream);
      const row = configuration.rows.find(({ row }) => row.name === job.method)!;
      const place = { folder, plan, profile: "smoke", settings, row, shelf, provenance: {} };
      done.push(await runJob(place, job, more.tell ?? (() => {})));
    }
  });
  return done;
}

/** {@linkcode trained} with parts of its learner replaced. */
function changed(name: string, more: Partial<ReturnType<Method["prepare"]>>, as: Partial<Method> = {}): Row {
  const method: Method = {
    ...trained,
    ...as,
    prepare: (...given) => ({ ...trained.prepare(...given), ...more, [Symbol.dispose]() {} }),
  };
  return { name, method };
}

const withoutCost = ({ cost: _, ...record }: ResultRecord) => record;

Deno.test("runJob() leaves the same record twice but for its cost, and another one for another seed", async () => {
  const rows = [{ name: "trained", method: trained }];
  const [first, second] = [await records(rows, { seeds: "2" }), await records(rows, { seeds: "2" })];
  deepStrictEqual(first.map(withoutCost), second.map(withoutCost));
  notEqual(first[0].weights, first[1].weights);
  deepStrictEqual(Object.keys(first[0].cost), [
    "train-seconds",
    "updates-per-second",
    "inference-ms",
    "peak-memory",
    "steps-recorded",
    "steps-replayed",
  ]);
});

Deno.test("runJob() shows all methods of one seed the same samples in the same order, each only what it may know", async () => {
  const seen: Record<string, { x: number[]; operator: boolean }[]> = {};
  const looking = (name: string, knows: Method["knows"]) =>
    changed(name, {
      async update(draw: () => Promise<Batch>) {
        const { x, y, A } = await draw();
        (seen[name] ??= []).push({ x: [...await x.data()], operator: A !== undefined });
        tf.dispose([x, y]);
        return { loss: 0 };
      },
    }, { knows });
  const rows = [
    looking("a", { pairs: false, operator: "exactly" }),
    looking("b", { pairs: false, operator: "nothing" }),
  ];
  await records(rows, { set: ["updates=5"] });
  equal(seen.a.length, 5);
  deepStrictEqual(seen.a.map(({ x }) => x), seen.b.map(({ x }) => x));
  ok(seen.a.every(({ operator }) => operator));
  ok(seen.b.every(({ operator }) => !operator));
});

Deno.test("runJob() logs the mean losses since the last check, and the last check is at the last update", async () => {
  let count = 0;
  const update = async (draw: () => Promise<Batch>) => {
    const { x, y } = await draw();
    tf.dispose([x, y]);
    return { count: ++count };
  };
  const told: Progress[] = [];
  const [{ log, state }] = await records([changed("counting", { update })], {
    set: ["updates=10", "checks=3"],
    tell: (progress) => told.push(progress),
  });
  deepStrictEqual(state, { kind: "done" });
  deepStrictEqual(log.map(({ update }) => update), [4, 7, 10]);
  deepStrictEqual(log.map(({ values }) => values.count), [2.5, 6, 9]);
  ok(log.every(({ values }) => values["validation-mae"] > 0));
  equal(told.filter(({ phase }) => phase === "training").at(-1)!.done, 1);
});

Deno.test("runJob() calls a loss or an image that is not finite a divergence, without scores or pictures", async () => {
  const losing = changed("losing", {
    async update(draw: () => Promise<Batch>, progress: number) {
      const { x, y } = await draw();
      tf.dispose([x, y]);
      return { fine: 0, loss: progress > 0.4 ? NaN : 1 };
    },
  });
  const blank = changed("blank", { reconstruct: (y: tf.Tensor4D) => tf.mul(y, NaN) });
  const [lost, nothing] = await records([losing, blank], { set: ["updates=4"] });
  deepStrictEqual(lost.state, { kind: "diverged", update: 3, reason: 'the loss "loss" is NaN' });
  deepStrictEqual(nothing.state, {
    kind: "diverged",
    update: 4,
    reason: "a reconstruction holds a value that is not finite",
  });
  for (const { scores, pictures } of [lost, nothing]) deepStrictEqual([scores, pictures], [[], []]);
});

Deno.test("runJob() chooses what a method leaves to validation by the leading metric, and says so", async () => {
  // Half of each image is measured, the rest is zero; a gain below 1 only makes the error larger.
  const method = { ...input, tune: { setting: "gain", values: [0.25, 1, 0.5] } };
  const [{ settings, notes }] = await records([{ name: "tuned", method }]);
  equal(settings.gain, 1);
  deepStrictEqual(notes, ["gain = 1 was chosen on validation subjects by mae"]);
});

Deno.test("runJob() leaves a setting that was given as it is, though it could be chosen on validation", async () => {
  const method = { ...input, tune: { setting: "gain", values: [0.25, 1, 0.5] } };
  const [{ settings, notes }] = await records([{ name: "tuned", method }], { set: ["tuned.gain=0.75"] });
  equal(settings.gain, 0.75);
  deepStrictEqual(notes, ["gain = 0.75 was given, and not chosen on validation subjects"]);
});

Deno.test("runJob() gives the errors of a method to whoever runs it", async () => {
  const broken = changed("broken", {
    reconstruct() {
      throw new Error("no image for you");
    },
  });
  const error = await records([broken]).then(() => undefined, (error: Error) => error);
  match(error!.message, /no image for you/);
});

Deno.test("hashOf() depends on the names, shapes and values of weights", () => {
  const weights = { name: "a", shape: [2], data: Float32Array.of(1, 2) };
  const hashes = [
    weights,
    { ...weights, name: "b" },
    { ...weights, shape: [1, 2] },
    { ...weights, data: Float32Array.of(1, 2 + 2 ** -22) },
  ].map((one) => hashOf([one]));
  equal(new Set(hashes).size, 4);
  equal(hashOf([weights]), hashOf([{ ...weights, data: Float32Array.of(0, 1, 2).subarray(1) }]));
  // python3 -c "import hashlib,struct; print(hashlib.sha256(b'a[2]'+struct.pack('<2f',1,2)).hexdigest())"
  equal(hashes[0], "8cb334e77582b4733c902731ced148363c6307bb11dd675d7a99ec30601be0ea");
});
