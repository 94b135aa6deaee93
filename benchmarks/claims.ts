/**
 * What the papers claim of the rows of the benchmarks, as data: one claim a metric (and wavelength).
 *
 * Orderings only: the numbers of Tables 2 to 4 of Sim et al. are not in the text that is at hand. "Comparable" is the papers'
 * word and the margins are ours: ±0.5 dB, which is 6 % of the error, and ±0.01 of SSIM, which is about as much of
 * 1 − SSIM. A claim whose rows or metrics a run does not have is undecided there, and says so.
 */

import type { Claim } from "../results/run.ts";

const sim = "Sim et al., SIAM J. Imaging Sci. 13, 2020";
const lim = "Lim et al., IEEE TCI 6, 2020";
const adler = "Adler et al., Learning to solve inverse problems using Wasserstein loss, 2017";

/** Margins of "comparable", and what is as good as nothing in an ablation. */
const margins = { psnr: 0.5, ssim: 0.01 } as const;
const quality = ["psnr", "ssim"] as const;

/** One claim a metric. */
function each<Metric extends string>(
  metrics: readonly Metric[],
  claim: Omit<Claim, "metric" | "margin">,
  margin?: Readonly<Record<Metric, number>>,
): Claim[] {
  return metrics.map((metric) => ({ ...claim, metric, ...(margin && { margin: margin[metric] }) }));
}

/** `better` for each neighbouring pair of rows, the best first. */
function order(
  rows: readonly string[],
  metrics: readonly string[],
  claim: Omit<Claim, "metric" | "margin" | "methods" | "direction">,
): Claim[] {
  return rows.slice(1).flatMap((worse, at) =>
    each(metrics, { ...claim, methods: [rows[at], worse], direction: "better" })
  );
}

const mri: readonly Claim[] = [
  ...order(["ot-cyclegan", "cyclegan"], quality, {
    benchmark: "mri",
    claim: "OT-cycleGAN is better than the standard cycleGAN",
    source: `${sim}, §4.1, Table 2`,
  }),
  ...each(quality, {
    benchmark: "mri",
    claim: "OT-cycleGAN, which sees no pairs, is comparable with supervised learning",
    source: `${sim}, §4.1, Table 2`,
    methods: ["ot-cyclegan", "supervised"],
    direction: "comparable",
    over: "zero-filled",
  }, margins),
  ...["ot-cyclegan", "supervised", "cyclegan"].flatMap((row) =>
    order([row, "zero-filled"], quality, {
      benchmark: "mri",
      claim: "every trained method is better than the zero-filled image",
      source: `${sim}, §4.1, Table 2 and Fig. 5`,
    })
  ),
  ...each(quality, {
    benchmark: "mri",
    claim: "the adversary (the critic and its Wasserstein term)",
    source: `${sim}, §3: the dual problem (30) has both terms; our ablation`,
    methods: ["ot-cyclegan", "ot-cyclegan-no-adversary"],
    direction: "contributes",
    over: "zero-filled",
  }, margins),
];

const ctParts = {
  "ot-cyclegan-no-image-critic":
    "what acts on real measurements (the image critic and the measurements' cycle)",
  "ot-cyclegan-frozen-noise": "learning how noise looks",
} as const;

const ct: readonly Claim[] = [
  ...["ot-cyclegan", "ot-cyclegan-as-published"].flatMap((row) =>
    each(quality, {
      benchmark: "ct",
      claim: "OT-cycleGAN with an unknown operator is comparable with supervised learning",
      source: `${sim}, §4.3, Table 4`,
      methods: [row, "supervised"],
      direction: "comparable",
      over: "low-dose",
    }, margins)
  ),
  ...Object.entries(ctParts).flatMap(([without, claim]) =>
    each(quality, {
      benchmark: "ct",
      claim,
      source: `${sim}, Table 1(d) has every part; our ablation`,
      methods: ["ot-cyclegan", without],
      direction: "contributes",
      over: "low-dose",
    }, margins)
  ),
];

// The paper's resolution is between halves, which a network that both halves share flatters; so here against the truth.
const smlm: readonly Claim[] = ["falcon", "deep-storm", "cyclegan"].flatMap((rival) =>
  order(["ot-cyclegan-blind", rival], ["frc-truth"], {
    benchmark: "smlm",
    claim: "OT-cycleGAN has the best resolution by Fourier ring correlation",
    source: `${sim}, §4.2, Table 3`,
  })
);

/**
 * Metrics of networks that were trained at 500 nm and tested at another wavelength have it in their id: `psnr-400nm`. At
 * 500 nm they are those of the first table.
 */
function at(wavelengthNm: number, metrics: readonly string[] = quality): string[] {
  return wavelengthNm === 500 ? [...metrics] : metrics.map((metric) => `${metric}-${wavelengthNm}nm`);
}

const deconvolution: readonly Claim[] = ["deconvolution", "deconvolution-3d"].flatMap((benchmark) => [
  ...[400, 500, 600].flatMap((wavelengthNm) =>
    order(["ot-cyclegan-blind", "cyclegan", "supervised", "widefield"], at(wavelengthNm), {
      benchmark,
      claim: `proposed > conventional cycleGAN > supervised > input at ${wavelengthNm} nm`,
      source: `${lim}, Table I`,
    })
  ),
  ...[at(500), at(610, ["psnr"])].flatMap((metrics) =>
    order(["ot-cyclegan-blind", "ot-cyclegan-non-blind", "ot-cyclegan-half"], metrics, {
      benchmark,
      claim: "blind > non-blind > half",
      source: `${lim}, Table II (at 500 nm its text says both this and the contrary)`,
    })
  ),
  ...order(["ot-cyclegan-non-blind", "ot-cyclegan-blind", "ot-cyclegan-half"], at(610, ["ssim"]), {
    benchmark,
    claim: "non-blind > blind > half in SSIM at 610 nm",
    source: `${lim}, Table II`,
  }),
]);

const misalignedCt: readonly Claim[] = ["primal-dual-sinkhorn", "primal-dual-sinkhorn-as-published"].flatMap((
  row,
) =>
  order([row, "primal-dual-l2"], ["psnr-object", "edge-width"], {
    benchmark: "misaligned-ct",
    claim: "the Wasserstein loss keeps the shape of what the L2 loss smears",
    source: `${adler}, §4, Fig. 3`,
  })
);

/** All of them. */
export const claims: readonly Claim[] = [...mri, ...ct, ...smlm, ...deconvolution, ...misalignedCt];
