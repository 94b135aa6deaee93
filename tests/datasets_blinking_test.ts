import assert from "node:assert/strict";
import { hashOfValues } from "../commands/data.ts";
import { inField } from "../core/points.ts";
import { blinking, blinkingFilaments, randomEmitters } from "../datasets/blinking.ts";
import { samples } from "../datasets/dataset.ts";
import { joined, portionsOf } from "../datasets/joined.ts";
import { microtubules } from "../datasets/microtubules.ts";

const grid = { pixelNm: 100, factor: 4, reach: 3 };
const settings = { ...grid, subjects: 2, frames: 5, size: 16, density: 2, stream: "test" };

Deno.test("emitters are the same in any order, and others in every frame, subject and stream", async () => {
  for (const make of [randomEmitters, blinkingFilaments]) {
    const [dataset, again] = [make(settings), make(settings)];
    const seen = new Set<string>();
    for await (const { id, subject, image, emitters } of samples(dataset)) {
      assert.deepEqual(image!.shape, [88, 88, 1]);
      seen.add(hashOfValues(image!.data));
      const other = await again.sample(subject, id);
      assert.deepEqual([other.image, other.emitters], [image, emitters]);
    }
    assert.equal(seen.size, 10);
    assert.equal(dataset.contents.hash, again.contents.hash);
    for (const change of [{ stream: "other" }, { density: 3 }, { reach: 4 }, { acquisition: { low: 7 } }]) {
      assert.notEqual(make({ ...settings, ...change }).contents.hash, dataset.contents.hash);
    }
  }
});

Deno.test("as many emitters shine as the density says, Poisson's number of them, and of its brightness", async () => {
  for (const make of [randomEmitters, blinkingFilaments]) {
    const counts: number[] = [];
    const logarithms: number[] = [];
    for await (const { emitters } of samples(make({ ...settings, subjects: 20, frames: 20 }))) {
      counts.push(emitters!.xNm.length);
      logarithms.push(...emitters!.brightness!.map(Math.log));
    }
    const moments = (values: readonly number[]) => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length];
    };
    const [mean, variance] = moments(counts);
    const expected = 2 * 2.6 ** 2;
    assert.ok(Math.abs(mean / expected - 1) < 0.06, `${mean}`);
    assert.ok(Math.abs(variance / expected - 1) < 0.3, `${variance}`);
    const [middle, spread] = moments(logarithms);
    assert.ok(Math.abs(middle) < 0.02 && Math.abs(Math.sqrt(spread) - 0.35) < 0.02, `${middle}, ${spread}`);
  }
});

Deno.test("random emitters fill frame and surroundings evenly; those on filaments come back to the same places", async () => {
  const near = async (make: typeof randomEmitters) => {
    const dataset = make({ ...settings, subjects: 6, frames: 30 });
    let [close, count, inside, all] = [0, 0, 0, 0];
    for (const { id, samples } of dataset.contents.subjects) {
      const frames = await Promise.all(
        samples.map(async (frame) => (await dataset.sample(id, frame)).emitters!),
      );
      for (const [i, { xNm, yNm }] of frames.entries()) {
        all += xNm.length;
        inside += inField(frames[i], 1600, 1600).xNm.length;
        const others = frames.filter((_, j) => j !== i);
        for (let k = 0; k < xNm.length; k++) {
          count++;
          const isClose = others.some((other) =>
            other.xNm.some((x, j) => Math.hypot(x - xNm[k], other.yNm[j] - yNm[k]) < 25)
          );
          if (isClose) close++;
        }
      }
    }
    return { close: close / count, inside: inside / all };
  };
  const [random, filaments] = [await near(randomEmitters), await near(blinkingFilaments)];
  assert.ok(Math.abs(random.inside - (16 / 26) ** 2) < 0.03, `${random.inside}`);
  // 390 emitters of other frames on 6.76 µm², in a circle of 25 nm around each: 1 − exp(−0.113).
  assert.ok(Math.abs(random.close - 0.11) < 0.03, `${random.close}`);
  assert.ok(filaments.close > 3 * random.close, `${filaments.close}`);
});

