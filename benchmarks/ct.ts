/** Low-dose CT with an unknown operator: the benchmark of Sim et al. 2020, §4.3. */

import { input } from "../baselines/input.ts";
import { meanImage } from "../baselines/mean_image.ts";
import { totalVariation } from "../baselines/total_variation.ts";
import type { Settings } from "../core/settings.ts";
import { bodyPhantoms } from "../datasets/body_phantoms.ts";
import { keepHu } from "../datasets/formats/hu_reconstructions.ts";
import { ctKinds } from "../datasets/kinds.ts";
import { cycleGan } from "../methods/cyclegan.ts";
import { noiseMatching } from "../methods/noise_matching.ts";
import { otCycleGanAsPublished } from "../methods/ot_cyclegan_as_published.ts";
import { otCycleGanFrozenNoise } from "../methods/ot_cyclegan_frozen_noise.ts";
import { otCycleGanNoImageCritic } from "../methods/ot_cyclegan_no_image_critic.ts";
import { otCycleGanTwoGenerators } from "../methods/ot_cyclegan_two_generators.ts";
import { otCycleGanTwoGeneratorsLsgan } from "../methods/ot_cyclegan_two_generators_lsgan.ts";
import { otCycleGanUnknownOperator } from "../methods/ot_cyclegan_unknown_operator.ts";
import { otCycleGanUnknownOperatorClipping } from "../methods/ot_cyclegan_unknown_operator_clipping.ts";
import { otCycleGanUnknownOperatorSpectralNorm } from "../methods/ot_cyclegan_unknown_operator_spectral_norm.ts";
import { redCnn } from "../methods/red_cnn.ts";
import { supervised } from "../methods/supervised.ts";
import { wgan } from "../methods/wgan.ts";
import { noiseHu, npsDistance } from "../metrics/noise.ts";
import { psnr } from "../metrics/psnr.ts";
import { rmseHu } from "../metrics/rmse_hu.ts";
import { ssim } from "../metrics/ssim.ts";
import { aboveAir, inHounsfield, lowDoseCt, lowDoseCtSettings, scanOf } from "../physics/low_dose_ct.ts";
import { type Benchmark, commonSettings, smoke, type SubjectSettings, subjectSettings } from "./benchmark.ts";

const subjects: SubjectSettings = subjectSettings("bodies");

/** The settings of {@linkcode ct}. */
export const ctSettings = {
  ...commonSettings,
  ...lowDoseCtSettings,
  // Flips change nothing here (docs/results/ct.md), and an exact sinogram cannot be mirrored.
  mirror: { ...commonSettings.mirror, default: false },
  ...subjects,
  slices: { default: 4, min: 1, whole: true, about: "slices of an embedded body" },
  matrix: {
    default: 64,
    min: 0,
    max: 1024,
    whole: true,
    about: "side of the square that images are brought to; 0 leaves files as they are",
  },
  windowCentre: { default: 40, min: -1000, max: 3000, about: "centre in HU of the values that networks see" },
  windowWidth: { default: 600, min: 1, max: 8000, about: "width in HU of the values that networks see" },
} as const satisfies Settings;

