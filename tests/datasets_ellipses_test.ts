import assert from "node:assert/strict";
import { stream } from "../core/random.ts";
import { type Ellipse, rasterOf, sinogramOf } from "../datasets/ellipses.ts";

const rng = stream("test/ellipses");
const between = (least: number, most: number) => least + (most - least) * rng.uniform();
const ellipses = Array.from({ length: 5 }, (): Ellipse => ({
  x: between(-0.3, 0.3),
  y: between(-0.3, 0.3),
  a: between(0.05, 0.5),
  b: between(0.05, 0.5),
  tilt: between(0, Math.PI),
  value: between(-1, 2),
}));
const lines = { views: 12, bins: 40, span: Math.SQRT2 };

/** Whether a point is inside: the definition, in the ellipse's own coordinates. */
function isInside({ x, y, a, b, tilt }: Ellipse, px: number, py: number): boolean {
  const [dx, dy] = [px - x, py - y];
  const u = dx * Math.cos(tilt) + dy * Math.sin(tilt);
  const v = dy * Math.cos(tilt) - dx * Math.sin(tilt);
  return (u / a) ** 2 + (v / b) ** 2 <= 1;
}

const valueAt = (px: number, py: number) =>
  ellipses.reduce((sum, one) => sum + (isInside(one, px, py) ? one.value : 0), 0);

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);

function close(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    assert.ok(Math.abs(actual[i] - expected[i]) <= tolerance, `at ${i}: ${actual[i]}, not ${expected[i]}`);
  }
}

Deno.test("sinogramOf() a disc is its chord 2√(r² − t²), averaged over the bin, from every side", () => {
  const disc = { x: 0, y: 0, a: 0.6, b: 0.6, tilt: 0.3, value: 2 };
  const { shape, data } = sinogramOf([disc], { views: 3, bins: 25, span: 0.75 });
  assert.deepEqual(shape, [3, 25, 1]);
  const points = 20_000;
  for (let bin = 0; bin < 25; bin++) {
    let mean = 0;
    for (let i = 0; i < points; i++) {
      const t = -0.75 + (bin + (i + 0.5) / points) * 1.5 / 25;
      mean += 2 * 2 * Math.sqrt(Math.max(0, 0.36 - t * t)) / points;
    }
    close([0, 1, 2].map((view) => data[view * 25 + bin]), [mean, mean, mean], 1e-5);
  }
});

Deno.test("sinogramOf() is what walking along the lines adds up", () => {
  const { views, bins, span } = lines;
  const { data } = sinogramOf(ellipses, lines);
  const [across, along] = [20, 1500];
  for (const view of [0, 1, 5, 6, 10]) {
    const [cos, sin] = [Math.cos(view * Math.PI / views), Math.sin(view * Math.PI / views)];
    for (let bin = 0; bin < bins; bin += 3) {
      let walked = 0;
      for (let i = 0; i < across; i++) {
        const t = -span + (bin + (i + 0.5) / across) * 2 * span / bins;
        for (let j = 0; j < along; j++) {
          const s = -1 + 2 * (j + 0.5) / along;
          walked += valueAt(t * cos - s * sin, t * sin + s * cos) * 2 / along / across;
        }
      }
      close([data[view * bins + bin]], [walked], 2e-3);
    }
  }
});

Deno.test("every view of sinogramOf() has the same sum: the ellipses' areas times their values", () => {
  const mass = sum(ellipses.map(({ a, b, value }) => Math.PI * a * b * value));
  const { views, bins, span } = lines;
  const { data } = sinogramOf(ellipses, lines);
  for (let view = 0; view < views; view++) {
    const inView = sum(data.subarray(view * bins, (view + 1) * bins)) * 2 * span / bins;
    close([inView], [mass], 1e-5);
  }
});

Deno.test("to turn ellipses by one angle is to begin one view later, and half a turn mirrors the detector", () => {
  const { views, bins } = lines;
  const turned = ellipses.map((one) => {
    const [cos, sin] = [Math.cos(Math.PI / views), Math.sin(Math.PI / views)];
    return {
      ...one,
      x: cos * one.x - sin * one.y,
      y: sin * one.x + cos * one.y,
      tilt: one.tilt + Math.PI / views,
    };
  });
  const before = sinogramOf(ellipses, lines).data;
  const after = sinogramOf(turned, lines).data;
  close(after.subarray(bins), before.subarray(0, (views - 1) * bins), 1e-5);
  close(after.subarray(0, bins), before.slice((views - 1) * bins).reverse(), 1e-5);
});

Deno.test("rasterOf() holds the mean over each pixel's area, row 0 at the top", () => {
  const [matrix, points] = [9, 200];
  const expected = Array.from({ length: matrix ** 2 }, (_, i) => {
    let mean = 0;
    for (let j = 0; j < points ** 2; j++) {
      const px = -1 + 2 * (i % matrix + (j % points + 0.5) / points) / matrix;
      const py = 1 - 2 * (Math.floor(i / matrix) + (Math.floor(j / points) + 0.5) / points) / matrix;
      mean += valueAt(px, py) / points ** 2;
    }
    return mean;
  });
  close(rasterOf(ellipses, matrix).data, expected, 2e-3);
});

Deno.test("sums over columns and rows of rasterOf() are the views of sinogramOf() from below and from the side", () => {
  const matrix = 48;
  const { data } = rasterOf(ellipses, matrix);
  const views = sinogramOf(ellipses, { views: 2, bins: matrix, span: 1 }).data;
  const along = (stepOut: number, stepIn: number) =>
    Array.from(
      { length: matrix },
      (_, i) => sum(Array.from({ length: matrix }, (_, j) => data[i * stepOut + j * stepIn])) * 2 / matrix,
    );
  close(along(1, matrix), views.subarray(0, matrix), 1e-3);
  close(along(matrix, 1).reverse(), views.subarray(matrix), 1e-3);
});

Deno.test("rasterOf() leaves out what is outside the field", () => {
  const { data } = rasterOf([{ x: 1, y: 1, a: 0.5, b: 0.5, tilt: 0, value: 4 }], 32);
  close([sum(data) * (2 / 32) ** 2], [Math.PI * 0.25], 1e-3);
  assert.ok(data[31] === 4 && data[0] === 0 && data[32 * 31] === 0);
});

Deno.test("ellipses refuse sizes and detectors that are none", () => {
  assert.throws(() => rasterOf(ellipses, 0), /matrix cannot be 0[^]*fix:/);
  assert.throws(() => sinogramOf(ellipses, { ...lines, views: 1.5 }), /views cannot be 1.5/);
  assert.throws(() => sinogramOf(ellipses, { ...lines, span: -1 }), /cannot span -1[^]*√2/);
});
