import assert from "node:assert/strict";
import { stream } from "../core/random.ts";
import { countPhotons, poisson } from "../physics/photon_noise.ts";

/** Mean and variance of n draws. */
function moments(n: number, draw: () => number): { mean: number; variance: number } {
  const values = Float64Array.from({ length: n }, draw);
  const mean = values.reduce((a, b) => a + b) / n;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n };
}

for (const mean of [0.3, 4, 11.9, 12, 27.5, 150]) {
  Deno.test(`poisson(${mean}) draws every count as often as the distribution says (χ²)`, () => {
    const rng = stream(`poisson ${mean}`);
    const draws = 200_000;
    const counts: number[] = [];
    for (let i = 0; i < draws; i++) {
      const k = poisson(mean, rng);
      counts[k] = (counts[k] ?? 0) + 1;
    }
    // Counts expected fewer than 20 times are put together.
    let [probability, rest, restSeen, square, cells] = [Math.exp(-mean), 1, draws, 0, 0];
    let [pooled, pooledSeen] = [0, 0];
    for (let k = 0; k < counts.length; k++, probability *= mean / k) {
      pooled += probability;
      pooledSeen += counts[k] ?? 0;
      if (pooled * draws < 20 || (rest - pooled) * draws < 20) continue;
      square += (pooledSeen - pooled * draws) ** 2 / (pooled * draws);
      rest -= pooled;
      restSeen -= pooledSeen;
      cells++;
      [pooled, pooledSeen] = [0, 0];
    }
    square += (restSeen - rest * draws) ** 2 / (rest * draws);
    // χ² with `cells` degrees of freedom has this mean and variance; four standard deviations.
    assert.ok(square < cells + 4 * Math.sqrt(2 * cells), `χ² = ${square} of ${cells} degrees of freedom`);
    assert.ok(cells > 1);
  });
}

Deno.test("poisson() of large means has their mean and variance", () => {
  for (const mean of [1e3, 1e5, 1e9, 1e14]) {
    const rng = stream(`poisson ${mean}`);
    const n = 40_000;
    const seen = moments(n, () => poisson(mean, rng) - mean);
    assert.ok(Math.abs(seen.mean) < 4 * Math.sqrt(mean / n), `mean ${mean}: off by ${seen.mean}`);
    assert.ok(Math.abs(seen.variance / mean - 1) < 4 * Math.sqrt(2 / n), `variance ${seen.variance}`);
  }
});

Deno.test("poisson(0) is 0", () => {
  assert.equal(poisson(0, stream("none")), 0);
});

Deno.test("countPhotons() has mean p and variance 1/(I₀ e^−p) where many are counted", () => {
  for (const [photons, depth] of [[3e4, 0], [3e4, 2], [1e5, 5], [3e4, 4]]) {
    const n = 60_000;
    const measured = countPhotons(new Float32Array(n).fill(depth), photons, stream(`${photons} ${depth}`));
    const { mean, variance } = moments(n, ((i = 0) => () => measured[i++])());
    const expected = 1 / (photons * Math.exp(-depth));
    // −ln of a Poisson count is biased by half its variance.
    assert.ok(
      Math.abs(mean - depth - expected / 2) < 5 * Math.sqrt(expected / n) + 1e-6,
      `${mean} of ${depth}`,
    );
    assert.ok(Math.abs(variance / expected - 1) < 0.03, `variance ${variance} of ${expected}`);
  }
});

Deno.test("countPhotons() takes a ray without photons for one with one, and is the same for the same stream", () => {
  const dark = new Float32Array(50).fill(40);
  assert.ok(countPhotons(dark, 100, stream("dark")).every((p) => p === Math.fround(Math.log(100))));
  const some = Float32Array.from({ length: 200 }, (_, i) => i / 50);
  assert.deepEqual(countPhotons(some, 500, stream("one")), countPhotons(some, 500, stream("one")));
  assert.notDeepEqual(countPhotons(some, 500, stream("one")), countPhotons(some, 500, stream("other")));
});
