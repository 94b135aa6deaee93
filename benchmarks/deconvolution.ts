/** Deconvolution in the plane with a known, an unknown and a wrong blur: the question of Lim et al. 2020 on images. */

import { input } from "../baselines/input.ts";
import { meanImage } from "../baselines/mean_image.ts";
import { richardsonLucy, richardsonLucyTv } from "../baselines/richardson_lucy.ts";
import { wiener } from "../baselines/wiener.ts";
import { centrePart } from "../core/image.ts";
import type { Settings } from "../core/settings.ts";
import { readyToDeconvolve } from "../datasets/blurred_stacks.ts";
import { keepReconstructions } from "../datasets/formats/reconstructions.ts";
import { planeKinds } from "../datasets/kinds.ts";
import { microtubules } from "../datasets/microtubules.ts";
import { wholeOf } from "../datasets/tiff_stacks.ts";
import { cycleGan } from "../methods/cyclegan.ts";
import { otCycleGanBlind } from "../methods/ot_cyclegan_blind.ts";
import { otCycleGanBlindLsgan } from "../methods/ot_cyclegan_blind_lsgan.ts";
import { otCycleGanHalf } from "../methods/ot_cyclegan_half.ts";
import { otCycleGanKnownPsf } from "../methods/ot_cyclegan_known_psf.ts";
import { otCycleGanPatchesLsgan } from "../methods/ot_cyclegan_patches_lsgan.ts";
import { spectrumMatching } from "../methods/spectrum_matching.ts";
import { supervised } from "../methods/supervised.ts";
import { dataConsistency } from "../metrics/data_consistency.ts";
import { frcTruth } from "../metrics/frc.ts";
import { kernelCorrelation, kernelCorrelationInitial, kernelRadius } from "../metrics/kernel.ts";
import { psnr } from "../metrics/psnr.ts";
import { ssim } from "../metrics/ssim.ts";
import { fieldOf } from "../physics/field.ts";
import { isTiffName, microscope, microscopeSettings, usualPixelNm } from "../physics/microscope.ts";
import { type Benchmark, commonSettings, smoke, type SubjectSettings, subjectSettings } from "./benchmark.ts";
import { asMeasured, atWavelengths, wavelengthSettings } from "./wavelengths.ts";

const subjects: SubjectSettings = subjectSettings("cells");

/** The settings of {@linkcode deconvolution}. */
export const deconvolutionSettings = {
  ...commonSettings,
  ...microscopeSettings,
  ...wavelengthSettings,
  updates: { ...commonSettings.updates, default: 2400 },
  ...subjects,
  slices: { default: 4, min: 1, whole: true, about: "fields of view of an embedded cell" },
  matrix: {
    default: 64,
    min: 32,
    max: 1024,
    whole: true,
    about: "side of the images that are learned from; what the camera sees of them is smaller by the margin",
  },
} as const satisfies Settings;

/** The cycle of `ot-cyclegan-blind`, for its rivals that know the kernel: as in the paper, both halves weigh the same. */
const cycle = { loss: "l1", gamma: 100, measurementCycle: 1, adversary: 1 } as const;

/** What networks are compared by at each wavelength, as in Lim et al.'s tables. */
const quality = [psnr("paper"), ssim("wang2004", { range: "truth-maximum" })];

