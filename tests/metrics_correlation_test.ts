import assert from "node:assert/strict";
import type { Image } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { densityCorrelation, kernelCorrelation, pearson, rmsRadius } from "../metrics/correlation.ts";

/** A Gaussian on a square, or on a cube. */
function gaussian(side: number, sigma: number, { shift = 0, rank = 2 } = {}): Image {
  const centre = (side - 1) / 2;
  const line = (at: number, by: number) => Math.exp(-((at - centre - by) ** 2) / (2 * sigma ** 2));
  const shape = Array.from({ length: rank }, () => side);
  const data = Float32Array.from({ length: side ** rank }, (_, i) => {
    let value = line(i % side, shift);
    for (let rest = Math.floor(i / side), axis = 1; axis < rank; axis++, rest = Math.floor(rest / side)) {
      value *= line(rest % side, 0);
    }
    return value;
  });
  return { shape: [...shape, 1], data };
}

const near = (actual: unknown, expected: number, within = 1e-6) =>
  assert.ok(typeof actual === "number" && Math.abs(actual - expected) < within, `${actual}, not ${expected}`);

Deno.test("correlation sees form alone: neither a factor nor a constant, but a sign", () => {
  const a = gaussian(15, 2);
  near(pearson(a, { ...a, data: a.data.map((value) => 3 * value + 7) }), 1);
  near(pearson(a, { ...a, data: a.data.map((value) => -value) }), -1);
  const rng = stream("test/correlation");
  const noise = (): Image => ({ shape: [100, 100, 1], data: new Float32Array(1e4).map(() => rng.normal()) });
  near(pearson(noise(), noise()), 0, 0.05);
  // Half of the power in common.
  const [common, other] = [noise(), noise()];
  near(
    pearson(common, { ...common, data: common.data.map((value, i) => value + other.data[i]) }),
    Math.SQRT1_2,
    0.02,
  );
});

Deno.test("density-correlation is of each sample, and null where an image is constant", () => {
  const [truth, reconstruction] = [gaussian(9, 1), gaussian(9, 1.5)];
  const cases = [{ sample: "a", reconstruction, truth }, {
    sample: "b",
    reconstruction: { ...truth, data: new Float32Array(81) },
    truth,
  }];
  const [a, b] = densityCorrelation.score(cases);
  near(a.value, pearson(reconstruction, truth) as number);
  assert.deepEqual(b, { sample: "b", value: null, reason: "an image is constant" });
});

Deno.test("a kernel's correlation does not depend on the zeros around it, and falls with another width or place", () => {
  const truth = gaussian(15, 2);
  near(kernelCorrelation(gaussian(27, 2), gaussian(31, 2)), 1);
  const small = gaussian(5, 0.4);
  const large = gaussian(9, 0.4);
  near(kernelCorrelation(small, large), 1, 1e-5);
  const [broader, shifted] = [
    kernelCorrelation(gaussian(15, 3), truth),
    kernelCorrelation(gaussian(15, 2, { shift: 2 }), truth),
  ];
  assert.ok((broader as number) < 0.95 && (shifted as number) < 0.95);
  assert.throws(() => kernelCorrelation(gaussian(14, 2), truth), /have no middle in common/);
  assert.throws(() => kernelCorrelation(gaussian(15, 2, { rank: 3 }), truth), /have no middle in common/);
});

Deno.test("a Gaussian's rms radius is its sigma times the root of its dimensions, wherever it lies", () => {
  near(rmsRadius(gaussian(41, 3)), 3 * Math.SQRT2, 1e-4);
  near(rmsRadius(gaussian(41, 3, { shift: 4 })), 3 * Math.SQRT2, 1e-3);
  near(rmsRadius(gaussian(33, 2, { rank: 3 })), 2 * Math.sqrt(3), 1e-4);
  near(rmsRadius(gaussian(33, 2, { rank: 3 }), [3, 1, 1]), 2 * Math.sqrt(11), 1e-3);
  near(rmsRadius({ shape: [3, 3, 1], data: Float32Array.of(0, 0, 0, 0, 5, 0, 0, 0, 0) }), 0);
  assert.deepEqual(rmsRadius({ shape: [2, 2, 1], data: new Float32Array(4) }), {
    reason: "the kernel has no positive sum",
  });
});
