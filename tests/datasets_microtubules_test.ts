import assert from "node:assert/strict";
import { hashOfValues } from "../commands/data.ts";
import { stream } from "../core/random.ts";
import { samples } from "../datasets/dataset.ts";
import { filamentsIn, pictureOf } from "../datasets/filaments.ts";
import { microtubules, microtubuleVolumes } from "../datasets/microtubules.ts";

const settings = { subjects: 3, slices: 2, matrix: 64, pixelNm: 65, stream: "test" };

Deno.test("microtubules are the same in any order, and others under another stream", async () => {
  const [first, again] = [microtubules(settings), microtubules(settings)];
  const seen = new Set<string>();
  for await (const { id, subject, image } of samples(first)) {
    assert.deepEqual(image!.shape, [64, 64, 1]);
    seen.add(hashOfValues(image!.data));
    assert.deepEqual((await again.sample(subject, id)).image, image);
  }
  assert.equal(seen.size, 6);
  assert.equal(first.contents.hash, again.contents.hash);
  const other = microtubules({ ...settings, stream: "other" });
  assert.notDeepEqual(
    (await other.sample("cell-001", "00")).image,
    (await first.sample("cell-001", "00")).image,
  );
  for (const change of [{ stream: "other" }, { matrix: 32 }, { pixelNm: 66 }, { slices: 3 }]) {
    assert.notEqual(microtubules({ ...settings, ...change }).contents.hash, first.contents.hash);
  }
  assert.deepEqual(first.contents.pixelSizeMm, [65e-6, 65e-6]);
});

Deno.test("a straight filament is a ridge of its brightness and of sigma 0.9 pixels, in the plane and in space", () => {
  const line = (place: readonly number[]) => ({
    points: Float64Array.from(Array.from({ length: 81 }, (_, i) => [i / 2 - 5, ...place]).flat()),
    brightness: 0.8,
  });
  const plane = pictureOf([line([8.5])], { origin: [0, 0], extents: [17, 30] }, 0.9);
  const space = pictureOf([line([8.5, 4.5])], { origin: [0, 0, 0], extents: [9, 17, 30] }, 0.9);
  for (const offset of [0, 1, 2, 3]) {
    const expected = 0.8 * Math.exp(-(offset ** 2) / (2 * 0.9 ** 2));
    assert.ok(Math.abs(plane.data[(8 + offset) * 30 + 15] - expected) < 1e-3);
    assert.ok(Math.abs(space.data[(4 * 17 + 8 + offset) * 30 + 15] - expected) < 1e-3);
    assert.ok(Math.abs(space.data[((4 + offset) * 17 + 8) * 30 + 15] - expected) < 1e-3);
  }
});

Deno.test("there is as much of them at the border as in the middle, and in a large field as in a small one", async () => {
  const mean = async (matrix: number, fields: number) => {
    const dataset = microtubules({ ...settings, subjects: fields, slices: 1, matrix });
    const sum = new Float64Array(matrix * matrix);
    for await (const { image } of samples(dataset)) {
      image!.data.forEach((value, i) => sum[i] += value / fields);
    }
    return sum;
  };
  const field = await mean(64, 150);
  const border = field.filter((_, i) => Math.min(i % 64, 63 - i % 64, i >> 6, 63 - (i >> 6)) < 6);
  const average = (values: Float64Array) => values.reduce((total, value) => total + value) / values.length;
  assert.ok(Math.abs(average(border) / average(field) - 1) < 0.08, `${average(border)}, ${average(field)}`);
  const large = average(await mean(160, 20));
  assert.ok(Math.abs(large / average(field) - 1) < 0.12, `${large}, ${average(field)}`);
  // A fifth of a field shows something, no half of it does.
  assert.ok(average(field) > 0.1 && average(field) < 0.4);
});

