import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Image } from "../core/image.ts";
import { kernelCorrelation, kernelCorrelationInitial, kernelRadius } from "../metrics/kernel.ts";
import type { Case, Kernels } from "../metrics/metric.ts";

const gaussian = (side: number, sigma: number): Image => {
  const middle = (side - 1) / 2;
  const data = Float32Array.from(
    { length: side * side },
    (_, i) => Math.exp(-((i % side - middle) ** 2 + (Math.floor(i / side) - middle) ** 2) / (2 * sigma ** 2)),
  );
  const sum = data.reduce((a, b) => a + b);
  return { shape: [side, side, 1], data: data.map((value) => value / sum) };
};

const image: Image = { shape: [1, 1, 1], data: new Float32Array(1) };
const subject = (kernel?: Kernels, pixelNm: readonly number[] = [65, 65]): Case[] =>
  ["a", "b"].map((sample) => ({ sample, reconstruction: image, kernel, pixelNm }));

Deno.test("a learned kernel is scored once a subject, against the truth and beside its start, whatever their sizes", () => {
  const kernels = { learned: gaussian(11, 1.5), initial: gaussian(11, 3), truth: gaussian(15, 1.5) };
  const [learned, ...more] = kernelCorrelation.score(subject(kernels));
  deepStrictEqual(more, []);
  strictEqual(learned.sample, undefined);
  ok(learned.value! > 0.9999);
  const [initial] = kernelCorrelationInitial.score(subject(kernels));
  ok(initial.value! < 0.9, `${initial.value}`);
  const [radius] = kernelRadius().score(subject(kernels));
  const [truth] = kernelRadius({ of: "truth" }).score(subject(kernels));
  ok(Math.abs(truth.value! - 65 * 1.5 * Math.SQRT2) < 0.1);
  ok(Math.abs(radius.value! - truth.value!) < 1);
});

Deno.test("kernels that nobody learned, knows or started from have no score, and a reason", () => {
  const learned = gaussian(5, 1);
  const reason = (metric: typeof kernelCorrelation, kernel?: Kernels) =>
    metric.score(subject(kernel))[0].reason;
  strictEqual(reason(kernelCorrelation), "no kernel is learned");
  strictEqual(reason(kernelRadius()), "no kernel is learned");
  strictEqual(reason(kernelCorrelation, { learned }), "the true kernel is unknown");
  strictEqual(reason(kernelCorrelationInitial, { learned }), "the true kernel is unknown");
  strictEqual(
    reason(kernelCorrelationInitial, { learned, truth: learned }),
    "nobody says what the kernel started from",
  );
  strictEqual(reason(kernelRadius({ of: "truth" }), { learned }), "the true kernel is unknown");
  strictEqual(kernelRadius().score(subject({ learned }))[0].reason, undefined);
  const nobodySays = subject({ learned }).map(({ pixelNm: _, ...rest }) => rest);
  strictEqual(kernelRadius().score(nobodySays)[0].reason, "nobody says how large a pixel is");
  deepStrictEqual(kernelCorrelation.score([]), []);
});
