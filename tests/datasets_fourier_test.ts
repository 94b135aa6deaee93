import assert from "node:assert/strict";
import { centreCrop } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { transformOf } from "../core/fourier.ts";
import { aliasedImagesOf, imagesOf, linesInMatrix, resized, withSmoothPhase } from "../datasets/kspace.ts";

// Powers of two, primes, the sizes of real scans, and 1.
const lengths = [1, 2, 3, 4, 5, 7, 16, 30, 64, 97, 180, 217, 230];

function randomLine(length: number): Float64Array {
  const rng = stream(`test/line/${length}`);
  return Float64Array.from({ length: 2 * length }, () => rng.normal());
}

/** The sum that defines the centred orthonormal transform. */
function definition(line: Float64Array, sign: number): Float64Array {
  const length = line.length / 2;
  const centre = Math.floor(length / 2);
  const output = new Float64Array(line.length);
  for (let k = 0; k < length; k++) {
    for (let n = 0; n < length; n++) {
      const angle = sign * 2 * Math.PI * (k - centre) * (n - centre) / length;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      output[2 * k] += (line[2 * n] * cos - line[2 * n + 1] * sin) / Math.sqrt(length);
      output[2 * k + 1] += (line[2 * n] * sin + line[2 * n + 1] * cos) / Math.sqrt(length);
    }
  }
  return output;
}

const furthest = (a: Float64Array, b: Float64Array) =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i])));

Deno.test("transformOf() agrees with the sum that defines it, for every length and both directions", () => {
  for (const length of lengths) {
    for (const inverse of [false, true]) {
      const line = randomLine(length);
      const expected = definition(line, inverse ? 1 : -1);
      transformOf(length)(line, inverse);
      assert.ok(furthest(line, expected) < 1e-10, `length ${length}, inverse ${inverse}`);
    }
  }
});

Deno.test("transformOf() keeps the norm, and its inverse undoes it", () => {
  for (const length of lengths) {
    const line = randomLine(length);
    const before = line.slice();
    transformOf(length)(line, false);
    assert.ok(Math.abs(Math.hypot(...line) - Math.hypot(...before)) < 1e-10);
    transformOf(length)(line, true);
    assert.ok(furthest(line, before) < 1e-12, `length ${length}`);
  }
});

/** A smooth complex bump that is nearly zero at the edges of any field of view. */
function bump(height: number, width: number) {
  const magnitude = Float32Array.from({ length: height * width }, (_, i) => {
    const y = (Math.floor(i / width) - Math.floor(height / 2)) / 9;
    const x = (i % width - Math.floor(width / 2)) / 7;
    return 3 * Math.exp(-(x * x + y * y) / 2);
  });
  return withSmoothPhase(magnitude, height, width, stream("test/bump"));
}

Deno.test("resized() keeps the values of a band-limited image, whatever the shape and the matrix", () => {
  for (const [height, width, matrix] of [[90, 110, 64], [91, 64, 63], [80, 80, 120]]) {
    const image = bump(height, width);
    const { shape, data } = resized(image, matrix);
    assert.deepEqual(shape, [matrix, matrix, 2]);
    // The centre stays the centre.
    const centre = 2 * (Math.floor(matrix / 2) * matrix + Math.floor(matrix / 2));
    const from = 2 * (Math.floor(height / 2) * width + Math.floor(width / 2));
    for (const part of [0, 1]) assert.ok(Math.abs(data[centre + part] - image.coils[0][from + part]) < 2e-3);
  }
});

Deno.test("resized() without a matrix is the image as it was", () => {
  const image = bump(20, 30);
  assert.deepEqual(resized(image), { shape: [20, 30, 2], data: Float32Array.from(image.coils[0]) });
});

Deno.test("imagesOf() in a field of view as large as k-space only crops k-space", () => {
  const kspace = { height: 48, width: 48, coils: [randomLine(48 * 48), randomLine(48 * 48).reverse()] };
  const { data } = imagesOf(kspace, { fieldOfView: 48, matrix: 16 });
  // By hand: the central 16 x 16 of k-space, transformed as they are, in the unit of the larger image.
  const coils = kspace.coils.map((coil) => {
    const central = new Float64Array(2 * 16 * 16);
    for (let row = 0; row < 16; row++) {
      const from = 2 * ((row + 16) * 48 + 16);
      central.set(coil.subarray(from, from + 32), 32 * row);
    }
    return central;
  });
  const expected = imagesOf({ height: 16, width: 16, coils }).data.map((value) => value * 16 / 48);
  assert.ok(data.every((value, i) => Math.abs(value - expected[i]) < 1e-6));
});

Deno.test("imagesOf() in a smaller field of view, at its own matrix, is the centre of the image", () => {
  const kspace = { height: 40, width: 26, coils: [randomLine(40 * 26)] };
  const cropped = imagesOf(kspace, { fieldOfView: 20, matrix: 20 });
  const expected = centreCrop(imagesOf(kspace), 20, 20);
  assert.deepEqual(cropped.shape, expected.shape);
  assert.ok(cropped.data.every((value, i) => Math.abs(value - expected.data[i]) < 1e-6));
});

Deno.test("aliasedImagesOf() leaves columns that were not measured at zero, at any matrix", () => {
  const [height, width] = [40, 32];
  const measured = Array.from(
    { length: width },
    (_, column) => column % 3 === 0 || Math.abs(column - 16) < 3,
  );
  const coil = randomLine(height * width);
  for (let i = 0; i < height * width; i++) if (!measured[i % width]) coil.fill(0, 2 * i, 2 * i + 2);
  for (const matrix of [16, 21, 48]) {
    const image = aliasedImagesOf({ height, width, coils: [coil] }, matrix);
    const lines = new Set(linesInMatrix(measured, matrix));
    for (let row = 0; row < matrix; row++) {
      const line = Float64Array.from(image.data.subarray(2 * row * matrix, 2 * (row + 1) * matrix));
      transformOf(matrix)(line, false);
      for (let column = 0; column < matrix; column++) {
        if (!lines.has(column)) assert.ok(Math.hypot(line[2 * column], line[2 * column + 1]) < 1e-5);
      }
    }
  }
});

Deno.test("linesInMatrix() keeps the lowest frequency in the middle", () => {
  const only = (length: number, line: number) => Array.from({ length }, (_, i) => i === line);
  assert.deepEqual(linesInMatrix(only(256, 128), 64), [32]);
  assert.deepEqual(linesInMatrix(only(217, 108), 64), [32]);
  assert.deepEqual(linesInMatrix(only(32, 16), 65), [32]);
  assert.deepEqual(linesInMatrix(only(256, 0), 64), []);
});

Deno.test("withSmoothPhase() changes the phase by little from pixel to pixel, and the magnitude not at all", () => {
  const magnitude = new Float32Array(64 * 64).fill(2);
  const [coil] = withSmoothPhase(magnitude, 64, 64, stream("test/phase")).coils;
  const phase = (i: number) => Math.atan2(coil[2 * i + 1], coil[2 * i]);
  for (let i = 0; i < 64 * 64; i++) {
    assert.ok(Math.abs(Math.hypot(coil[2 * i], coil[2 * i + 1]) - 2) < 1e-12);
    assert.ok(Math.abs(phase(i)) <= 1.2);
    if (i % 64 > 0) assert.ok(Math.abs(phase(i) - phase(i - 1)) < 0.04);
  }
});
