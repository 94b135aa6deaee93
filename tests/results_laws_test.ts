import assert from "node:assert/strict";
import { nmse } from "../metrics/nmse.ts";
import { psnr } from "../metrics/psnr.ts";
import { ssim } from "../metrics/ssim.ts";
import type { Metric } from "../metrics/metric.ts";
import { holm } from "../results/holm.ts";
import { intervalOf } from "../results/interval.ts";
import { signFlip, smallestP } from "../results/sign_flip.ts";
import { always, fc } from "./laws.ts";

const differences = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 12 });

Deno.test("signFlip() gives a p from its least to 1, the same for any order, scale and side", () =>
  always(
    [differences, fc.integer({ min: 1, max: 50 }), fc.infiniteStream(fc.nat())],
    (list, scale, order) => {
      const { p, greater, less } = signFlip(list);
      assert.ok(p >= smallestP(list.length) && p <= 1);
      assert.ok(greater + less >= 1, "a mean is at least as great or at least as small as any");
      const shuffled = list.map((value) => [order.next().value as number, value] as const);
      const other = signFlip(shuffled.sort(([a], [b]) => a - b).map(([, value]) => -scale * value));
      assert.deepEqual(other, { p, greater: less, less: greater });
    },
  ));

Deno.test("holm() keeps the order of the p values, lowers none, and ends at 1; a single question is not corrected", () =>
  always(
    [fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 })],
    (family) => {
      const adjusted = holm(family);
      assert.equal(adjusted.length, family.length);
      family.forEach((p, i) => {
        assert.ok(adjusted[i] >= p && adjusted[i] <= 1);
        family.forEach((q, j) => assert.ok(p >= q || adjusted[i] <= adjusted[j]));
      });
      if (family.length === 1) assert.deepEqual(adjusted, family);
      assert.equal(holm([...family].reverse()).reverse().join(), adjusted.join());
    },
  ));

Deno.test("intervalOf() moves with the scores, grows with them, and with the level", () => {
  const score = fc.integer({ min: -400, max: 400 }).map((value) => value / 8);
  const scores = fc.integer({ min: 1, max: 4 }).chain((seeds) =>
    fc.array(fc.array(score, { minLength: seeds, maxLength: seeds }), { minLength: 2, maxLength: 10 })
  );
  return always(
    [scores, fc.integer({ min: -100, max: 100 }), fc.constantFrom(0.5, 2, 4)],
    (values, shift, scale) => {
      const { low, high } = intervalOf(values)!;
      assert.ok(low <= high);
      const moved = intervalOf(values.map((line) => line.map((value) => scale * value + shift)))!;
      const near = (a: number, b: number) =>
        assert.ok(Math.abs(a - b) < 1e-8 * (1 + Math.abs(b)), `${a}, ${b}`);
      near(moved.low, scale * low + shift);
      near(moved.high, scale * high + shift);
      const wide = intervalOf(values, 0.99)!;
      assert.ok(wide.low <= low + 1e-9 && wide.high >= high - 1e-9);
    },
    60,
  );
});

const pixels = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 2 * 144, maxLength: 2 * 144 });
const metrics: readonly Metric[] = [
  psnr("fastmri"),
  ssim("fastmri"),
  nmse("fastmri"),
  psnr("paper"),
  ssim("paper"),
];

for (const metric of metrics) {
  Deno.test(`${metric.id} (${metric.convention}) does not change where both images are brighter by one factor`, () =>
    always([pixels, fc.constantFrom(0.25, 2, 1024)], (values, factor) => {
      const score = (scale: number) => {
        const image = (from: number) => ({
          shape: [12, 12, 1],
          data: Float32Array.from(values.slice(from, from + 144), (value) => (value + 1) * scale),
        });
        return metric.score([{ sample: "a", reconstruction: image(0), truth: image(144) }])[0];
      };
      const [one, other] = [score(1), score(factor)];
      assert.equal(one.reason, other.reason);
      if (one.value !== null) {
        assert.ok(Math.abs(one.value - other.value!) < 1e-9 * (1 + Math.abs(one.value)));
      }
    }, 30));
}
