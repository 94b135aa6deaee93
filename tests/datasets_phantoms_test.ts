import assert from "node:assert/strict";
import { magnitude } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { samples } from "../datasets/dataset.ts";
import { transformOf } from "../core/fourier.ts";
import { phantoms } from "../datasets/phantoms.ts";

const settings = { subjects: 24, slices: 4, matrix: 64, stream: "test/phantoms" };

Deno.test("a phantom made alone equals the one made in sequence, in whatever order", async () => {
  const inSequence = new Map<string, Float32Array>();
  for await (const { subject, id, image } of samples(phantoms(settings))) {
    inSequence.set(`${subject}/${id}`, image!.data);
  }
  assert.equal(inSequence.size, 96);
  for (const key of stream("test/order").shuffled([...inSequence.keys()]).slice(0, 20)) {
    const [subject, id] = key.split("/");
    const { image } = await phantoms(settings).sample(subject, id);
    assert.deepEqual(image!.data, inSequence.get(key));
  }
});

Deno.test("phantoms() of one stream are the same whatever their number, and other streams give others", async () => {
  const first = await phantoms(settings).sample("phantom-001", "00");
  assert.deepEqual(await phantoms({ ...settings, subjects: 2 }).sample("phantom-001", "00"), first);
  const other = await phantoms({ ...settings, stream: "test/other" }).sample("phantom-001", "00");
  assert.notDeepEqual(other.image!.data, first.image!.data);
});

Deno.test("phantoms() name their data: another setting is another hash", () => {
  const hashes = [settings, { ...settings, matrix: 32 }, { ...settings, stream: "x" }, {
    ...settings,
    slices: 3,
  }]
    .map((one) => phantoms(one).contents.hash);
  assert.equal(new Set(hashes).size, 4);
  assert.equal(phantoms({ ...settings }).contents.hash, hashes[0]);
});

Deno.test("phantoms come in any matrix, and show the same head in each", async () => {
  const mean = async (matrix: number) => {
    const { image } = await phantoms({ ...settings, matrix }).sample("phantom-002", "01");
    assert.deepEqual(image!.shape, [matrix, matrix, 2]);
    return magnitude(image!).data.reduce((sum, value) => sum + value, 0) / matrix ** 2;
  };
  const reference = await mean(64);
  for (const matrix of [33, 96, 128]) assert.ok(Math.abs(await mean(matrix) / reference - 1) < 0.03);
});

Deno.test("slices of one phantom are more alike than slices of two", async () => {
  const dataset = phantoms(settings);
  const slice = async (subject: string, id: string) =>
    magnitude((await dataset.sample(subject, id)).image!).data;
  const distance = (a: Float32Array, b: Float32Array) =>
    Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0));
  for (let i = 1; i < 20; i++) {
    const [one, two] = [i, i + 1].map((n) => `phantom-${String(n).padStart(3, "0")}`);
    const within = distance(await slice(one, "01"), await slice(one, "02"));
    assert.ok(within < distance(await slice(one, "01"), await slice(two, "01")), `${one} and ${two}`);
  }
});

Deno.test("the mean of the phantoms is a worse guess than the zero-filled image, by 2 dB or more", async () => {
  const images: Float32Array[] = [];
  for await (const { image } of samples(phantoms(settings))) images.push(image!.data);
  const train = images.slice(0, 64);
  const test = images.slice(64);
  const mean = new Float64Array(64 * 64);
  for (const image of train) {
    for (let i = 0; i < mean.length; i++) {
      mean[i] += Math.hypot(image[2 * i], image[2 * i + 1]) / train.length;
    }
  }
  const lines = new Set(
    [30, 31, 32, 33, 34, ...stream("test/mask").shuffled(Array.from({ length: 64 }, (_, i) => i))]
      .values().take(16),
  );
  const psnr = (guess: (i: number) => number, truth: Float32Array) => {
    let [squares, peak] = [0, 0];
    for (let i = 0; i < 64 * 64; i++) {
      const value = Math.hypot(truth[2 * i], truth[2 * i + 1]);
      squares += (guess(i) - value) ** 2 / 64 ** 2;
      peak = Math.max(peak, value);
    }
    return 10 * Math.log10(peak ** 2 / squares);
  };
  let [ofMean, ofZeroFilled] = [0, 0];
  for (const truth of test) {
    const filled = Float64Array.from(truth);
    for (let row = 0; row < 64; row++) {
      const line = filled.subarray(128 * row, 128 * (row + 1));
      transformOf(64)(line, false);
      for (let column = 0; column < 64; column++) {
        if (!lines.has(column)) line.fill(0, 2 * column, 2 * column + 2);
      }
      transformOf(64)(line, true);
    }
    ofMean += psnr((i) => mean[i], truth) / test.length;
    ofZeroFilled += psnr((i) => Math.hypot(filled[2 * i], filled[2 * i + 1]), truth) / test.length;
  }
  assert.ok(
    ofZeroFilled > ofMean + 2,
    `zero-filled ${ofZeroFilled.toFixed(2)} dB, mean ${ofMean.toFixed(2)} dB`,
  );
});

Deno.test("phantoms() refuses a sample that it does not have, and sizes that are none", async () => {
  await assert.rejects(
    phantoms(settings).sample("phantom-025", "00"),
    /no sample "00" of subject "phantom-025"/,
  );
  await assert.rejects(phantoms(settings).sample("phantom-001", "04"), RangeError);
  assert.throws(() => phantoms({ ...settings, matrix: 0 }), /whole matrix/);
});