Deno.test("an emitter's image lies where the emitter is, its peak at its brightness", async () => {
  const frames = await Array.fromAsync(samples(randomEmitters({ ...settings, density: 0.1, frames: 20 })));
  const { image, emitters } = frames.find(({ emitters }) =>
    inField(emitters!, 1600, 1600).xNm.length === 1 && emitters!.xNm.length === 1
  )!;
  const { xNm, yNm, brightness } = emitters!;
  const [column, row] = [xNm[0] / 25 + 12, yNm[0] / 25 + 12];
  const { data } = image!;
  const sum = data.reduce((total, value) => total + value);
  const centre = (at: (i: number) => number) =>
    data.reduce((total, value, i) => total + value * (at(i) + 0.5), 0) / sum;
  assert.ok(Math.abs(centre((i) => i % 88) - column) < 0.01);
  assert.ok(Math.abs(centre((i) => Math.floor(i / 88)) - row) < 0.01);
  const peak = Math.max(...data) / brightness![0];
  assert.ok(peak > 0.75 && peak <= 1, `${peak}`);
});

const parts = { ...grid, density: 2, stream: "test", trainSize: 16, trainFrames: 30, size: 24, frames: 4 };

Deno.test("the embedded data have random emitters for x, fields of their own for every other part, and larger ones to test", async () => {
  const { contents, sample } = blinking({ ...parts, validationFields: 1, testFields: 3 });
  const roles = contents.subjects.map(({ id, role, samples, shape }) => [id, role, samples.length, shape[0]]);
  assert.deepEqual(roles, [
    ["points-001", "x", 30, 88],
    ["training-field-001", "y", 10, 88],
    ["training-field-002", "y", 10, 88],
    ["training-field-003", "y", 10, 88],
    ["validation-field-001", "validation", 4, 120],
    ["test-field-001", "test", 4, 120],
    ["test-field-002", "test", 4, 120],
    ["test-field-003", "test", 4, 120],
  ]);
  const hashes = new Set<string>();
  for (const { id, samples } of contents.subjects) {
    hashes.add(hashOfValues((await sample(id, samples[0])).image!.data));
  }
  assert.equal(hashes.size, 8);
  assert.throws(() => randomEmitters({ ...settings, density: 0 }), /0 for emitters per µm²/);
  assert.throws(() => randomEmitters({ ...settings, frames: 0 }), /whole slices/);
});

Deno.test("joined datasets and portions hand out what their sources do, and refuse what is not theirs", async () => {
  const cells = microtubules({ subjects: 2, slices: 6, matrix: 16, pixelNm: 65, stream: "test" });
  const portions = portionsOf(cells, [
    { of: "cell-001", id: "early", range: [0, 2], role: "y" },
    { of: "cell-001", id: "late", range: [3, 6], role: "test" },
  ]);
  const both = joined([portions, randomEmitters(settings)], { name: "both" });
  assert.deepEqual(both.contents.subjects.map(({ id, role, samples }) => [id, role, samples.length]), [
    ["early", "y", 2],
    ["late", "test", 3],
    ["points-001", undefined, 5],
    ["points-002", undefined, 5],
  ]);
  assert.equal(both.contents.name, "both");
  const { image, subject } = await both.sample("late", "04");
  assert.deepEqual(image, (await cells.sample("cell-001", "04")).image);
  assert.equal(subject, "late");
  await assert.rejects(both.sample("late", "01"), /no sample "01" of subject "late"/);
  await assert.rejects(both.sample("cell-001", "01"), /no sample "01" of subject "cell-001"/);
  assert.throws(() => joined([cells, cells]), /two of the datasets have a subject "cell-001"/);
  assert.throws(() => portionsOf(cells, [{ of: "cell-003" }]), /of a subject "cell-003"/);
  const others = [{ of: "cell-001", range: [0, 3] as const }, { of: "cell-001", role: "y" as const }];
  const hashes = others.map((portion) => portionsOf(cells, [portion]).contents.hash);
  assert.equal(new Set([...hashes, cells.contents.hash]).size, 3);
});
