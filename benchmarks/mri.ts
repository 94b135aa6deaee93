/** Accelerated MRI with a known mask: the benchmark of Sim et al. 2020, §4.1. */

import { input } from "../baselines/input.ts";
import { meanImage } from "../baselines/mean_image.ts";
import { totalVariation } from "../baselines/total_variation.ts";
import { centreCrop, magnitude, standardDeviation } from "../core/image.ts";
import type { Settings } from "../core/settings.ts";
import { keepReconstructions } from "../datasets/formats/reconstructions.ts";
import { mriKinds } from "../datasets/kinds.ts";
import { phantoms } from "../datasets/phantoms.ts";
import { cycleGan } from "../methods/cyclegan.ts";
import { otCycleGan } from "../methods/ot_cyclegan.ts";
import { otCycleGanAsReleased } from "../methods/ot_cyclegan_as_released.ts";
import { otCycleGanClipping } from "../methods/ot_cyclegan_clipping.ts";
import { otCycleGanLsgan } from "../methods/ot_cyclegan_lsgan.ts";
import { otCycleGanNoAdversary } from "../methods/ot_cyclegan_no_adversary.ts";
import { otCycleGanSpectralNorm } from "../methods/ot_cyclegan_spectral_norm.ts";
import { supervised } from "../methods/supervised.ts";
import { wgan } from "../methods/wgan.ts";
import { dataConsistency, measuredSpaceError, nullSpaceError } from "../metrics/data_consistency.ts";
import { nmse } from "../metrics/nmse.ts";
import { psnr } from "../metrics/psnr.ts";
import { ssim } from "../metrics/ssim.ts";
import { cartesianMri, cartesianSettings } from "../physics/cartesian_mri.ts";
import { splitError } from "../physics/row_space.ts";
import { type Benchmark, commonSettings, smoke, type SubjectSettings, subjectSettings } from "./benchmark.ts";

const subjects: SubjectSettings = subjectSettings("phantoms");

/** The settings of {@linkcode mri}. */
export const mriSettings = {
  ...commonSettings,
  ...cartesianSettings,
  ...subjects,
  slices: { default: 4, min: 1, whole: true, about: "slices of an embedded phantom" },
  matrix: {
    default: 64,
    min: 0,
    max: 1024,
    whole: true,
    about: "side of the square matrix that images are brought to in k-space; 0 leaves files as they are",
  },
} as const satisfies Settings;

/** `deno task bench mri`. */
export const mri: Benchmark<typeof mriSettings> = {
  name: "mri",
  title: "Accelerated MRI, known sampling mask",
  question:
    "Can a network that never sees a matched pair reconstruct undersampled MRI as well as a supervised one, when the mask is known?",
  settings: mriSettings,
  profiles: {
    smoke: {
      about: smoke.about,
      settings: {
        matrix: 32,
        ...smoke.training,
        ...smoke.subjects,
        slices: 2,
      },
      methods: { width: 4, levels: 2, criticWidth: 4, criticLayers: 2 },
      seeds: "1",
      everyRow: true,
    },
    quick: {
      about: "Small images and networks, minutes on a laptop; orderings are stable.",
      seeds: "3",
    },
    check: {
      about: "800 updates, the fewest at which the orderings are stable: for deno task check.",
      settings: { updates: 800, checks: 1, panels: 0 },
      guards: { "zero-filled": 0.3, "total-variation": 0.3, supervised: 0.3, "ot-cyclegan": 0.3 },
      seeds: "6",
      baselineSeeds: "24",
    },
    paper: {
      about: "The sizes and schedules of Sim et al. 2020, §4.1: 100 epochs of 3000 slices; for a GPU.",
      settings: {
        matrix: 0,
        acs: 0.04,
        updates: 300_000,
        checks: 100,
        mirror: false,
        // Half of them give images, half measurements: 3000 slices of each.
        trainSubjects: 400,
        validationSubjects: 20,
        testSubjects: 34,
        slices: 15,
      },
      methods: {
        width: 64,
        levels: 4,
        criticWidth: 64,
        rate: 1e-4,
        criticRate: 1e-4,
        criticUpdates: 5,
        freshCriticBatches: true,
        residual: false,
        poolKind: "max",
        decayFrom: 1,
      },
      rows: {
        // Zhu et al. 2017: constant for half of the epochs, then linear to 0, one critic update.
        cyclegan: {
          rate: 2e-4,
          criticRate: 2e-4,
          beta2: 0.999,
          decayFrom: 0.5,
          criticUpdates: 1,
          freshCriticBatches: false,
        },
        // The released code's critics all see the generator's batch.
        "ot-cyclegan-as-released": { freshCriticBatches: false },
      },
      seeds: "1",
    },
  },

  embedded: (set, stream) =>
    phantoms({
      subjects: set.trainSubjects + set.validationSubjects + set.testSubjects,
      parts: { validation: set.validationSubjects, test: set.testSubjects },
      slices: set.slices,
      matrix: set.matrix || 320,
      stream,
    }),
  kinds: mriKinds,
  matrix: ({ matrix }) => matrix || undefined,
  acquisition: cartesianMri,
  see: (y, A) => A.adjoint(y) as ReturnType<Benchmark["see"]>,
  scale: (seen) => standardDeviation(magnitude(seen).data),
  view: (image, _settings, like) =>
    centreCrop(magnitude(image), like?.shape[0] ?? image.shape[0], like?.shape[1] ?? image.shape[1]),

  rows: [
    { name: "zero-filled", method: input, about: "the zero-filled image, which is what the networks see" },
    { name: "mean-image", method: meanImage },
    { name: "total-variation", method: totalVariation },
    { name: "supervised", method: supervised },
    { name: "cyclegan", method: cycleGan },
    { name: "wgan", method: wgan },
    { name: "ot-cyclegan", method: otCycleGan },
    { name: "ot-cyclegan-no-adversary", method: otCycleGanNoAdversary },
  ],
  byName: [
    { name: "ot-cyclegan-clipping", method: otCycleGanClipping },
    { name: "ot-cyclegan-spectral-norm", method: otCycleGanSpectralNorm },
    { name: "ot-cyclegan-lsgan", method: otCycleGanLsgan },
    { name: "ot-cyclegan-as-released", method: otCycleGanAsReleased },
  ],
  metrics: [
    psnr("fastmri"),
    ssim("fastmri"),
    nmse("fastmri"),
    psnr("paper"),
    ssim("paper"),
    ssim("wang2004", { range: "truth-maximum" }),
    dataConsistency,
    nullSpaceError,
    measuredSpaceError,
  ],
  followed: [
    {
      id: "certificate",
      convention: "validation",
      unit: "",
      better: "lower",
      over: "mean",
      about:
        "½·ℓ_cycle of Proposition 3.1 in the Euclidean norm of an image, which the critic’s gradient is measured in: mean over at most eight validation samples, images in units of their scale.",
    },
    {
      id: "critic-gradient",
      convention: "validation",
      unit: "",
      better: "neither",
      over: "max",
      about:
        "The critic’s largest gradient norm ‖∇φ‖₂ on the same validation samples; Proposition 3.1 needs at most 1 everywhere.",
    },
  ],
  splitError,
  keep: keepReconstructions,
  notes: [
    "zero-filled is the input's own score, and mean-image, the mean of the training images whatever was measured, a negative control: " +
    "a method that does not clearly beat both has not reconstructed the subject. Where subjects are aligned to one template, mean-image is strong.",
    "supervised learns from matched pairs of the subjects of x; the unpaired methods see images of x and measurements of y, which share no subject.",
  ],
};