Deno.test("curves are smooth: no step turns by more than a tenth of a radian", () => {
  for (const extents of [[64, 64], [24, 24, 24]]) {
    const dimensions = extents.length;
    for (const { points } of filamentsIn(extents, stream("test/smooth"))) {
      const step = (i: number) =>
        Array.from({ length: dimensions }, (_, axis) => points[i + dimensions + axis] - points[i + axis]);
      for (let i = 0; i + 2 * dimensions < points.length; i += dimensions) {
        const [a, b] = [step(i), step(i + dimensions)];
        assert.ok(Math.abs(Math.hypot(...a) - 0.5) < 1e-9);
        const cosine = a.reduce((sum, value, axis) => sum + value * b[axis], 0) / 0.25;
        assert.ok(Math.acos(Math.min(1, cosine)) < 0.1);
      }
    }
  }
});

Deno.test("the cubes of a volume fit together: each is its part of the whole", async () => {
  const cut = microtubuleVolumes({
    subjects: 1,
    matrix: 16,
    volume: [32, 48, 40],
    pixelNm: 65,
    stream: "test",
  });
  const [{ samples: ids, shape }] = cut.contents.subjects;
  assert.deepEqual([ids.length, shape], [2 * 3 * 2, [16, 16, 16, 1]]);
  const filaments = filamentsIn([32, 48, 40], stream("test/volume-001"));
  const whole = pictureOf(filaments, { origin: [0, 0, 0], extents: [32, 48, 40] }, 0.9);
  for (const [index, place] of [[0, [0, 0, 0]], [7, [16, 0, 16]], [10, [16, 32, 0]]] as const) {
    const { image } = await cut.sample("volume-001", ids[index]);
    for (let i = 0; i < 4096; i++) {
      const [z, y, x] = [i >> 8, (i >> 4) & 15, i & 15];
      const at = ((z + place[0]) * 48 + y + place[1]) * 40 + x + place[2];
      assert.ok(Math.abs(image!.data[i] - whole.data[at]) < 1e-6);
    }
  }
  assert.deepEqual(cut.contents.pixelSizeMm, [65e-6, 65e-6, 65e-6]);
});

Deno.test("planes twice as far apart show the same curves: seen from above they are those of twice as many planes", async () => {
  const [matrix, area] = [24, 24 * 24];
  const settings = { subjects: 1, matrix, pixelNm: 65, stream: "test" };
  const deep = microtubuleVolumes({ ...settings, volume: [48, 24, 24] });
  const flat = microtubuleVolumes({ ...settings, stepNm: 130 });
  const fromAbove = async (dataset: typeof deep) => {
    const sum = new Float64Array(area);
    for (const id of dataset.contents.subjects[0].samples) {
      const { image } = await dataset.sample("volume-001", id);
      image!.data.forEach((value, i) => sum[i % area] += value);
    }
    return sum;
  };
  const [a, b] = [await fromAbove(deep), await fromAbove(flat)];
  const square = (values: Float64Array) => values.reduce((sum, value) => sum + value ** 2, 0);
  // Profiles are cut off at the first and at the last plane, which is elsewhere.
  assert.ok(square(a.map((value, i) => value - b[i])) < 0.02 * square(a));
  assert.deepEqual(flat.contents.pixelSizeMm, [130e-6, 65e-6, 65e-6]);
});

Deno.test("a cube of a paper-sized volume is drawn without the volume", async () => {
  const large = microtubuleVolumes({
    subjects: 2,
    matrix: 64,
    volume: [128, 256, 512],
    pixelNm: 65,
    stream: "test",
  });
  assert.equal(large.contents.subjects[0].samples.length, 2 * 4 * 8);
  const before = performance.now();
  const { image } = await large.sample("volume-002", "63");
  assert.ok(performance.now() - before < 10000);
  const share = image!.data.reduce((sum, value) => sum + (value > 0.3 ? 1 : 0), 0) / 64 ** 3;
  assert.ok(share > 0.002 && share < 0.1, `${share}`);
});

Deno.test("sizes that are none are refused", () => {
  assert.throws(
    () => microtubules({ ...settings, pixelNm: 0 }),
    /pixels of a positive size, not of 0 x 0 nm/,
  );
  assert.throws(() => microtubules({ ...settings, matrix: 1.5 }), /whole matrix/);
  assert.throws(
    () => microtubuleVolumes({ subjects: 1, matrix: 32, volume: [16, 64, 64], pixelNm: 65, stream: "test" }),
    /no cube of 32³ voxels fits into a volume of 16 x 64 x 64[^]*fix: /,
  );
});
