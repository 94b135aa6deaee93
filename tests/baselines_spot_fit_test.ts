import assert from "node:assert/strict";
import { fittedPeaks } from "../baselines/peak_fit.ts";
import { type Frame, Profile } from "../baselines/spot.ts";
import { fitSpot } from "../baselines/spot_fit.ts";
import { normalBelow } from "../core/points.ts";
import { type Rng, stream } from "../core/random.ts";
import { poisson } from "../physics/photon_noise.ts";
// Made by baselines_spot_fit.py with SciPy, which says how.
import golden from "./golden/baselines_spot_fit.json" with { type: "json" };

const close = (actual: number, expected: number, within: number, what = "") =>
  assert.ok(Math.abs(actual - expected) <= within, `${what} ${actual}, not ${expected}`);

/** Expected counts of spots on a background. */
function expectedCounts(
  side: number,
  sigma: number,
  spots: readonly (readonly [x: number, y: number, light: number])[],
  background: number,
): Frame {
  const data = new Float64Array(side * side).fill(background);
  for (const [x, y, light] of spots) {
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const share = (edge: number, centre: number) =>
          normalBelow((edge + 1 - centre) / sigma) - normalBelow((edge - centre) / sigma);
        data[row * side + column] += light * share(column, x) * share(row, y);
      }
    }
  }
  return { height: side, width: side, data };
}

const counted = (frame: Frame, rng: Rng): Frame => ({
  ...frame,
  data: frame.data.map((mean) => poisson(mean, rng)),
});

Deno.test("what pixels hold of a Gaussian is a difference of the distribution function, and its slope how that changes", () => {
  const profile = new Profile(1.3, 5);
  for (const centre of [7.03, 7.5, 7.97, -0.4]) {
    const { first, share, slope } = profile.moveTo(centre);
    const direct = share.map((_, i) =>
      normalBelow((first + i + 1 - centre) / 1.3) - normalBelow((first + i - centre) / 1.3)
    );
    share.forEach((value, i) => close(value, direct[i], 1e-10));
    close(share.reduce((sum, value) => sum + value), 1, 1e-3);
    const [after, before] = [1e-5, -1e-5].map((
      step,
    ) => [...new Profile(1.3, 5).moveTo(centre + step, first).share]);
    slope.forEach((value, i) => close(value, (after[i] - before[i]) / 2e-5, 1e-6));
  }
});

Deno.test("fits, their deviances and their bounds are those of SciPy", () => {
  for (const { side, sigma, counts, theta, deviation, deviance } of golden.cases) {
    const frame = { height: side, width: side, data: Float64Array.from(counts) };
    const fit = fitSpot(frame, { x: side / 2, y: side / 2 }, sigma, Math.floor(side / 2))!;
    close(fit.x, theta[0], 1e-4, "x");
    close(fit.y, theta[1], 1e-4, "y");
    close(fit.light / theta[2], 1, 1e-4, "light");
    close(fit.background / theta[3], 1, 1e-3, "background");
    [fit.deviation.x, fit.deviation.y, fit.deviation.light].forEach((value, i) =>
      close(value / deviation[i], 1, 1e-3, "deviation")
    );
    const freedom = side * side - 4;
    const spread = 2 / (9 * freedom);
    close(fit.misfit, (Math.cbrt(deviance / freedom) - 1 + spread) / Math.sqrt(spread), 1e-3, "misfit");
  }
});

Deno.test("isolated spots are found as exactly as Cramér and Rao allow, and the fit knows how exactly", () => {
  for (const [light, background] of [[1000, 10], [300, 3]]) {
    const rng = stream(`test/crlb/${light}`);
    let [squares, bounds, misfits, lights] = [0, 0, 0, 0];
    const count = 500;
    for (let n = 0; n < count; n++) {
      const [x, y] = [4 + rng.uniform(), 4 + rng.uniform()];
      const frame = counted(expectedCounts(9, 1.3, [[x, y, light]], background), rng);
      const fit = fitSpot(frame, { x: 4.5, y: 4.5 }, 1.3, 3)!;
      squares += (fit.x - x) ** 2 + (fit.y - y) ** 2;
      bounds += fit.deviation.x ** 2 + fit.deviation.y ** 2;
      lights += fit.light;
      misfits += fit.misfit;
    }
    // 1000 squared errors: their mean is known to 4.5 %, its root to half of that.
    close(Math.sqrt(squares / bounds), 1, 0.08, `rmse over bound of ${light} photons`);
    close(lights / count / light, 1, 0.02, "light");
    close(misfits / count, 0, 0.25, "misfit");
  }
});

Deno.test("a fit of nothing, and one that leaves its window, is no emitter", () => {
  const rng = stream("test/nothing");
  const empty = counted(expectedCounts(9, 1.3, [], 20), rng);
  assert.equal(fitSpot(empty, { x: 4.5, y: 4.5 }, 1.3, 3), undefined);
  const aside = counted(expectedCounts(19, 1.3, [[9.5, 4, 5000]], 20), rng);
  assert.equal(fitSpot(aside, { x: 9.5, y: 9.5 }, 1.3, 3), undefined);
});

const settings = { threshold: 6, radius: 3, misfit: 20 };

Deno.test("every spot of a sparse frame is found once, nothing else is, and a blank frame has none", () => {
  const rng = stream("test/peaks");
  const spots = Array.from(
    { length: 16 },
    (_, i) =>
      [8 + 16 * (i % 4) + 4 * rng.uniform(), 8 + 16 * Math.floor(i / 4) + 4 * rng.uniform(), 800] as const,
  );
  const fits = fittedPeaks(counted(expectedCounts(68, 1.3, spots, 10), rng), 1.3, settings);
  assert.equal(fits.length, spots.length);
  for (const [x, y] of spots) {
    assert.ok(Math.min(...fits.map((fit) => Math.hypot(fit.x - x, fit.y - y))) < 0.3, `(${x}, ${y})`);
  }
  assert.deepEqual(fittedPeaks(counted(expectedCounts(64, 1.3, [], 10), rng), 1.3, settings), []);
});

Deno.test("what is no spot is rejected by how ill it fits", () => {
  const rng = stream("test/misfit");
  const broad = counted(expectedCounts(25, 3.5, [[12.5, 12.5, 60000]], 10), rng);
  assert.ok(fittedPeaks(broad, 1.3, { ...settings, misfit: 1e6 }).length > 0);
  assert.deepEqual(fittedPeaks(broad, 1.3, { ...settings, misfit: 10 }), []);
});
