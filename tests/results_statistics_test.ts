/** Sign-flip tests, intervals and Holm's correction: their laws, and the values of scipy and statsmodels. */

import assert from "node:assert/strict";
import { stream } from "../core/random.ts";
import { holm } from "../results/holm.ts";
import { intervalOf, meanOf } from "../results/interval.ts";
import { enumerated, signFlip, smallestP } from "../results/sign_flip.ts";

const golden = JSON.parse(await Deno.readTextFile(new URL("golden/results.json", import.meta.url)));

Deno.test("signFlip() gives the p of scipy's permutation test, exactly", () => {
  for (const { differences, ...expected } of golden.signFlip) {
    assert.deepEqual(signFlip(differences), expected);
  }
});

Deno.test("signFlip() is exact: of all choices of signs, as many have p ≤ α as α says", () => {
  const sizes = [0.1, 0.4, 0.45, 1.3, 2, 3.1, 4.7, 9];
  const all = Array.from(
    { length: 2 ** sizes.length },
    (_, choice) => signFlip(sizes.map((size, at) => (choice >> at) & 1 ? size : -size)).p,
  );
  for (const p of new Set(all)) assert.equal(all.filter((other) => other <= p).length / all.length, p);
  assert.equal(Math.min(...all), smallestP(sizes.length));
});

Deno.test("signFlip() knows neither the unit nor the order of rows or subjects", () => {
  const differences = [0.3, -0.1, 0.7, 0.2, 0.9];
  const { p, greater, less } = signFlip(differences);
  assert.deepEqual(signFlip(differences.map((value) => 1000 * value)), { p, greater, less });
  assert.deepEqual(signFlip(differences.toReversed()), { p, greater, less });
  assert.deepEqual(signFlip(differences.map((value) => -value)), { p, greater: less, less: greater });
});

Deno.test("signFlip() finds nothing where nothing differs, and sums that are equal up to rounding equal", () => {
  assert.equal(signFlip([0, 0, 0]).p, 1);
  // 0.1 + 0.2 − 0.3 is not 0 in floating point, and must not beat the same sum in another order.
  assert.equal(signFlip([0.1, 0.2, -0.3]).p, 1);
});

Deno.test("signFlip() with too many subjects to enumerate draws signs, and comes near the exact p", () => {
  const rng = stream("tests/sign-flip");
  const few = Array.from({ length: enumerated }, () => rng.normal() + 0.35);
  // A subject without a difference changes no sum, so the p is the same, but is drawn.
  const { p } = signFlip([...few, 0]);
  assert.notEqual(p, signFlip(few).p);
  assert.ok(Math.abs(p - signFlip(few).p) < 0.006, `${p}, ${signFlip(few).p}`);
  assert.equal(signFlip(Array(40).fill(1)).p, smallestP(40));
});

Deno.test("smallestP() of four subjects is 0.125: six are the fewest with which anything can be significant", () => {
  assert.deepEqual([1, 2, 4, 5, 6, 12].map(smallestP), [1, 0.5, 0.125, 0.0625, 0.03125, 2 ** -11]);
});

Deno.test("holm() gives statsmodels' values, in the order given", () => {
  const { family, adjusted } = golden.holm;
  for (const [at, p] of holm(family).entries()) assert.ok(Math.abs(p - adjusted[at]) < 1e-15);
  assert.deepEqual(holm([0.04, 0.01]), [0.04, 0.02]);
  assert.deepEqual(holm([]), []);
});

Deno.test("intervalOf() of a few subjects and seeds is Student's t of each, as scipy and statsmodels have it", () => {
  for (const { values, level, low, high } of golden.student) {
    const interval = intervalOf(values, level)!;
    assert.ok(Math.abs(interval.low - low) < 1e-8 && Math.abs(interval.high - high) < 1e-8, `${level}`);
  }
});

Deno.test("intervalOf() of many comes near a bootstrap of 400 000 resamples", () => {
  for (const { values, level, low, high } of golden.bootstrap) {
    const interval = intervalOf(values, level)!;
    const slack = 0.06 * (high - low);
    assert.ok(Math.abs(interval.low - low) < slack, `${level}: ${interval.low}, not ${low}`);
    assert.ok(Math.abs(interval.high - high) < slack, `${level}: ${interval.high}, not ${high}`);
  }
});

Deno.test("intervalOf() moves and grows with the scores, and turns with their sign", () => {
  for (const [subjects, seeds] of [[12, 3], [4, 6], [9, 9], [7, 1]]) {
    const rng = stream(`tests/interval/${subjects}/${seeds}`);
    const values = Array.from(
      { length: subjects },
      () => Array.from({ length: seeds }, () => rng.normal() ** 2),
    );
    const { low, high } = intervalOf(values)!;
    const near = (found: number, expected: number) => assert.ok(Math.abs(found - expected) < 1e-9);
    const moved = intervalOf(values.map((line) => line.map((value) => 5 + 3 * value)))!;
    near(moved.low, 5 + 3 * low);
    near(moved.high, 5 + 3 * high);
    const turned = intervalOf(values.map((line) => line.map((value) => -value)))!;
    near(turned.low, -high);
    near(turned.high, -low);
    assert.ok(low < meanOf(values.map(meanOf)) && meanOf(values.map(meanOf)) < high);
    assert.ok(intervalOf(values, 0.98)!.low < low);
  }
});

Deno.test("intervalOf() is wider for seeds that differ than for one that stands for all", () => {
  const subjects = [1, 2, 3, 4, 5, 6, 7];
  const width = (spread: number) => {
    const { low, high } = intervalOf(subjects.map((score) => [score - spread, score, score + spread]))!;
    return high - low;
  };
  assert.ok(Math.abs(width(0) - width(1e-12)) < 1e-9);
  assert.ok(width(1) > 1.5 * width(0));
});

Deno.test("intervalOf() says nothing of one subject, and nothing wider than a point of subjects that are alike", () => {
  assert.equal(intervalOf([[1, 2, 3]]), undefined);
  assert.deepEqual(intervalOf([[2], [2], [2]]), { level: 0.95, low: 2, high: 2 });
});
