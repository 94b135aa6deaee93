import assert from "node:assert/strict";
import { stream } from "../core/random.ts";
import { resolve } from "../core/settings.ts";
import { type EmitterStackSettings, readyToLearn } from "../datasets/emitter_stacks.ts";
import { openData } from "../datasets/open.ts";
import { tiffFramesKind } from "../datasets/tiff.ts";
import { startBackend } from "../engine/backend.ts";
import { assertNoLeak, splitBySubject } from "../harness/split.ts";
import { localisationMicroscopy, localisationSettings } from "../physics/localisation_microscopy.ts";
import { withFolder, writeTiff } from "./datasets_files.ts";
import { sharedExists, sharedFolder } from "./tree.ts";

await startBackend();

const settings: EmitterStackSettings = {
  tile: 16,
  sharp: "random",
  images: 5,
  densities: [1, 25],
  factor: 4,
  reach: 3,
  pixelNm: 100,
  psfSigmaNm: 130,
  stream: "test",
};

/** Stacks of noise of these names and numbers of frames, and what becomes of them. */
async function made(folder: string, stacks: Readonly<Record<string, number>>, more = {}) {
  for (const [name, frames] of Object.entries(stacks)) {
    const rng = stream(`test/${name}`);
    const data = Uint16Array.from({ length: frames * 40 * 34 }, () => 100 + rng.integer(50));
    await writeTiff(`${folder}/${name}.tif`, { shape: [frames, 40, 34], data });
  }
  const dataset = await openData([tiffFramesKind], [folder], { stream: "test" });
  return readyToLearn(dataset, { ...settings, ...more });
}

const partsOf = ({ contents: { subjects } }: Awaited<ReturnType<typeof made>>) =>
  subjects.map(({ id, role, samples, shape }) => [id, role, samples.length, samples[0], shape[0]]);

Deno.test("one stack is cut into frames to learn from, in tiles, for validation and for test, with a frame between them", () =>
  withFolder(async (folder) => {
    const dataset = await made(folder, { cell: 90 });
    assert.deepEqual(partsOf(dataset), [
      ["points-001", "x", 5, "00", 88],
      ["cell-training", "y", 49 * 4, "00-r0c0", 16],
      ["cell-validation", "validation", 9, "50", 40],
      ["cell", "test", 30, "60", 40],
    ]);
    const split = splitBySubject(dataset.contents, stream("split"));
    assertNoLeak(split, dataset.contents.subjects);
    assert.deepEqual(Object.values(split.parts).map((part) => part.length), [5, 196, 9, 30]);
    assert.match(dataset.contents.banners.join(), /ONE STACK/);
    assert.match(dataset.contents.notes.join(), /believed to have σ 130 nm, and a camera pixel 100 nm/);
    const { acquisition } = await dataset.sample("points-001", "00");
    assert.deepEqual(acquisition!.dark, (await dataset.sample("cell", "60")).acquisition!.dark);
    dataset.close();
  }));

Deno.test("of several stacks the first is learned from, unless their names say more; few frames are all for test", () =>
  withFolder(async (folder) => {
    const roles = async (name: string, stacks: Readonly<Record<string, number>>, more = {}) => {
      await Deno.mkdir(`${folder}/${name}`);
      const dataset = await made(`${folder}/${name}`, stacks, more);
      dataset.close();
      return partsOf(dataset).slice(1).map(([id, role]) => `${id} ${role}`);
    };
    assert.deepEqual(await roles("several", { a: 30, b: 12, c: 12 }), [
      "a-training y",
      "a-validation validation",
      "b test",
      "c test",
    ]);
    assert.deepEqual(await roles("named", { a: 30, test_b: 12 }), [
      "a-training y",
      "a-validation validation",
      "test_b test",
    ]);
    assert.deepEqual(await roles("short", { a: 2 }), ["a test"]);
    assert.deepEqual(await roles("three", { a: 3 }), ["a-training y", "a-validation validation", "a test"]);
    assert.deepEqual(await roles("spare", { a: 30, train_b: 12 }), [
      "a-training y",
      "a-validation validation",
      "a test",
    ]);
    const learned = await made(`${folder}/spare`, {}, { sharp: "train-frames" });
    // Tiles of 16 within a rim of 3: two of 34 rows, one of 28 columns.
    assert.deepEqual(partsOf(learned)[0], ["train_b", "x", 24, "00-r0c0", 88]);
    await assert.rejects(
      learned.sample("train_b", "00-r0c0"),
      /needs its emitters[^]*train_ground_truth\.csv/,
    );
    learned.close();
    await assert.rejects(
      made(`${folder}/short`, {}, { sharp: "train-frames" }),
      /no stack is for training alone/,
    );
  }));

