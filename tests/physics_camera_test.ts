import * as tf from "@tensorflow/tfjs-core";
import assert from "node:assert/strict";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { input, Replay } from "../engine/replay.ts";
import { type Camera, noiseOf, photoelectrons, photographed } from "../physics/camera.ts";

await startBackend();

const cameras: readonly (Camera & { readonly title: string })[] = [
  { title: "a plain camera", photons: 200, readNoise: 4 },
  { title: "a camera that reads without noise", photons: 50, readNoise: 0 },
  { title: "a camera in front of a bright background", photons: 30, background: 20, readNoise: 1 },
  { title: "an EM-CCD", photons: 40, background: 10, readNoise: 2, multiplies: true },
];

/** Mean, variance and third central moment. */
function moments(values: ArrayLike<number>): readonly [number, number, number] {
  const all = Array.from(values);
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  const about = (power: number) => all.reduce((sum, value) => sum + (value - mean) ** power, 0) / all.length;
  return [mean, about(2), about(3)];
}

/** The moments of what is recorded at brightness b, in photoelectrons, from the theory of compound Poisson processes. */
function cumulants({ photons, background = 0, readNoise, multiplies }: Camera, b: number) {
  const rate = photons * b + background;
  return multiplies ? [photons * b, 2 * rate + readNoise ** 2, 6 * rate] : [
    photons * b,
    rate + readNoise ** 2,
    rate,
  ];
}

const draws = 200_000;

for (const { title, ...camera } of cameras) {
  for (const b of [0.02, 0.3, 1]) {
    Deno.test(`${title} records brightness ${b} with the mean, variance and skewness of counted photons`, () => {
      const recorded = photographed(
        new Float32Array(draws).fill(b),
        camera,
        stream(`camera/${title}/${b}`),
      );
      const [mean, variance, third] = moments(recorded.map((value) => value * camera.photons));
      const [expected, κ2, κ3] = cumulants(camera, b);
      // Five standard errors: of the mean √κ₂, of the variance less than 2 κ₂ + √κ₃…, of the third moment √15 κ₂^1.5.
      const error = Math.sqrt(κ2 / draws);
      assert.ok(Math.abs(mean - expected) < 5 * error, `mean ${mean}, not ${expected}`);
      assert.ok(Math.abs(variance / κ2 - 1) < 0.05, `variance ${variance}, not ${κ2}`);
      const tolerance = 0.1 * κ3 + 5 * Math.sqrt(15 / draws) * κ2 ** 1.5;
      assert.ok(Math.abs(third - κ3) < tolerance, `third moment ${third}, not ${κ3}`);
    });

    Deno.test(`${title}: the noise for training has the same mean and variance at brightness ${b}, and is as skewed`, async () => {
      const rng = stream(`noise/${title}/${b}`);
      const normal = tf.tensor4d(Float32Array.from({ length: draws }, () => rng.normal()), [1, draws, 1, 1]);
      const noisy = await noiseOf(camera).add(tf.fill([1, draws, 1, 1], b), normal).data();
      const [mean, variance, third] = moments(noisy.map((value) => value * camera.photons));
      const [expected, κ2, κ3] = cumulants(camera, b);
      assert.ok(Math.abs(mean - expected) < 5 * Math.sqrt(κ2 / draws), `mean ${mean}, not ${expected}`);
      // (κ₃/κ₂)²/18 is what the second term adds to the variance.
      const added = (κ3 / κ2) ** 2 / 18;
      assert.ok(Math.abs(variance - κ2 - added) < 0.03 * κ2, `variance ${variance}, not ${κ2 + added}`);
      const cubed = κ3 + (κ3 / κ2) ** 3 / 27;
      assert.ok(
        Math.abs(third - cubed) < 0.1 * cubed + 5 * Math.sqrt(15 / draws) * κ2 ** 1.5,
        `third moment ${third}, not ${cubed}`,
      );
    });
  }
}

Deno.test("the noise for training has the derivative in what is expected that differences say it has", async () => {
  const rng = stream("derivative");
  const normal = tf.tensor4d(Float32Array.from({ length: 64 }, () => rng.normal()), [1, 8, 8, 1]);
  const at = tf.tensor4d(Float32Array.from({ length: 64 }, () => 0.1 + rng.uniform()), [1, 8, 8, 1]);
  for (const { title: _title, ...camera } of cameras) {
    const { add } = noiseOf(camera);
    const slope = await tf.grad((x) => tf.sum(add(x as tf.Tensor4D, normal)))(at).data();
    const step = 0.01;
    const [above, below] = [step, -step].map((by) => add(tf.add(at, by), normal));
    const differences = await tf.div(tf.sub(above, below), 2 * step).data();
    slope.forEach((value, i) => assert.ok(Math.abs(value - differences[i]) < 0.02 * (1 + Math.abs(value))));
  }
});

Deno.test("the noise for training stays finite, with its derivative, in the dark and below it", async () => {
  const { add } = noiseOf({ photons: 100, readNoise: 0 });
  const dark = tf.tensor4d([0, -1, 1e-9, -1e-9], [1, 2, 2, 1]);
  const normal = tf.tensor4d([3, -3, 2, -2], [1, 2, 2, 1]);
  const value = await add(dark, normal).data();
  const slope = await tf.grad((x) => tf.sum(add(x as tf.Tensor4D, normal)))(dark).data();
  assert.ok([...value, ...slope].every(Number.isFinite), `${value} ${slope}`);
});

Deno.test("the noise for training and its derivative are replayed with the same bits", async () => {
  const { add } = noiseOf({ photons: 40, background: 10, readNoise: 2, multiplies: true });
  const draw = (name: string) => {
    const rng = stream(name);
    return tf.tensor4d(Float32Array.from({ length: 64 }, () => rng.normal()), [1, 8, 8, 1]);
  };
  using replay = new Replay("noise");
  const slope = (x: tf.Tensor, n: tf.Tensor) =>
    tf.grad((x) => tf.sum(tf.square(add(x as tf.Tensor4D, n as tf.Tensor4D))))(x);
  let [x, n] = [draw("x"), draw("n")];
  for (let run = 0; run < 4; run++) {
    [x, n] = [draw(`x ${run}`), draw(`n ${run}`)];
    const replayed = replay.run([], () => slope(input(() => x), input(() => n)));
    assert.deepEqual(await replayed.data(), await slope(x, n).data());
  }
  assert.equal(replay.counts.replayed, 2);
});

Deno.test("a photograph is the same for the same stream, and a darker pixel is never brighter in the mean", () => {
  const camera = { photons: 200, readNoise: 4 };
  const brightness = Float32Array.from({ length: 100 }, (_, i) => i / 100 - 0.2);
  const take = () => photographed(brightness, camera, stream("same"));
  assert.deepEqual(take(), take());
  assert.ok(take().slice(0, 20).every((value) => Math.abs(value) < 0.2), "less than no light is none");
});

Deno.test("camera counts become photoelectrons by offset and gain, and others are refused", () => {
  assert.deepEqual([...photoelectrons(Float32Array.of(100, 150), { offset: 100, gain: 2 })], [0, 25]);
  assert.throws(() => photoelectrons(Float32Array.of(1), { offset: 0, gain: 0 }), /give .* a gain above 0/);
  assert.throws(() => noiseOf({ photons: 0, readNoise: 1 }), /give photons above 0/);
  assert.throws(
    () => photographed(Float32Array.of(1), { photons: 1, readNoise: -1 }, stream("x")),
    /noise of/,
  );
});
