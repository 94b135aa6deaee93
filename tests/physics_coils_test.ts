import assert from "node:assert/strict";
import { type Image, magnitude } from "../core/image.ts";
import { combineCoils, estimateSensitivities } from "../physics/coils.ts";

const [height, width, coils] = [40, 48, 4];

/** A disc with a bright inner disc, seen by coils in four corners whose sensitivity and phase vary smoothly. */
function coilImages(): { readonly images: Image; readonly sensitivities: Image } {
  const images = new Float32Array(height * width * coils * 2);
  const sensitivities = new Float32Array(images.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [v, u] = [row / height - 0.5, column / width - 0.5];
      const radius = Math.hypot(u, v);
      const object = radius < 0.2 ? 1.5 : radius < 0.4 ? 1 : 0;
      const weights = Array.from({ length: coils }, (_, coil) => {
        const [x, y] = [coil % 2 === 0 ? -0.5 : 0.5, coil < 2 ? -0.5 : 0.5];
        return Math.exp(-((u - x) ** 2 + (v - y) ** 2) / 0.8);
      });
      const total = Math.hypot(...weights);
      for (let coil = 0; coil < coils; coil++) {
        const phase = 0.7 * coil + 1.1 * u - 0.6 * v;
        const at = 2 * ((row * width + column) * coils + coil);
        sensitivities[at] = weights[coil] / total * Math.cos(phase);
        sensitivities[at + 1] = weights[coil] / total * Math.sin(phase);
        images[at] = object * sensitivities[at];
        images[at + 1] = object * sensitivities[at + 1];
      }
    }
  }
  const shape = [height, width, 2 * coils];
  return { images: { shape, data: images }, sensitivities: { shape, data: sensitivities } };
}

const central = [21, 22, 23, 24, 25, 26, 27];

Deno.test("estimateSensitivities() has Σ|S|² = 1 where there is signal, and less elsewhere", () => {
  const { images } = coilImages();
  const S = magnitude(estimateSensitivities(images, central)).data;
  const truth = magnitude(images).data;
  S.forEach((value, pixel) => {
    assert.ok(value < 1 + 1e-6);
    if (truth[pixel] > 0) assert.ok(Math.abs(value - 1) < 1e-6, `pixel ${pixel}: ${value}`);
  });
});

Deno.test("estimateSensitivities() finds smooth sensitivities up to the phase of the whole", () => {
  const { images, sensitivities } = coilImages();
  const S = estimateSensitivities(images, central).data;
  const truth = magnitude(images).data;
  // Where only a phase that all coils share differs, |Σ_c conj(S_c) s_c| is 1.
  const agreement: number[] = [];
  for (let pixel = 0; pixel < truth.length; pixel++) {
    if (truth[pixel] === 0) continue;
    const at = pixel * coils * 2;
    const one = combineCoils(
      { shape: [1, 1, 2 * coils], data: S.subarray(at, at + 2 * coils) },
      { shape: [1, 1, 2 * coils], data: sensitivities.data.subarray(at, at + 2 * coils) },
    );
    agreement.push(magnitude(one).data[0]);
  }
  const mean = agreement.reduce((sum, value) => sum + value, 0) / agreement.length;
  assert.ok(mean > 0.99, `mean agreement ${mean}`);
  assert.ok(Math.min(...agreement) > 0.9, `least agreement ${Math.min(...agreement)}`);
});

Deno.test("estimateSensitivities() looks at nothing but the central lines", () => {
  const { images } = coilImages();
  // Adding a wave of frequency 11 along the width changes line 24 + 11 only.
  const disturbed = images.data.map((value, i) => {
    const column = Math.floor(i / (2 * coils)) % width;
    const angle = 2 * Math.PI * 11 * column / width;
    return value + 0.5 * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
  });
  const [a, b] = [images, { shape: images.shape, data: disturbed }].map((image) =>
    estimateSensitivities(image, central).data
  );
  a.forEach((value, i) => assert.ok(Math.abs(value - b[i]) < 1e-5));
});

Deno.test("combineCoils() with good sensitivities has the magnitude of the root sum of squares", () => {
  const { images } = coilImages();
  const combined = magnitude(combineCoils(estimateSensitivities(images, central), images)).data;
  const rss = magnitude(images).data;
  const far = rss.reduce((most, value, pixel) => Math.max(most, Math.abs(value - combined[pixel])), 0);
  assert.ok(far < 0.1 * 1.5, `${far}`);
});

Deno.test("estimateSensitivities() refuses a mask without central lines, and says what to set", () => {
  assert.throws(
    () => estimateSensitivities(coilImages().images, [0, 5, 9]),
    /no central lines[^]*raise acs/,
  );
});
