import assert from "node:assert/strict";
import { drawnPoints } from "../baselines/random_points.ts";
import type { Image } from "../core/image.ts";
import { type Points, rendered } from "../core/points.ts";
import { stream } from "../core/random.ts";
import { inFrame, readLocalisations } from "../datasets/localisations.ts";
import { TiffStack } from "../datasets/formats/tiff.ts";
import { assignPoints } from "../metrics/assignment.ts";
import {
  countLocalisations,
  jaccard,
  type LocalisationCounts,
  localisationMetrics,
  precision,
  recall,
  rmseLateral,
  totalOf,
} from "../metrics/localisation.ts";
// Made by metrics_localisation.py with SciPy, which says how.
import golden from "./golden/metrics_localisation.json" with { type: "json" };
import { sharedExists, sharedFolder } from "./tree.ts";

const pointsOf = (pairs: readonly (readonly number[])[]): Points => ({
  xNm: Float64Array.from(pairs, ([x]) => x),
  yNm: Float64Array.from(pairs, ([, y]) => y),
});

const empty = pointsOf([]);

function scatter(name: string, count: number, side: number): Points {
  const rng = stream(`test/points/${name}`);
  return pointsOf(Array.from({ length: count }, () => [side * rng.uniform(), side * rng.uniform()]));
}

Deno.test("assignments, Jaccard index, recall, precision and RMSE are SciPy's", () => {
  for (const { tolerance, truth, found, pairs, ...rates } of golden.cases) {
    const [a, b] = [pointsOf(truth), pointsOf(found)];
    const { first, second } = assignPoints(a, b, tolerance);
    assert.deepEqual(Array.from(first, (i, at) => [i, second[at]]), pairs);
    const counts = countLocalisations(b, a, tolerance);
    const all = {
      jaccard: jaccard(counts),
      recall: recall(counts),
      precision: precision(counts),
      rmse: rmseLateral(counts),
    };
    for (const [name, outcome] of Object.entries(all)) {
      const expected = rates[name as keyof typeof rates];
      if (expected === null) assert.ok(typeof outcome === "object" && outcome.reason.length > 5, name);
      else assert.ok(typeof outcome === "number" && Math.abs(outcome - expected) < 1e-9, name);
    }
  }
});

Deno.test("the assignment is the same cost from either side, and no pair of two could do better", () => {
  const [a, b] = [scatter("a", 400, 3000), scatter("b", 350, 3000)];
  const cost = (first: Points, second: Points) => {
    const { distanceNm } = assignPoints(first, second, 250);
    return distanceNm.reduce((sum, distance) => sum + distance - 250, 0);
  };
  assert.ok(Math.abs(cost(a, b) - cost(b, a)) < 1e-6);
  const { first, second, distanceNm } = assignPoints(a, b, 250);
  assert.equal(new Set(second).size, second.length);
  const distance = (i: number, j: number) => Math.hypot(a.xNm[i] - b.xNm[j], a.yNm[i] - b.yNm[j]);
  for (let p = 0; p < first.length; p++) {
    for (let q = p + 1; q < first.length; q++) {
      const swapped = Math.min(distance(first[p], second[q]), 250) +
        Math.min(distance(first[q], second[p]), 250);
      assert.ok(distanceNm[p] + distanceNm[q] <= swapped + 1e-9);
    }
  }
});

Deno.test("ten thousand points that crowd into one cluster are assigned in seconds", () => {
  const before = performance.now();
  const { first } = assignPoints(scatter("many", 1e4, 12000), scatter("others", 1e4, 12000), 250);
  assert.ok(first.length > 9000);
  assert.ok(performance.now() - before < 20000);
});

Deno.test("an emitter has one partner: what was found twice is spurious once", () => {
  const truth = pointsOf([[100, 100], [500, 500]]);
  const found = pointsOf([[110, 100], [90, 100], [900, 900]]);
  const counts = countLocalisations(found, truth, 50);
  assert.deepEqual(counts, { paired: 1, missed: 1, spurious: 2, squaresNm2: 100 });
  assert.deepEqual(totalOf([counts, counts]), { paired: 2, missed: 2, spurious: 4, squaresNm2: 200 });
  assert.equal(jaccard(counts), 1 / 4);
});

