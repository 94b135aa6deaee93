import assert from "node:assert/strict";
import { squaredDistance } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { bodyPhantoms } from "../datasets/body_phantoms.ts";
import { samples } from "../datasets/dataset.ts";

const settings = { subjects: 24, slices: 4, matrix: 64, views: 20, bins: 93, stream: "test/bodies" };

Deno.test("a body made alone equals the one made in sequence, in whatever order and number", async () => {
  const inSequence = new Map<string, readonly (Float32Array | undefined)[]>();
  for await (const { subject, id, image, measurement } of samples(bodyPhantoms(settings))) {
    inSequence.set(`${subject}/${id}`, [image?.data, measurement?.data]);
  }
  assert.equal(inSequence.size, 96);
  for (const key of stream("test/order").shuffled([...inSequence.keys()]).slice(0, 20)) {
    const [subject, id] = key.split("/");
    const { image, measurement } = await bodyPhantoms({ ...settings, subjects: 30 }).sample(subject, id);
    assert.deepEqual([image!.data, measurement!.data], inSequence.get(key));
  }
});

Deno.test("bodyPhantoms() name their data: other bodies, views or detectors are another hash", () => {
  const others = [{ matrix: 32 }, { stream: "x" }, { slices: 3 }, { views: 21 }, { bins: 92 }, { span: 1 }];
  const hashes = [{}, ...others].map((other) => bodyPhantoms({ ...settings, ...other }).contents.hash);
  assert.equal(new Set(hashes).size, hashes.length);
  assert.equal(bodyPhantoms({ ...settings }).contents.hash, hashes[0]);
});

Deno.test("bodies are in HU, air is −1000, nothing attenuates less than air, and a banner says they are simulated", async () => {
  const dataset = bodyPhantoms(settings);
  assert.equal(dataset.contents.unit, "HU");
  assert.match(dataset.contents.banners.join(), /simulated/);
  for await (const { image, measurement } of samples(dataset)) {
    assert.equal(image!.data[0], -1000);
    assert.ok(image!.data.every((value) => value >= -1000.01 && value < 2500));
    assert.ok(measurement!.data.every((value) => value > -0.01));
  }
});

Deno.test("bodies hold air, fat, soft tissue and bone, and two thirds of a picture are air", async () => {
  let [air, fat, soft, bone, all] = [0, 0, 0, 0, 0];
  for await (const { image } of samples(bodyPhantoms(settings))) {
    for (const value of image!.data) {
      if (value < -900) air += 1;
      if (Math.abs(value + 100) <= 10) fat += 1;
      if (Math.abs(value - 40) <= 10) soft += 1;
      if (value > 400) bone += 1;
      all += 1;
    }
  }
  assert.ok(Math.abs(air / all - 0.65) < 0.04, `${air / all} is air`);
  assert.ok(fat / all > 0.005 && soft / all > 0.1 && bone / all > 0.002, `${[fat, soft, bone]} of ${all}`);
});

Deno.test("every view of a body sees the same mass, that of its picture above air", async () => {
  const { views, bins, matrix } = settings;
  for (const span of [1, Math.SQRT2]) {
    const dataset = bodyPhantoms({ ...settings, span });
    for (const subject of ["body-001", "body-017"]) {
      const { image, measurement, acquisition } = await dataset.sample(subject, "02");
      assert.deepEqual(acquisition, { noiseFree: true, span });
      assert.deepEqual(measurement!.shape, [views, bins, 1]);
      const mass = image!.data.reduce((sum, value) => sum + value + 1000, 0) * (2 / matrix) ** 2;
      for (let view = 0; view < views; view++) {
        const seen = measurement!.data.subarray(view * bins, (view + 1) * bins)
          .reduce((sum, value) => sum + value, 0) * 2 * span / bins;
        assert.ok(Math.abs(seen / mass - 1) < 2e-5, `${subject}, view ${view}: ${seen}, not ${mass}`);
      }
    }
  }
});

Deno.test("slices of one body are more alike than slices of two", async () => {
  const dataset = bodyPhantoms(settings);
  const slice = async (subject: number, id: string) =>
    (await dataset.sample(`body-${String(subject).padStart(3, "0")}`, id)).image!.data;
  for (let i = 1; i < 20; i++) {
    const one = await slice(i, "01");
    const within = squaredDistance(one, await slice(i, "02"));
    assert.ok(within < squaredDistance(one, await slice(i + 1, "01")), `bodies ${i} and ${i + 1}`);
  }
});

Deno.test("bodies come in any matrix, and show the same in each", async () => {
  const mean = async (matrix: number) => {
    const { image, measurement } = await bodyPhantoms({ ...settings, matrix }).sample("body-002", "01");
    assert.deepEqual(image!.shape, [matrix, matrix, 1]);
    return [image!.data.reduce((sum, value) => sum + value, 0) / matrix ** 2, measurement!.data] as const;
  };
  const [reference, sinogram] = await mean(64);
  for (const matrix of [33, 128]) {
    const [value, same] = await mean(matrix);
    assert.ok(Math.abs(value - reference) < 0.1);
    assert.deepEqual(same, sinogram);
  }
});

Deno.test("the last bodies are for test, those before them for validation", () => {
  const { subjects } = bodyPhantoms({ ...settings, subjects: 5, parts: { validation: 1, test: 2 } }).contents;
  assert.deepEqual(subjects.map(({ role }) => role), ["train", "train", "validation", "test", "test"]);
});

Deno.test("bodyPhantoms() refuse a sample that they do not have, and sizes that are none", async () => {
  await assert.rejects(
    bodyPhantoms(settings).sample("body-025", "00"),
    /no sample "00" of subject "body-025"/,
  );
  assert.throws(() => bodyPhantoms({ ...settings, slices: 0 }), /whole slices/);
  assert.throws(() => bodyPhantoms({ ...settings, views: 0 }), /views cannot be 0/);
});
