/** Single-molecule localisation microscopy: the benchmark of Sim et al. 2020, §4.2. */

import { approximateInverse } from "../baselines/approximate_inverse.ts";
import { falcon } from "../baselines/falcon.ts";
import { localMaxima } from "../baselines/local_maxima.ts";
import { peakFit } from "../baselines/peak_fit.ts";
import { randomPoints } from "../baselines/random_points.ts";
import { centreCrop, scaled } from "../core/image.ts";
import type { Overrides, Settings } from "../core/settings.ts";
import { blinking } from "../datasets/blinking.ts";
import { readyToLearn, sharpSources } from "../datasets/emitter_stacks.ts";
import { keepTiff } from "../datasets/formats/tiff_reconstructions.ts";
import { frameKinds } from "../datasets/kinds.ts";
import { cycleGan } from "../methods/cyclegan.ts";
import { otCycleGanBlind } from "../methods/ot_cyclegan_blind.ts";
import { otCycleGanBlindGaussian } from "../methods/ot_cyclegan_blind_gaussian.ts";
import { otCycleGanKnownPsf } from "../methods/ot_cyclegan_known_psf.ts";
import { supervised } from "../methods/supervised.ts";
import { densityCorrelation } from "../metrics/correlation.ts";
import { dataConsistency } from "../metrics/data_consistency.ts";
import { FrameAverage } from "../metrics/frame_average.ts";
import { frcHalves, frcTruth } from "../metrics/frc.ts";
import { kernelCorrelation, kernelCorrelationInitial, kernelRadius } from "../metrics/kernel.ts";
import { localisationMetrics } from "../metrics/localisation.ts";
import {
  localisationMicroscopy,
  localisationSettings,
  usualPixelNm,
} from "../physics/localisation_microscopy.ts";
import { seenFinely } from "../physics/super_resolution.ts";
import { type Benchmark, commonSettings, smoke } from "./benchmark.ts";
import { deepStormOnFalcon } from "./deep_storm_falcon.ts";

/** The settings of {@linkcode smlm}. */
export const smlmSettings = {
  ...commonSettings,
  ...localisationSettings,
  updates: { ...commonSettings.updates, default: 1500 },
  // A frame whose emitters are known, or that a camera took, cannot be mirrored.
  mirror: { ...commonSettings.mirror, default: false },
  density: { default: 2, min: 1e-3, max: 1e3, about: "emitters that shine in a simulated frame, per µm²" },
  trainFrames: {
    default: 400,
    min: 1,
    whole: true,
    about: "simulated frames of random emitters to learn from, and as many of filaments",
  },
  trainSize: {
    default: 16,
    min: 8,
    whole: true,
    about: "side in camera pixels of what is learned from: of simulated frames, and of the tiles of stacks",
  },
  size: { default: 32, min: 8, whole: true, about: "side of the simulated fields that are scored" },
  frames: { default: 40, min: 2, whole: true, about: "simulated frames of a field" },
  validationFields: { default: 2, min: 1, whole: true, about: "simulated fields for validation" },
  testFields: { default: 10, min: 1, whole: true, about: "simulated fields to be scored" },
  sharp: {
    default: "random",
    choices: sharpSources,
    about:
      "where a stack's images to learn from come from: random emitters, or the truth of a stack that is named train_…",
  },
  leastDensity: {
    default: 1,
    min: 1e-3,
    max: 1e3,
    about: "least density of random emitters for stacks, per µm²",
  },
  mostDensity: { default: 25, min: 1e-3, max: 1e3, about: "greatest density of random emitters for stacks" },
  // Of 0.2 to 2, by the Jaccard index on validation frames of deep-storm: 0.6 to 1.25 are alike, simulated and real.
  least: {
    default: 0.8,
    min: 0,
    max: 100,
    about:
      "light of the faintest emitter that is read out of a network's image, over three by three pixels; a typical one has 5",
  },
} as const satisfies Settings;

/**
 * A generator of few bright spots: normalisation would hide how bright they are, and a correction to the frame keeps its blur.
 * Without normalisation, smaller initial weights than He's let nothing through.
 */
const spots: Overrides = {
  norm: false,
  residual: false,
  initialisation: "he",
  lastScale: 0.3,
  rectified: true,
};