Deno.test("localisation metrics add up the frames of a subject, and say where there is nothing to add", () => {
  const frame = (truth: number[][], found: number[][]) => ({
    sample: "1",
    reconstruction: { shape: [1, 1, 1], data: new Float32Array(1) },
    pixelNm: [25, 25],
    emitters: { truth: pointsOf(truth), found: pointsOf(found) },
  });
  const metrics = localisationMetrics(50);
  assert.deepEqual(metrics.map(({ id }) => id), [
    "jaccard-50nm",
    "recall-50nm",
    "precision-50nm",
    "rmse-lateral-50nm",
  ]);
  assert.deepEqual(localisationMetrics(250).map(({ id }) => id), [
    "jaccard",
    "recall",
    "precision",
    "rmse-lateral",
  ]);
  const subject = [frame([[0, 0], [300, 0]], [[30, 0]]), frame([[0, 0]], [[0, 40], [500, 0]])];
  const values = metrics.map((metric) => metric.score(subject));
  assert.deepEqual(values.map((scores) => scores.length), [1, 1, 1, 1]);
  assert.deepEqual(values.map(([{ value }]) => value), [2 / 4, 2 / 3, 2 / 3, Math.sqrt((900 + 1600) / 2)]);
  const [{ value, reason }] = metrics[0].score([{ ...subject[0], emitters: undefined }]);
  assert.equal(value, null);
  assert.match(reason!, /emitters are unknown/);
  const { pixelNm: _, ...unsized } = subject[0];
  assert.match(metrics[0].score([unsized])[0].reason!, /nobody says how large a pixel is/);
  assert.match(metrics[3].score([frame([[0, 0]], [])])[0].reason!, /none was found/);
});

Deno.test("points that are nowhere and tolerances that are none are refused", () => {
  assert.throws(() => assignPoints(empty, empty, 0), /a tolerance of 0 nm/);
  assert.throws(() => assignPoints(pointsOf([[NaN, 1]]), empty, 50), /point 0 is at \(NaN, 1\)/);
  const dark: Image = { shape: [2, 2, 1], data: new Float32Array(4) };
  assert.throws(() => drawnPoints(dark, 3, 100, stream("test")), /no pixel has a positive value/);
});

Deno.test("random points follow the image's brightness, and are the same for the same stream", () => {
  const image: Image = { shape: [2, 3, 1], data: Float32Array.of(0, 1, 0, 3, -5, 4) };
  const { xNm, yNm } = drawnPoints(image, 8000, 100, stream("test/random-points"));
  const counts = new Float64Array(6);
  xNm.forEach((x, i) => counts[3 * Math.floor(yNm[i] / 100) + Math.floor(x / 100)]++);
  [0, 1, 0, 3, 0, 4].forEach((weight, pixel) => assert.ok(Math.abs(counts[pixel] / 1000 - weight) < 0.15));
  assert.deepEqual(drawnPoints(image, 9, 100, stream("a")), drawnPoints(image, 9, 100, stream("a")));
});

Deno.test("a rendered point has a sum of one, its centre of mass and its variance", () => {
  const points = pointsOf([[1234.5, 1711.25]]);
  const { shape, data } = rendered(points, { height: 30, width: 40, pixelNm: 100, sigmaNm: 180 });
  assert.deepEqual(shape, [30, 40, 1]);
  const mean = (of: (x: number, y: number) => number) =>
    data.reduce((sum, value, i) => sum + value * of(100 * (i % 40) + 50, 100 * Math.floor(i / 40) + 50), 0);
  const close = (actual: number, expected: number) =>
    assert.ok(Math.abs(actual / expected - 1) < 1e-4, `${actual}`);
  close(mean(() => 1), 1);
  close(mean((x) => x), 1234.5);
  close(mean((_, y) => y), 1711.25);
  // A pixel's own width adds a twelfth of its square.
  close(mean((x) => (x - 1234.5) ** 2), 180 ** 2 + 100 ** 2 / 12);
  const counted = rendered(pointsOf([[250, 50], [299, 99], [-1, 3]]), {
    height: 2,
    width: 4,
    pixelNm: 100,
    sigmaNm: 0,
  });
  assert.deepEqual([...counted.data], [0, 0, 2, 0, 0, 0, 0, 0]);
});

Deno.test({
  name: "at 225 emitters a frame 250 nm reward random points, and 50 nm do not",
  ignore: !sharedExists,
}, async () => {
  const folder = `${sharedFolder}/smlm/deepstorm_microtubules`;
  const truth = await readLocalisations(`${folder}/ground_truth.csv`);
  using stack = await TiffStack.open(`${folder}/frames.tif`);
  const { height, width } = stack.header;
  const [loose, tight]: LocalisationCounts[][] = [[], []];
  for (let frame = 240; frame < 361; frame += 10) {
    const page = await stack.page(frame);
    const background = page.toSorted()[page.length >> 1];
    const image = { shape: [height, width, 1], data: page.map((value) => value - background) };
    const emitters = inFrame(truth, frame);
    const random = drawnPoints(image, emitters.xNm.length, 100, stream(`test/control/${frame}`));
    loose.push(countLocalisations(random, emitters, 250));
    tight.push(countLocalisations(random, emitters, 50));
  }
  const [at250, at50] = [loose, tight].map((frames) => jaccard(totalOf(frames)) as number);
  assert.ok(at250 > 0.55 && at50 < 0.15, `${at250} at 250 nm, ${at50} at 50 nm`);
});
