import assert from "node:assert/strict";
import { stream } from "../core/random.ts";
import {
  calibrationLines,
  centralLines,
  drawLines,
  fastmriLines,
  type MaskSettings,
} from "../physics/masks.ts";
import { numpyRandom } from "../physics/numpy_random.ts";
// Made by physics_masks.py, which says how.
import golden from "./golden/physics_masks.json" with { type: "json" };

const drawn = ["random", "equispaced"] as const;

Deno.test("numpyRandom() draws the integers that NumPy's RandomState draws", () => {
  const rng = numpyRandom(golden.integers.seed);
  assert.deepEqual(golden.integers.below.map((n) => rng.integer(n)), golden.integers.drawn);
});

Deno.test("fastmriLines() gives the masks of fastMRI's own formulas, seeded by the file's name", () => {
  for (const { file, width, acs, acceleration, ...expected } of golden.masks) {
    for (const kind of ["fastmri", "fastmri-equispaced"] as const) {
      assert.deepEqual(
        fastmriLines(width, { kind, acs, acceleration }, file),
        expected[kind],
        `${kind} ${file}`,
      );
    }
  }
});

Deno.test("drawLines() measures exactly round(W / acceleration) lines, the ACS block among them", () => {
  for (const kind of drawn) {
    for (const width of [64, 65, 180, 368]) {
      for (const [acceleration, acs] of [[4, 0.08], [4, 0.04], [8, 0.04], [2.5, 0], [1, 0.1]]) {
        const lines = drawLines(width, { kind, acceleration, acs }, stream(`masks ${width}`));
        const block = centralLines(width, Math.round(width * acs));
        assert.equal(new Set(lines).size, Math.round(width / acceleration));
        assert.deepEqual(block.filter((line) => !lines.includes(line)), []);
        assert.deepEqual([...lines], [...lines].sort((a, b) => a - b));
        assert.ok(lines[0] >= 0 && lines[lines.length - 1] < width);
      }
    }
  }
});

Deno.test("drawLines() draws a random mask's outer lines equally often", () => {
  const width = 32;
  const counts = new Array(width).fill(0);
  const rng = stream("how often");
  for (let i = 0; i < 4000; i++) {
    for (const line of drawLines(width, { kind: "random", acceleration: 4, acs: 0.125 }, rng)) {
      counts[line] += 1;
    }
  }
  const outer = counts.filter((count) => count !== 4000);
  // Binomial(4000, 4/28): mean 571, standard deviation 22.
  assert.equal(outer.length, 28);
  assert.ok(outer.every((count) => Math.abs(count - 4000 / 7) < 110), `${outer}`);
});

Deno.test("drawLines() leaves nearly equal gaps in an equispaced mask", () => {
  const lines = drawLines(256, { kind: "equispaced", acceleration: 4, acs: 0 }, stream("comb"));
  assert.deepEqual(new Set(lines.slice(1).map((line, i) => line - lines[i])), new Set([4]));
});

Deno.test("drawLines() with replacement measures about one line in 3.5 where 4x was asked for", () => {
  const settings: MaskSettings = { kind: "random-with-replacement", acceleration: 4, acs: 0.08 };
  let lines = 0;
  for (let i = 0; i < 200; i++) lines += drawLines(320, settings, stream(`replaced ${i}`)).length;
  assert.ok(Math.abs(320 * 200 / lines - 3.5) < 0.05, `${320 * 200 / lines}`);
});

Deno.test("drawLines() gives another stream another mask, and the same stream the same", () => {
  const settings: MaskSettings = { kind: "random", acceleration: 4, acs: 0.08 };
  assert.deepEqual(drawLines(64, settings, stream("a")), drawLines(64, settings, stream("a")));
  assert.notDeepEqual(drawLines(64, settings, stream("a")), drawLines(64, settings, stream("b")));
});

Deno.test("centralLines() holds the lowest frequency", () => {
  for (const width of [8, 9, 64, 217]) {
    for (const count of [1, 2, 3, 6]) {
      const block = centralLines(width, count);
      assert.equal(block.length, count);
      assert.ok(block.includes(Math.floor(width / 2)), `${count} of ${width}: ${block}`);
    }
  }
});

Deno.test("calibrationLines() is the run of lines about the centre, empty where the centre was not measured", () => {
  assert.deepEqual(calibrationLines(8, [0, 3, 4, 5, 7]), [3, 4, 5]);
  assert.deepEqual(calibrationLines(8, [0, 3, 5, 7]), []);
});

Deno.test("drawLines() refuses an ACS block that is larger than the whole measurement, and says why", () => {
  assert.throws(
    () => drawLines(64, { kind: "random", acceleration: 8, acs: 0.2 }, stream("x")),
    /8x acceleration of 64 lines leaves 8 lines, and the ACS block alone takes 13[^]*lower acceleration or acs/,
  );
  assert.throws(
    () => drawLines(64, { kind: "random", acceleration: 0.5, acs: 0 }, stream("x")),
    /at least 1/,
  );
  assert.throws(
    () => drawLines(64, { kind: "random", acceleration: 4, acs: 8 }, stream("x")),
    /between 0 and 1/,
  );
});
