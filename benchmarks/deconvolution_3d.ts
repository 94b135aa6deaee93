/** Deconvolution of volumes: the question of Lim et al. 2020 in its own dimensions. */

import { centrePart } from "../core/image.ts";
import type { Settings } from "../core/settings.ts";
import { readyToDeconvolve } from "../datasets/blurred_stacks.ts";
import { volumeKinds } from "../datasets/kinds.ts";
import { microtubuleVolumes } from "../datasets/microtubules.ts";
import { wholeOf } from "../datasets/tiff_stacks.ts";
import { dataConsistency } from "../metrics/data_consistency.ts";
import { frcTruth } from "../metrics/frc.ts";
import { kernelCorrelation, kernelCorrelationInitial, kernelRadius } from "../metrics/kernel.ts";
import { psnr } from "../metrics/psnr.ts";
import { ssim } from "../metrics/ssim.ts";
import { microscope, usualPixelNm, volumeMicroscopeSettings } from "../physics/microscope.ts";
import { type Benchmark, commonSettings, smoke, type SubjectSettings, subjectSettings } from "./benchmark.ts";
import { deconvolution } from "./deconvolution.ts";
import { asMeasured, atWavelengths, wavelengthSettings } from "./wavelengths.ts";

const subjects: SubjectSettings = subjectSettings("volumes", 60);

/** The settings of {@linkcode deconvolution3d}. */
export const deconvolution3dSettings = {
  ...commonSettings,
  ...volumeMicroscopeSettings,
  ...wavelengthSettings,
  updates: { ...commonSettings.updates, default: 400 },
  ...subjects,
  matrix: {
    default: 32,
    min: 16,
    max: 256,
    whole: true,
    about: "side of the cubes that are learned from; what the camera sees of them is smaller by the margins",
  },
  cubes: {
    default: 1,
    min: 1,
    max: 64,
    whole: true,
    about:
      "cubes of an embedded volume along its height and its width, which has half as many along its depth",
  },
} as const satisfies Settings;

/** What networks are compared by at each wavelength, as in Lim et al.'s tables. */
const quality = [
  psnr("paper"),
  {
    ...ssim("wang2004", { range: "truth-maximum" }),
    about:
      "SSIM of each slice, 11 x 11 Gaussian window of σ 1.5, range of the volume’s truth; mean over slices.",
  },
];

/** `deno task bench deconvolution-3d`: rows and what is followed are those of `deconvolution`. */
export const deconvolution3d: Benchmark<typeof deconvolution3dSettings> = {
  name: "deconvolution-3d",
  title: "Deconvolution microscopy of volumes",
  question:
    "Can a network that sees sharp volumes, and blurred ones of other specimens, deconvolve as well as a supervised one, and measure the blur on the way?",
  settings: deconvolution3dSettings,
  profiles: {
    smoke: {
      about: smoke.about,
      settings: {
        matrix: 20,
        updates: 2,
        checks: 1,
        ...smoke.subjects,
      },
      methods: { width: 4, levels: 1, criticWidth: 4, criticLayers: 1 },
      seeds: "1",
      mostSamples: 4,
      everyRow: true,
    },
    quick: {
      about: "Small cubes and networks, minutes on a laptop: what runs, not what deep networks reach.",
      methods: { width: 4, levels: 2 },
      seeds: "3",
    },
    check: {
      about: "200 of quick’s 400 updates, without the rows that learn a kernel: for deno task check.",
      settings: { updates: 200, checks: 1, panels: 0 },
      methods: { width: 4, levels: 2 },
      // One seed in twelve is still far below the others after 200 updates (docs/check.md).
      guards: { widefield: 0.3, supervised: 2, "ot-cyclegan-non-blind": 1.5 },
      seeds: "6",
      baselineSeeds: "12",
    },
    paper: {
      about:
        "The schedule of Lim et al. 2020, §IV: 18 volumes in cubes of 64³, 200 epochs, the last 160 with a falling rate; for a GPU.",
      settings: {
        matrix: 64,
        cubes: 8,
        updates: 230_400,
        checks: 100,
        trainSubjects: 36,
        validationSubjects: 1,
        testSubjects: 10,
        psfSide: 11,
        psfDepth: 11,
        margin: 10,
        marginDepth: 10,
      },
      methods: { width: 32, levels: 3, criticWidth: 64, rate: 1e-4, criticRate: 1e-4, decayFrom: 0.2 },
      seeds: "1",
    },
  },

  embedded: (set, stream) =>
    microtubuleVolumes({
      subjects: set.trainSubjects + set.validationSubjects + set.testSubjects,
      parts: { validation: set.validationSubjects, test: set.testSubjects },
      matrix: set.matrix,
      volume: [Math.ceil(set.cubes / 2) * set.matrix, set.cubes * set.matrix, set.cubes * set.matrix],
      pixelNm: parseFloat(set.pixelNm) || usualPixelNm,
      stepNm: parseFloat(set.pixelNm.split(",")[1]) || undefined,
      stream,
    }),
  kinds: volumeKinds,
  complete: (stacks, set, stream) =>
    readyToDeconvolve(asMeasured(stacks, set), {
      side: set.matrix,
      margin: set.margin,
      marginDepth: set.marginDepth,
      images: (pixelNm) =>
        microtubuleVolumes({
          subjects: 1,
          matrix: set.matrix,
          volume: [set.matrix, 6 * set.matrix, 6 * set.matrix],
          pixelNm: pixelNm?.at(-1) ?? usualPixelNm,
          stepNm: pixelNm?.[0],
          stream,
        }),
    }),
  matrix: () => undefined,
  acquisition: (set, stream) => microscope(set, stream, wholeOf),
  see: deconvolution.see,
  field: deconvolution.field,
  scale: deconvolution.scale,
  view: (image, { margin, marginDepth }) => {
    const [depth, height, width] = image.shape;
    return centrePart(image, [depth - marginDepth, height - margin, width - margin]);
  },
  conditions: (set) => atWavelengths(set, quality),
  rows: deconvolution.rows,
  byName: deconvolution.byName,
  metrics: [
    ...quality,
    frcTruth({ threshold: "1/7", volumes: true }),
    dataConsistency,
    kernelCorrelation,
    kernelCorrelationInitial,
    kernelRadius(),
    kernelRadius({ of: "truth" }),
  ],
  followed: deconvolution.followed,
  files: deconvolution.files as Benchmark["files"],
  keep: deconvolution.keep,
  notes: deconvolution.notes,
};
