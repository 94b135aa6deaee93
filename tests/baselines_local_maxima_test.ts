import assert from "node:assert/strict";
import { localMaxima } from "../baselines/local_maxima.ts";
import { emitterImage, emitterSum } from "../core/points.ts";
import { stream } from "../core/random.ts";

Deno.test("the local maxima of an image of emitters apart from one another are those emitters", () => {
  const rng = stream("test/local-maxima");
  const places = Array.from({ length: 36 }, (_, i) => ({
    x: 25 * (8 + 10 * (i % 6) + rng.uniform()),
    y: 25 * (8 + 10 * Math.floor(i / 6) + rng.uniform()),
  }));
  const emitters = {
    xNm: Float64Array.from(places, ({ x }) => x),
    yNm: Float64Array.from(places, ({ y }) => y),
    brightness: Float64Array.from(places, (_, i) => i === 7 ? 0.1 : 1),
  };
  const image = emitterImage(emitters, { height: 64, width: 70, pixelNm: 25 });
  const found = localMaxima(image, { pixelNm: 25, threshold: 0.3 * emitterSum });
  // The seventh is too faint.
  const expected = places.filter((_, i) => i !== 7);
  assert.equal(found.xNm.length, expected.length);
  expected.forEach(({ x, y }) => {
    const nearest = Math.min(...found.xNm.map((xNm, i) => Math.hypot(xNm - x, found.yNm[i] - y)));
    // The centroid of three by three pixels is drawn towards their middle.
    assert.ok(nearest < 10, `${nearest} nm`);
  });
});

Deno.test("a flat top is one maximum, and darkness is none", () => {
  const image = { shape: [4, 5, 1], data: new Float32Array(20) };
  assert.equal(localMaxima(image, { pixelNm: 1, threshold: 0 }).xNm.length, 0);
  for (const pixel of [6, 7]) image.data[pixel] = 2;
  image.data[8] = -5;
  const { xNm, yNm } = localMaxima(image, { pixelNm: 100, threshold: 0 });
  assert.deepEqual([[...xNm], [...yNm]], [[200], [150]]);
});
