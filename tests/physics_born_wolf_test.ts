import assert from "node:assert/strict";
import { kernelCorrelation, rmsRadius } from "../metrics/correlation.ts";
import { besselJ0, bornWolf, bornWolfKernel, bornWolfVolume } from "../physics/born_wolf.ts";
// Made by physics_born_wolf.py with SciPy, which says how.
import golden from "./golden/physics_born_wolf.json" with { type: "json" };

const optics = { na: 1.4, refractiveIndex: 1.5, wavelengthNm: 500 };
const k = 2 * Math.PI / 500;

Deno.test("the point spread function is SciPy's quadrature of its integral", () => {
  for (const { r, z, values, ...optics } of golden.cases) {
    const found = bornWolf(optics, r, z);
    values.forEach((row, i) =>
      row.forEach((value, j) =>
        assert.ok(Math.abs(found[i][j] - value) < 1e-12, `z ${z[i]}, r ${r[j]}: ${found[i][j]}`)
      )
    );
  }
});

Deno.test("besselJ0() is SciPy's, far out too", () => {
  golden.j0.x.forEach((x, i) => {
    const [found, expected] = [besselJ0(x), golden.j0.values[i]];
    assert.ok(Math.abs(found - expected) < 1e-12, `x ${x}: ${found}, not ${expected}`);
  });
});

Deno.test("in the focal plane it is Airy's pattern, dark at 0.61 λ / NA", () => {
  // The first zero of J₁, and Airy's value at half of it and at its first bright ring (Born & Wolf, table 8.2).
  const at = (v: number) => v / (k * optics.na);
  const [[focus, dark, ring]] = bornWolf(optics, [0, at(3.8317059702075125), at(5.135622301840683)], [0]);
  assert.ok(Math.abs(focus - 1) < 1e-13);
  assert.ok(dark < 1e-20);
  assert.ok(Math.abs(ring - 0.0174978) < 1e-6, `${ring}`);
  assert.ok(Math.abs(at(3.8317059702075125) / (0.60983 * 500 / 1.4) - 1) < 1e-4);
});

Deno.test("on the axis it is a squared sinc of the defocus, and as far behind the focus as before it the same", () => {
  const zNm = [-900, -310, 0, 75, 310, 900, 2000];
  bornWolf(optics, [0], zNm).forEach(([value], i) => {
    const quarter = k * optics.na ** 2 * zNm[i] / optics.refractiveIndex / 4;
    const expected = quarter === 0 ? 1 : (Math.sin(quarter) / quarter) ** 2;
    assert.ok(Math.abs(value - expected) < 1e-12, `z ${zNm[i]}: ${value}, ${expected}`);
  });
  const [before, behind] = bornWolf(optics, [0, 100, 350], [-310, 310]);
  assert.deepEqual(before, behind);
});

Deno.test("every plane holds the same light, out of focus and in it", () => {
  const { shape, data } = bornWolfVolume(optics, { side: 81, pixelNm: 65, depth: 5, stepNm: 150 });
  assert.deepEqual(shape, [5, 81, 81, 1]);
  const planes = Array.from(
    { length: 5 },
    (_, z) => data.subarray(z * 6561, (z + 1) * 6561).reduce((a, b) => a + b),
  );
  planes.forEach((plane) => assert.ok(Math.abs(plane - 0.2) < 0.004, `${planes}`));
});

Deno.test("the kernel over several depths is that of the deconvolution benchmark, of 3.65 pixels rms, and as like the starts of DEFAULTS.md as there", () => {
  const kernel = bornWolfKernel(optics, { side: 15, pixelNm: 65 }, golden.kernel.z);
  golden.kernel.values.forEach((value, i) => assert.ok(Math.abs(kernel.data[i] - value) < 1e-8));
  assert.ok(Math.abs((rmsRadius(kernel) as number) - golden.kernel.rms) < 1e-6);
  assert.ok(Math.abs(golden.kernel.rms - 3.65) < 0.01);
  assert.ok(Math.abs(kernel.data.reduce((sum, value) => sum + value) - 1) < 1e-6);
  for (const [sigma, expected] of [[1.5, 0.971], [2.8, 0.826], [0.6, 0.75]]) {
    const gaussian = Float32Array.from(
      { length: 225 },
      (_, i) => Math.exp(-((i % 15 - 7) ** 2 + (Math.floor(i / 15) - 7) ** 2) / (2 * sigma ** 2)),
    );
    const correlation = kernelCorrelation({ shape: [15, 15, 1], data: gaussian }, kernel) as number;
    assert.ok(Math.abs(correlation - expected) < 1e-3, `sigma ${sigma}: ${correlation}`);
  }
});

Deno.test("optics and kernels that cannot be are refused", () => {
  assert.throws(
    () => bornWolf({ ...optics, na: 1.6 }, [0], [0]),
    /aperture of 1\.6 in an immersion of index 1\.5/,
  );
  assert.throws(() => bornWolf({ ...optics, wavelengthNm: 0 }, [0], [0]), /wavelengthNm 0/);
  assert.throws(() => bornWolfKernel(optics, { side: 14, pixelNm: 65 }), /side of 14 pixels has no middle/);
  assert.throws(() => bornWolfVolume(optics, { side: 15, pixelNm: 65, depth: 4, stepNm: 100 }), /depth of 4/);
});
