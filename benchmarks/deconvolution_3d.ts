/** Deconvolution of volumes with a known, an unknown and a wrong blur: the question of Lim et al. 2020 in its own dimensions. */

import { input } from "../baselines/input.ts";
import { meanImage } from "../baselines/mean_image.ts";
import { richardsonLucy, richardsonLucyTv } from "../baselines/richardson_lucy.ts";
import { wiener } from "../baselines/wiener.ts";
import { centrePart } from "../core/image.ts";
import type { Settings } from "../core/settings.ts";
import { keepReconstructions } from "../datasets/formats/reconstructions.ts";
import { volumeKinds } from "../datasets/kinds.ts";
import { microtubuleVolumes } from "../datasets/microtubules.ts";
import { readyToDeconvolve } from "../datasets/blurred_stacks.ts";
import { cycleGan } from "../methods/cyclegan.ts";
import { otCycleGanBlind } from "../methods/ot_cyclegan_blind.ts";
import { otCycleGanHalf } from "../methods/ot_cyclegan_half.ts";
import { otCycleGanKnownPsf } from "../methods/ot_cyclegan_known_psf.ts";
import { spectrumMatching } from "../methods/spectrum_matching.ts";
import { supervised } from "../methods/supervised.ts";
import { dataConsistency } from "../metrics/data_consistency.ts";
import { frcTruth } from "../metrics/frc.ts";
import { kernelCorrelation, kernelCorrelationInitial, kernelRadius } from "../metrics/kernel.ts";
import { psnr } from "../metrics/psnr.ts";
import { ssim } from "../metrics/ssim.ts";
import { microscope, volumeMicroscopeSettings } from "../physics/microscope.ts";
import { type Benchmark, commonSettings } from "./benchmark.ts";
import { atWavelengths, wavelengthSettings } from "./wavelengths.ts";

/** The settings of {@linkcode deconvolution3d}. */
export const deconvolution3dSettings = {
  ...commonSettings,
  ...volumeMicroscopeSettings,
  ...wavelengthSettings,
  updates: { ...commonSettings.updates, default: 400 },
  mirror: { ...commonSettings.mirror, default: false },
  trainSubjects: {
    default: 60,
    min: 2,
    whole: true,
    about: "embedded volumes to learn from; half give images, half measurements",
  },
  validationSubjects: { default: 4, min: 1, whole: true, about: "embedded volumes for validation" },
  testSubjects: { default: 12, min: 1, whole: true, about: "embedded volumes to be scored" },
  matrix: {
    default: 32,
    min: 16,
    max: 256,
    whole: true,
    about: "side of the cubes that are learned from; what the camera sees is smaller by the margins",
  },
} as const satisfies Settings;

const rows: Benchmark["rows"] = [
  { name: "widefield", method: input, about: "the measurement itself, which is what the networks see" },
  { name: "mean-image", method: meanImage },
  { name: "richardson-lucy", method: richardsonLucy },
  { name: "richardson-lucy-tv", method: richardsonLucyTv },
  { name: "wiener", method: wiener },
  { name: "supervised", method: supervised, settings: { width: 4, levels: 2 } },
  { name: "cyclegan", method: cycleGan, settings: { width: 4, levels: 2, identity: 0 } },
  {
    name: "ot-cyclegan-non-blind",
    method: otCycleGanKnownPsf,
    settings: { width: 4, levels: 2, loss: "l1", gamma: 100, measurementCycle: 1, adversary: 1 },
  },
  { name: "ot-cyclegan-blind", method: otCycleGanBlind, settings: { width: 4, levels: 2 } },
  { name: "ot-cyclegan-half", method: otCycleGanHalf, settings: { width: 4, levels: 2, gamma: 100 } },
  { name: "spectrum-matching", method: spectrumMatching, settings: { width: 4, levels: 2 } },
];

/** `deno task bench deconvolution-3d`. */
export const deconvolution3d: Benchmark<typeof deconvolution3dSettings> = {
  name: "deconvolution-3d",
  title: "Deconvolution microscopy of volumes",
  question:
    "Can a network that sees sharp volumes and blurred ones of other specimens deconvolve, and measure the blur on the way?",
  settings: deconvolution3dSettings,
  profiles: {
    smoke: {
      about: "Every code path of every method, in seconds; says nothing about quality.",
      settings: {
        matrix: 20,
        updates: 2,
        checks: 1,
        trainSubjects: 4,
        validationSubjects: 2,
        testSubjects: 2,
      },
      methods: { width: 4, levels: 1, criticWidth: 4, criticLayers: 1 },
      seeds: "1",
      everyRow: true,
    },
    quick: { about: "Small cubes and networks, minutes on a laptop; orderings are stable.", seeds: "3" },
    paper: { about: "?", seeds: "1" },
  },
  embedded: (set, stream) =>
    microtubuleVolumes({
      subjects: set.trainSubjects + set.validationSubjects + set.testSubjects,
      parts: { validation: set.validationSubjects, test: set.testSubjects },
      matrix: set.matrix,
      pixelNm: 100,
      stream,
    }),
  kinds: volumeKinds,
  complete: (stacks, set, stream) =>
    readyToDeconvolve(stacks, {
      side: set.matrix,
      margin: set.margin,
      images: (pixelNm) =>
        microtubuleVolumes({
          subjects: 1,
          matrix: set.matrix,
          volume: [set.matrix, 6 * set.matrix, 6 * set.matrix],
          pixelNm: pixelNm ?? 100,
          stream,
        }),
    }),
  matrix: ({ matrix }) => matrix,
  acquisition: microscope,
  see: (y, A) => A.approximateInverse!(y) as ReturnType<Benchmark["see"]>,
  scale: () => 1,
  view: (image, { margin, marginDepth }) => {
    const [depth, height, width] = image.shape;
    return centrePart(image, [depth - marginDepth, height - margin, width - margin]);
  },
  rows,
  byName: [
    {
      name: "richardson-lucy-dark-borders",
      method: richardsonLucy,
      settings: { borders: "dark" },
      about:
        "Richardson and Lucy's deconvolution as common programs have it: all is dark outside of the field of view",
    },
  ],
  metrics: [
    psnr("paper"),
    ssim("wang2004", { range: "truth-maximum" }),
    frcTruth({ threshold: "1/7", volumes: true }),
    dataConsistency,
    kernelCorrelation,
    kernelCorrelationInitial,
    kernelRadius(),
    kernelRadius({ of: "truth" }),
  ],
  followed: [],
  conditions: atWavelengths,
  files: ({ psf }) => psf === "" ? [] : [psf],
  keep: keepReconstructions,
  notes: [],
};
