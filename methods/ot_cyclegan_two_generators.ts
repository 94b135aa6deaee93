/** OT-cycleGAN with an unknown operator and a free second network that is given noise. */

import type { Settings } from "../core/settings.ts";
import { twoWayCertificate } from "./certificate.ts";
import { penaltySettings } from "./critic.ts";
import { expectation, weighted } from "./losses.ts";
import type { Method } from "./method.ts";
import { defineMethod } from "./training.ts";
import { generatorsThenCritics, twoCycles, twoGenerators, twoGeneratorSettings } from "./two_generators.ts";
import { penalisedCritics, unknownOperator } from "./unknown_operator.ts";

const settings = { ...twoGeneratorSettings, ...penaltySettings } satisfies Settings;

/**
 * G and F minimise γ·(E |x − G(F(x))| + c·E |y − F(G(y))|) − a·E φ(G(y)) − E ψ(F(x)), and the critics, which have no
 * instance normalisation, maximise what they are in it.
 *
 * Between `ot-cyclegan-as-published` and `ot-cyclegan-unknown-operator`: F is a U-Net still, but random, with noise
 * that shows in its output, and what it cannot repeat of y weighs little (c 0.05). It serves to tell what F's few
 * parameters are worth.
 */
export const otCycleGanTwoGenerators: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-two-generators",
  about: "OT-cycleGAN, unknown operator, a free second generator that is given noise, WGAN-GP critics",
  source: "Sim et al. 2020 (arXiv:1909.12116), Table 1(d), with noise given to F",
  effort: 7,
  settings,
  ...unknownOperator,

  networks: (set, problem, rng) => twoGenerators(set, problem, rng),

  losses: {
    generators: (networks, scene, set) =>
      weighted(
        [set.gamma, twoCycles(networks, scene, set)],
        [-set.adversary, expectation(networks.φ, scene.fake.G)],
        [-1, expectation(networks.ψ, scene.fake.F)],
      ),
    critics: (networks, scene, set) =>
      weighted(
        [1, penalisedCritics.images(networks, scene, set)],
        [1, penalisedCritics.measurements(networks, scene, set)],
      ),
  },

  steps: (set) => generatorsThenCritics(set),

  monitor: ({ G, F, φ, ψ }, batch) =>
    twoWayCertificate({ G, F: (x) => F.apply(x, batch.random.normal), φ, ψ }, batch),
});
