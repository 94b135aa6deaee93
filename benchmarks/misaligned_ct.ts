/** Training on misaligned targets: the Wasserstein-loss study of Adler, Ringh, Öktem & Karlsson 2017. */

import { input } from "../baselines/input.ts";
import { totalVariation } from "../baselines/total_variation.ts";
import type { Settings } from "../core/settings.ts";
import { discs } from "../datasets/discs.ts";
import { keepReconstructions } from "../datasets/formats/reconstructions.ts";
import { primalDualL2 } from "../methods/primal_dual_l2.ts";
import { primalDualSinkhorn } from "../methods/primal_dual_sinkhorn.ts";
import { primalDualSinkhornAsPublished } from "../methods/primal_dual_sinkhorn_as_published.ts";
import { centroidError, edgeWidth, plateau } from "../metrics/disc_shape.ts";
import { psnrLabel, psnrObject } from "../metrics/psnr_misaligned.ts";
import { sparseViewCt, sparseViewCtSettings } from "../physics/sparse_view_ct.ts";
import { type Benchmark, commonSettings, smoke } from "./benchmark.ts";

/** The settings of {@linkcode misalignedCt}. */
export const misalignedCtSettings = {
  ...commonSettings,
  ...sparseViewCtSettings,
  updates: { ...commonSettings.updates, default: 600 },
  mirror: { ...commonSettings.mirror, default: false },
  trainSubjects: {
    default: 400,
    min: 2,
    whole: true,
    about: "objects to learn from; half of them are never drawn, since all methods know pairs",
  },
  validationSubjects: { default: 8, min: 1, whole: true, about: "objects for validation" },
  testSubjects: { default: 24, min: 1, whole: true, about: "objects to be scored" },
  slices: { default: 2, min: 1, whole: true, about: "pictures of a subject, each with discs of its own" },
  matrix: { default: 64, min: 16, max: 1024, whole: true, about: "side of the picture" },
  shift: {
    default: 5,
    min: 0,
    max: 10,
    about: "how far each disc of a label is out of place at the most, in pixels of a picture of 64",
  },
} as const satisfies Settings;

/** `deno task bench misaligned-ct`. */
export const misalignedCt: Benchmark<typeof misalignedCtSettings> = {
  name: "misaligned-ct",
  title: "Sparse-view CT, trained on misaligned targets",
  question:
    "Does a Wasserstein loss keep the shape of objects where training targets are out of place, and squared errors smear them?",
  settings: misalignedCtSettings,
  profiles: {
    smoke: {
      about: smoke.about,
      settings: {
        matrix: 32,
        views: 12,
        bins: 48,
        ...smoke.training,
        ...smoke.subjects,
        slices: 2,
      },
      seeds: "1",
      everyRow: true,
    },
    quick: {
      about: "Small images and networks, minutes on a laptop; orderings are stable.",
      seeds: "3",
    },
    check: {
      about: "300 updates, the fewest at which the orderings are stable: for deno task check.",
      settings: { updates: 300, testSubjects: 12, checks: 1, panels: 0 },
      // Seeds of the Sinkhorn loss lie 0.9 dB apart; it is 3.6 dB and more above L2.
      guards: { fbp: 0.3, "primal-dual-l2": 0.3, "primal-dual-sinkhorn": 2 },
      seeds: "6",
      baselineSeeds: "12",
    },
    paper: {
      about: "The sizes of Adler et al. 2017, §4: 512 x 512, 30 views of 727 lines, 20 000 steps; for a GPU.",
      settings: {
        matrix: 512,
        views: 30,
        bins: 727,
        updates: 20_000,
        checks: 20,
        trainSubjects: 40_000,
        validationSubjects: 20,
        testSubjects: 100,
        slices: 1,
      },
      methods: { iterations: 10, copies: 5, width: 32, recompute: true },
      rows: { "total-variation": { iterations: 500 } },
      seeds: "1",
    },
  },

  embedded: (set, stream) =>
    discs({
      subjects: set.trainSubjects + set.validationSubjects + set.testSubjects,
      parts: { validation: set.validationSubjects, test: set.testSubjects },
      slices: set.slices,
      matrix: set.matrix,
      shift: set.shift,
      stream,
    }),
  kinds: [],
  matrix: ({ matrix }) => matrix,
  acquisition: sparseViewCt,
  see: (y, A) => A.approximateInverse!(y) as ReturnType<Benchmark["see"]>,
  scale: () => 1,
  view: (image) => image,

  rows: [
    { name: "fbp", method: input, about: "filtered back-projection" },
    { name: "total-variation", method: totalVariation, tune: [0.001, 0.003, 0.01, 0.03] },
    { name: "primal-dual-l2", method: primalDualL2 },
    { name: "primal-dual-sinkhorn", method: primalDualSinkhorn },
    { name: "primal-dual-sinkhorn-as-published", method: primalDualSinkhornAsPublished },
  ],
  byName: [],
  metrics: [psnrObject, psnrLabel, plateau, edgeWidth, centroidError],
  followed: [],
  keep: keepReconstructions,
  notes: [
    "Objects are what was measured; labels are what training is shown: the same discs, each out of place by its own draw. A network that minimises the squared error learns the mean over all places, which is a smear: it wins psnr-label by construction, and psnr-object says what it costs.",
    "fbp and total-variation learn nothing, so misalignment cannot hurt them.",
  ],
};