/** `deno task bench deconvolution`. */
export const deconvolution: Benchmark<typeof deconvolutionSettings> = {
  name: "deconvolution",
  title: "Deconvolution microscopy",
  question:
    "Can a network that sees sharp images, and blurred ones of other specimens, deconvolve as well as a supervised one, and measure the blur on the way?",
  settings: deconvolutionSettings,
  profiles: {
    smoke: {
      about: smoke.about,
      settings: {
        matrix: 40,
        ...smoke.training,
        ...smoke.subjects,
        slices: 2,
      },
      methods: { width: 4, levels: 2, criticWidth: 4, criticLayers: 2 },
      seeds: "1",
      mostSamples: 4,
      everyRow: true,
    },
    quick: {
      about: "Small images and networks, minutes on a laptop; orderings are stable.",
      seeds: "3",
    },
    check: {
      about: "800 updates, the fewest tried at which the orderings are stable: for deno task check.",
      settings: { updates: 800, checks: 1, panels: 0 },
      guards: { widefield: 0.3, "richardson-lucy": 0.3, supervised: 0.3, "ot-cyclegan-blind": 0.3 },
      seeds: "6",
      baselineSeeds: "12",
    },
    paper: {
      about:
        "The schedule of Lim et al. 2020, §IV, on images instead of volumes: 200 epochs, the last 160 with a falling rate; for a GPU.",
      settings: {
        matrix: 128,
        updates: 230_400,
        checks: 100,
        // Half of them give images, half measurements: 18 volumes of 64 patches of each.
        trainSubjects: 36,
        validationSubjects: 2,
        testSubjects: 12,
        slices: 64,
      },
      methods: { width: 64, levels: 4, criticWidth: 64, rate: 1e-4, criticRate: 1e-4, decayFrom: 0.2 },
      seeds: "1",
    },
  },

  embedded: (set, stream) =>
    microtubules({
      subjects: set.trainSubjects + set.validationSubjects + set.testSubjects,
      parts: { validation: set.validationSubjects, test: set.testSubjects },
      slices: set.slices,
      matrix: set.matrix,
      pixelNm: parseFloat(set.pixelNm) || usualPixelNm,
      stream,
    }),
  kinds: planeKinds,
  complete: (stacks, set, stream) =>
    readyToDeconvolve(asMeasured(stacks, set), {
      side: set.matrix,
      margin: set.margin,
      images: (pixelNm) =>
        microtubules({
          subjects: 1,
          slices: Math.ceil(set.slices * set.trainSubjects / 2),
          matrix: set.matrix,
          pixelNm: pixelNm?.at(-1) ?? usualPixelNm,
          stream,
        }),
    }),
  matrix: () => undefined,
  acquisition: (set, stream) => microscope(set, stream, wholeOf),
  see: (y, A) => A.approximateInverse!(y) as ReturnType<Benchmark["see"]>,
  field: fieldOf,
  scale: () => 1,
  view: (image, { margin }) => {
    const [height, width] = image.shape;
    return centrePart(image, [height - margin, width - margin]);
  },
  conditions: (set) => atWavelengths(set, quality),

  rows: [
    { name: "widefield", method: input, about: "the measurement itself, which is what the networks see" },
    { name: "mean-image", method: meanImage },
    { name: "richardson-lucy", method: richardsonLucy },
    { name: "richardson-lucy-tv", method: richardsonLucyTv },
    { name: "wiener", method: wiener },
    { name: "supervised", method: supervised },
    {
      name: "cyclegan",
      method: cycleGan,
      // With it the generators stay at the identity: a blurred image is nearer to itself than to a sharp one.
      settings: { identity: 0 },
    },
    { name: "ot-cyclegan-non-blind", method: otCycleGanKnownPsf, settings: cycle },
    { name: "ot-cyclegan-blind", method: otCycleGanBlind },
    { name: "ot-cyclegan-half", method: otCycleGanHalf, settings: { gamma: 100 } },
    { name: "spectrum-matching", method: spectrumMatching },
  ],
  byName: [
    {
      name: "richardson-lucy-dark-borders",
      method: richardsonLucy,
      settings: { borders: "dark" },
      about:
        "Richardson and Lucy's deconvolution as common programs have it: all is dark outside of the field of view",
    },
    { name: "ot-cyclegan-non-blind-lsgan", method: otCycleGanPatchesLsgan },
    { name: "ot-cyclegan-blind-lsgan", method: otCycleGanBlindLsgan },
    {
      name: "ot-cyclegan-blind-free-kernel",
      method: otCycleGanBlind,
      settings: { kernelKind: "free", sparsity: 1, kernelRate: 1e-3 },
      about: "OT-cycleGAN with a value a pixel for a kernel, held by the paper's λ‖h‖₁ alone",
    },
  ],
  metrics: [
    ...quality,
    frcTruth({ threshold: "1/7" }),
    dataConsistency,
    kernelCorrelation,
    kernelCorrelationInitial,
    kernelRadius(),
    kernelRadius({ of: "truth" }),
    ssim("paper"),
  ],
  followed: [
    {
      id: "certificate",
      convention: "validation",
      unit: "",
      better: "lower",
      over: "mean",
      about:
        "½·ℓ_cycle of Proposition 3.1 in the Euclidean norm of the field of view, the camera’s noise included: mean over at most eight validation samples, images in units of brightness.",
    },
    {
      id: "critic-gradient",
      convention: "validation",
      unit: "",
      better: "neither",
      over: "max",
      about:
        "The critics’ largest gradient norm on the same validation samples; Proposition 3.1 needs at most 1 everywhere.",
    },
  ],
  files: ({ psf, measuredWith }) => [
    ...(psf === "" ? [] : [psf]),
    ...(isTiffName(measuredWith) ? [measuredWith] : []),
  ],
  keep: keepReconstructions,
  notes: [
    "widefield is the input's own score, and mean-image, the mean of the training images whatever was measured, a negative control.",
    "Scores are of the field of view; light from beyond it is in the measurement.",
    "supervised learns from images of x that are measured as the microscope is believed to be, the unpaired methods from images of x and measurements of y, which share no subject: where the microscope is another (measured-with), only they can notice.",
    "kernel-correlation needs kernel-radius and kernel-correlation-initial beside it: narrow kernels and broad ones are alike to begin with.",
  ],
};