/** `deno task bench smlm`. */
export const smlm: Benchmark<typeof smlmSettings> = {
  name: "smlm",
  title: "Localisation microscopy, 4x finer",
  question:
    "Can a network that never sees a frame beside its emitters, nor the microscope's point spread function, show where emitters are as well as a supervised one?",
  settings: smlmSettings,
  profiles: {
    smoke: {
      about: smoke.about,
      settings: {
        ...smoke.training,
        trainFrames: 8,
        size: 16,
        frames: 3,
        validationFields: 1,
        testFields: 2,
      },
      methods: { width: 4, levels: 2, criticWidth: 4, criticLayers: 2 },
      seeds: "1",
      mostSamples: 4,
      everyRow: true,
    },
    quick: {
      about: "Small frames and networks, minutes on a laptop; orderings are stable.",
      seeds: "3",
    },
    check: {
      about: "1000 updates, the fewest tried at which the orderings are stable: for deno task check.",
      settings: { updates: 1000, testFields: 4, checks: 1, panels: 0 },
      guards: { widefield: 0.01, "peak-fit": 0.01, "deep-storm": 0.01, "ot-cyclegan-blind": 0.01 },
      seeds: "6",
      baselineSeeds: "12",
    },
    paper: {
      about:
        "The budget of Sim et al. 2020, §4.2: 1800 frames, 50 epochs, a U-Net of up to 300 channels; for a GPU.",
      settings: { updates: 90_000, checks: 100, trainFrames: 1800, trainSize: 32, size: 64, frames: 500 },
      methods: { width: 36, levels: 3, criticWidth: 64 },
      seeds: "1",
    },
  },

  embedded: (set, stream) =>
    blinking({
      trainSize: set.trainSize,
      trainFrames: set.trainFrames,
      size: set.size,
      frames: set.frames,
      validationFields: set.validationFields,
      testFields: set.testFields,
      density: set.density,
      pixelNm: Number(set.pixelNm) || usualPixelNm,
      factor: set.factor,
      reach: set.reach,
      stream,
    }),
  kinds: frameKinds,
  complete: (stacks, set, stream) =>
    readyToLearn(stacks, {
      tile: set.trainSize,
      sharp: set.sharp,
      images: set.trainFrames,
      densities: [set.leastDensity, set.mostDensity],
      pixelNm: Number(set.pixelNm) || usualPixelNm,
      psfSigmaNm: set.psfSigmaNm,
      factor: set.factor,
      reach: set.reach,
      stream,
    }),
  matrix: () => undefined,
  acquisition: localisationMicroscopy,
  see: seenFinely,
  // As much light as the frame has.
  asImage: (seen, { factor }) => scaled(seen, 1 / factor ** 2),
  scale: () => 1,
  view: (image, { reach, factor }) => {
    const [height, width] = image.shape.map((side) => side - 2 * reach * factor);
    return centreCrop(image, height, width);
  },
  combine: () => new FrameAverage(),
  locate: ({ reconstruction, pixelNm }, { least }) =>
    pixelNm && localMaxima(reconstruction, { pixelNm: pixelNm[1], threshold: least }),

  rows: [
    {
      name: "widefield",
      method: approximateInverse,
      about: "the average of the frames, their light spread over finer pixels: what the networks see",
    },
    { name: "random-points", method: randomPoints },
    { name: "peak-fit", method: peakFit },
    { name: "falcon", method: falcon },
    {
      name: "deep-storm",
      method: supervised,
      settings: { ...spots, loss: "l2" },
      about: "Deep-STORM: a U-Net trained on simulated frames beside their emitters",
    },
    { name: "cyclegan", method: cycleGan, settings: spots },
    { name: "ot-cyclegan-known-psf", method: otCycleGanKnownPsf, settings: spots },
    { name: "ot-cyclegan-blind", method: otCycleGanBlindGaussian, settings: spots },
  ],
  byName: [
    { name: "deep-storm-falcon", method: deepStormOnFalcon, settings: { ...spots, loss: "l2" } },
    {
      name: "ot-cyclegan-blind-free-kernel",
      method: otCycleGanBlind,
      settings: {
        ...spots,
        kernelKind: "softmax",
        startSigma: 3,
        kernelRate: 3e-3,
        loss: "l2",
        gamma: 400,
        measurementCycle: 0.1,
        adversary: 0.1,
      },
      about:
        "ot-cyclegan-blind whose kernel has a value a pixel, as in the paper, none negative and of sum 1",
    },
  ],
  metrics: [
    densityCorrelation,
    frcTruth({ threshold: "1/7" }),
    frcHalves({ threshold: "1/7" }),
    ...localisationMetrics(250),
    ...localisationMetrics(50),
    dataConsistency,
    kernelCorrelation,
    kernelCorrelationInitial,
    kernelRadius(),
    kernelRadius({ of: "truth" }),
  ],
  followed: [
    {
      id: "kernel-sigma",
      convention: "learned",
      unit: "px",
      better: "neither",
      over: "mean",
      about: "Standard deviation of the Gaussian that was learned, in pixels of the image.",
    },
    {
      id: "kernel-gain",
      convention: "learned",
      unit: "",
      better: "neither",
      over: "mean",
      about: "Sum of the Gaussian that was learned; 1 where images are as bright as what was measured.",
    },
  ],
  keep: keepTiff,
  notes: [
    "widefield is the input's own score, and random-points a control: points drawn at random by the light of the frame. Where emitters lie closer than 250 nm a tolerance of as much says nothing, which is why 50 nm stands beside it.",
    "deep-storm learns from simulations of the microscope as it is believed to be; the other networks learn from frames of y and from images of emitters of x, which share no subject.",
    "frc-halves has no value for networks: what both halves share by learning would count as resolution.",
  ],
};