/** `deno task bench ct`. */
export const ct: Benchmark<typeof ctSettings> = {
  name: "ct",
  title: "Low-dose CT, unknown operator",
  question:
    "Can a network that never sees a matched pair, and knows nothing of the scanner, denoise low-dose CT as well as a supervised one?",
  settings: ctSettings,
  profiles: {
    smoke: {
      about: smoke.about,
      settings: {
        matrix: 32,
        views: 24,
        bins: 33,
        ...smoke.training,
        ...smoke.subjects,
        slices: 2,
      },
      methods: { width: 4, levels: 2, criticWidth: 4, criticLayers: 2, filters: 4 },
      seeds: "1",
      everyRow: true,
    },
    quick: {
      about: "Small images and networks, minutes on a laptop; orderings are stable.",
      // A sixth of the published width, for a thirtieth of its cost: two to three times that of supervised.
      rows: { "red-cnn": { filters: 16 } },
      seeds: "3",
    },
    check: {
      about: "800 updates, the fewest at which the orderings are stable: for deno task check.",
      settings: { updates: 800, checks: 1, panels: 0 },
      guards: { "low-dose": 0.3, supervised: 0.3, "ot-cyclegan": 0.3 },
      seeds: "6",
      baselineSeeds: "12",
    },
    paper: {
      about:
        "The sizes of Sim et al. 2020, §4.3: 512 x 512, patches, batches of 20, 400 epochs of 3000 slices; for a GPU.",
      settings: {
        matrix: 0,
        views: 720,
        bins: 729,
        patch: 128,
        batch: 20,
        updates: 60_000,
        checks: 100,
        trainSubjects: 400,
        validationSubjects: 20,
        testSubjects: 28,
        slices: 15,
      },
      methods: { width: 64, levels: 3, criticWidth: 64 },
      seeds: "1",
    },
  },

  embedded: (set, stream) =>
    bodyPhantoms({
      subjects: set.trainSubjects + set.validationSubjects + set.testSubjects,
      parts: { validation: set.validationSubjects, test: set.testSubjects },
      slices: set.slices,
      matrix: set.matrix || 512,
      ...scanOf(set, [set.matrix || 512, set.matrix || 512]),
      stream,
    }),
  kinds: ctKinds,
  matrix: ({ matrix }) => matrix || undefined,
  acquisition: lowDoseCt,
  see: (y, A) => A.approximateInverse!(y) as ReturnType<Benchmark["see"]>,
  // 150 HU, of the order of what tells tissues apart.
  scale: () => 150,
  window: ({ windowCentre, windowWidth }) => ({
    low: aboveAir + windowCentre - windowWidth / 2,
    high: aboveAir + windowCentre + windowWidth / 2,
  }),
  shown: () => ({ low: -260, high: 340 }),
  view: inHounsfield,

  rows: [
    { name: "low-dose", method: input, about: "the low-dose image, which is what the networks see" },
    { name: "mean-image", method: meanImage },
    {
      name: "total-variation",
      method: totalVariation,
      settings: { asSeen: true },
      tune: [0.003, 0.01, 0.03, 0.1],
      about: "least total variation with the sinogram as data, weight chosen on validation subjects",
    },
    { name: "supervised", method: supervised },
    { name: "red-cnn", method: redCnn },
    { name: "cyclegan", method: cycleGan },
    { name: "wgan", method: wgan },
    { name: "ot-cyclegan", method: otCycleGanUnknownOperator },
    { name: "ot-cyclegan-as-published", method: otCycleGanAsPublished },
    { name: "noise-matching", method: noiseMatching },
  ],
  byName: [
    { name: "ot-cyclegan-no-image-critic", method: otCycleGanNoImageCritic },
    { name: "ot-cyclegan-frozen-noise", method: otCycleGanFrozenNoise },
    { name: "ot-cyclegan-two-generators", method: otCycleGanTwoGenerators },
    { name: "ot-cyclegan-lsgan", method: otCycleGanTwoGeneratorsLsgan },
    { name: "ot-cyclegan-clipping", method: otCycleGanUnknownOperatorClipping },
    { name: "ot-cyclegan-spectral-norm", method: otCycleGanUnknownOperatorSpectralNorm },
  ],
  metrics: [
    psnr("ct-window:40/600"),
    ssim("ct-window:40/600"),
    rmseHu,
    noiseHu,
    npsDistance,
    psnr("ct-window:50/400"),
    ssim("ct-window:50/400"),
    psnr("ct-window:-600/1500"),
    ssim("ct-window:-600/1500"),
    psnr("ct-window:400/1800"),
    ssim("ct-window:400/1800"),
    psnr("hu"),
    ssim("hu"),
  ],
  followed: [
    {
      id: "certificate",
      convention: "validation",
      unit: "",
      better: "lower",
      over: "mean",
      about:
        "½·ℓ_cycle of Proposition 3.1 in the Euclidean norm of an image, F’s noise included: mean over at most eight validation samples, images in units of 150 HU.",
    },
    {
      id: "critic-gradient",
      convention: "validation",
      unit: "",
      better: "neither",
      over: "max",
      about:
        "The larger of both critics’ largest gradient norms, ‖∇φ‖₂ and ‖∇ψ‖₂, on the same validation samples; Proposition 3.1 needs at most 1 everywhere.",
    },
    {
      id: "noise-deviation",
      convention: "learned",
      unit: "",
      better: "neither",
      over: "mean",
      about: "The standard deviation of the noise that F has learned, in units of 150 HU.",
    },
    {
      id: "noise-growth",
      convention: "learned",
      unit: "",
      better: "neither",
      over: "mean",
      about:
        "By how much the logarithm of F’s noise grows with the mean of what is around, in units of 150 HU; measured before training.",
    },
  ],
  keep: keepHu,
  notes: [
    "low-dose is the input's own score, and mean-image, the mean of the training images whatever was measured, a negative control. It is the mean of what networks are shown: beyond their window its scores say nothing.",
    "The dose is named by the setting photons, those that enter along each ray; a finer scanner with as many is noisier.",
    "Networks see the values of one window; what they change of them is added to the input, whose values outside of the window stay.",
    "supervised learns from matched pairs of the subjects of x; the unpaired methods see images of x and low-dose images of y, which share no subject. total-variation knows the operator: the scanner where the dose is simulated, and the identity, so that it denoises the image, where the data are pairs of images.",
  ],
};
