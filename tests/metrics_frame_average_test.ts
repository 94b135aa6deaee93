import assert from "node:assert/strict";
import type { Image } from "../core/image.ts";
import { emitterSum, type Points } from "../core/points.ts";
import { FrameAverage } from "../metrics/frame_average.ts";
import { frcHalves, frcTruth } from "../metrics/frc.ts";
import { stream } from "../core/random.ts";

const frame = (value: number, shape = [8, 6, 1]) => ({
  reconstruction: { shape, data: new Float32Array(shape[0] * shape[1]).fill(value) },
  pixelNm: [100, 100],
});
const at = (...places: [number, number][]): Points => ({
  xNm: Float64Array.from(places, ([x]) => x),
  yNm: Float64Array.from(places, ([, y]) => y),
});
const sum = ({ data }: Image) => data.reduce((total, value) => total + value, 0);

Deno.test("frames are averaged all together, and every other one by itself", () => {
  const average = new FrameAverage();
  [1, 2, 3, 4, 10].forEach((value) => average.add(frame(value)));
  const { reconstruction, halves, truth } = average.whole();
  assert.deepEqual(reconstruction, frame(4).reconstruction);
  assert.deepEqual(halves, [frame(14 / 3).reconstruction, frame(3).reconstruction]);
  assert.equal(truth, undefined);
});

Deno.test("the truth is how many emitters there were in a frame, where they were", () => {
  const average = new FrameAverage();
  average.add(frame(0, [20, 20, 1]), at([850, 1050], [1250, 650]));
  average.add(frame(0, [20, 20, 1]), at());
  average.add(frame(0, [20, 20, 1]), at([850, 1050]));
  const { truth } = average.whole();
  assert.ok(Math.abs(sum(truth!) / (3 * emitterSum / 3) - 1) < 1e-5);
  // Pixel (10, 8), whose centre is at (850, 1050), holds two of three emitters of peak 1.
  assert.ok(Math.abs(truth!.data[10 * 20 + 8] - 2 / 3) < 1e-3);
});

Deno.test("one frame whose emitters are unknown leaves the truth unknown, and so do pixels without a size", () => {
  const [unknown, unsized] = [new FrameAverage(), new FrameAverage()];
  for (const emitters of [at([1, 1]), undefined, at([1, 1])]) unknown.add(frame(0), emitters);
  unsized.add({ reconstruction: frame(0).reconstruction }, at([1, 1]));
  assert.equal(unknown.whole().truth, undefined);
  assert.equal(unsized.whole().truth, undefined);
  assert.equal(unsized.whole().halves, undefined);
});

Deno.test("frames of two sizes, and none, have no average", () => {
  const average = new FrameAverage();
  assert.throws(() => average.whole(), /no frame has no average/);
  average.add(frame(0));
  assert.throws(() => average.add(frame(0, [6, 8, 1])), /a frame \[6,8,1\] among frames \[8,6,1\]/);
});

const noise = (name: string, common: string): Image => {
  const [own, shared] = [stream(`test/${name}`), stream(`test/${common}`)];
  return {
    shape: [32, 32, 1],
    data: Float32Array.from({ length: 1024 }, () => shared.normal() + 0.3 * own.normal()),
  };
};

Deno.test("the curve of an FRC metric is what its score is read off, in cycles a µm", () => {
  const [a, b] = [noise("a", "c"), noise("b", "c")];
  const [curve] = frcTruth({ pixelNm: 50, threshold: "1/7" }).curves!([
    { sample: "s", reconstruction: a, truth: b },
  ]);
  assert.deepEqual([curve.name, curve.sample, curve.limit?.label], ["frc-truth", "s", "1/7"]);
  assert.equal(curve.axes.x, "frequency (1/µm)");
  assert.equal(curve.x.length, curve.y.length);
  // Rings up to half a cycle in 50 nm, the first at one cycle across 32 pixels.
  assert.equal(curve.x.at(-1), 10);
  assert.equal(curve.x[0], 1000 / (32 * 50));
  assert.ok(curve.y.every((value) => value > 0.5 && value <= 1), `${curve.y}`);
});

Deno.test("FRC between halves has no value where they share what was learned, and where there are none", () => {
  const metric = frcHalves({ pixelNm: 50, threshold: "1/7" });
  const halves = [noise("a", "c"), noise("b", "d")] as const;
  const one = { sample: "s", reconstruction: halves[0], halves };
  const reasons = [one, { ...one, learned: true }, { ...one, halves: undefined }].map((one) =>
    metric.score([one])[0].reason
  );
  assert.match(reasons[0]!, /from the first ring on|does not fall/);
  assert.match(reasons[1]!, /share a learned prior/);
  assert.match(reasons[2]!, /no two halves/);
  assert.deepEqual(metric.curves!([{ ...one, learned: true }]), []);
});