Deno.test("one stack under two names is refused, whatever parts they would play", () =>
  withFolder(async (folder) => {
    await made(folder, { a: 12 });
    await Deno.copyFile(`${folder}/a.tif`, `${folder}/b.tif`);
    await assert.rejects(made(folder, {}), /"a" and "b" hold the same frames/);
  }));

const folder = `${sharedFolder}/smlm/deepstorm_microtubules`;
const optics = {
  ...resolve(localisationSettings, {}, "test"),
  psfSigmaNm: 106,
  pixelNm: "100",
  cameraGain: 2.06,
};

Deno.test({
  name:
    "the Deep-STORM folder: frames 1-199 to learn from, 201-239 for validation, 241-361 with their emitters to test",
  ignore: !sharedExists,
  async fn() {
    const options = { stream: "test", settings: { pixelNm: "100" } };
    const dataset = readyToLearn(await openData([tiffFramesKind], [folder], options), settings);
    assert.deepEqual(partsOf(dataset), [
      ["points-001", "x", 5, "00", 88],
      ["frames-training", "y", 199 * 16, "000-r0c0", 16],
      ["frames-validation", "validation", 39, "200", 64],
      ["frames", "test", 121, "240", 64],
    ]);
    assert.match(dataset.contents.notes.join(), /train_frames was left out; --set sharp=train-frames/);
    assert.match(dataset.contents.notes.join(), /not samples themselves: \S+recovery\.mat/);
    const acquisition = localisationMicroscopy(optics, "test");
    const operators = await Promise.all(
      [["points-001", "00"], ["frames-training", "000-r0c0"]].map(async ([subject, id]) =>
        (await acquisition.measure(await dataset.sample(subject, id), stream(id))).operator
      ),
    );
    assert.equal(operators[0], operators[1]);
    const { measurement, emitters, image } = await acquisition.measure(
      await dataset.sample("frames", "300"),
      stream("none"),
    );
    assert.deepEqual(image!.shape, [280, 280, 1]);
    assert.ok(emitters!.xNm.length > 150);
    // What the camera saw is what the optics make of the true emitters: as bright, and in the same places.
    const simulated = await acquisition.measure({
      id: "0",
      subject: "s",
      image: image!,
      acquisition: (await dataset.sample("frames", "300")).acquisition,
    }, stream("noise"));
    const [real, made] = [measurement.data, simulated.measurement.data];
    const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0);
    assert.ok(Math.abs(sum(real) / sum(made) - 1) < 0.15, `${sum(real)}, ${sum(made)}`);
    assert.ok(correlation(real, made) > 0.95, `${correlation(real, made)}`);
    dataset.close();
  },
});

Deno.test({
  name:
    "the Deep-STORM folder: training frames with their emitters are images to learn from, where that is asked for",
  ignore: !sharedExists,
  async fn() {
    const options = { stream: "test", settings: { pixelNm: "100" } };
    const opened = await openData([tiffFramesKind], [folder], options);
    const dataset = readyToLearn(opened, { ...settings, sharp: "train-frames" });
    assert.deepEqual(partsOf(dataset)[0], ["train_frames", "x", 20 * 9, "00-r0c0", 88]);
    const acquisition = localisationMicroscopy(optics, "test");
    const tile = await dataset.sample("train_frames", "07-r1c2");
    const { measurement, image, operator } = await acquisition.measure(tile, stream("none"));
    const simulated = await acquisition.measure({ id: "0", subject: "s", image: image! }, stream("noise"));
    assert.deepEqual(operator.measurementShape, [16, 16, 1]);
    assert.ok(correlation(measurement.data, simulated.measurement.data) > 0.95);
    dataset.close();
  },
});

Deno.test({
  name: "the dSTORM frames have a part each, and no truth",
  ignore: !sharedExists,
  async fn() {
    const options = { stream: "test", settings: { pixelNm: "133" } };
    const opened = await openData(
      [tiffFramesKind],
      [`${sharedFolder}/smlm/dstorm_real_5frames.tif`],
      options,
    );
    const dataset = readyToLearn(opened, settings);
    assert.deepEqual(partsOf(dataset).slice(1).map(([, role, count]) => [role, count]), [
      ["y", 2 * 64],
      ["validation", 1],
      ["test", 2],
    ]);
    const sample = await dataset.sample("dstorm_real_5frames", "03");
    const { measurement, image, emitters } = await localisationMicroscopy(optics, "test").measure(
      sample,
      stream("none"),
    );
    assert.deepEqual([image, emitters], [undefined, undefined]);
    const brightest = Math.max(...measurement.data);
    assert.ok(brightest > 0.3 && brightest < 10, `${brightest}`);
    dataset.close();
  },
});

function correlation(a: Float32Array, b: Float32Array): number {
  const centred = (values: Float32Array) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return Float64Array.from(values, (value) => value - mean);
  };
  const [u, v] = [centred(a), centred(b)];
  const inner = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  return inner(u, v) / Math.sqrt(inner(u, u) * inner(v, v));
}
