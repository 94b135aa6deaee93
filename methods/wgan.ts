/** The Wasserstein GAN alone: images that look right, and nothing that ties them to their measurements. */

import type { Settings } from "../core/settings.ts";
import { critic, criticSettings, criticStep, penaltySettings } from "./critic.ts";
import { generator, generatorSettings } from "./generator.ts";
import { expectation, gradientPenalty, wasserstein, weighted } from "./losses.ts";
import type { Method } from "./method.ts";
import { defineMethod, trainingSettings } from "./training.ts";

const settings = {
  ...generatorSettings,
  ...criticSettings,
  ...penaltySettings,
  ...trainingSettings,
  criticRate: { ...criticSettings.criticRate, default: 1e-3 },
  criticUpdates: { ...criticSettings.criticUpdates, default: 3 },
  rate: { default: 2e-4, about: "learning rate of the generator", min: 0, max: 1 },
} satisfies Settings;

/**
 * min over Θ, max over 1-Lipschitz φ of E φ(x) − E φ(G_Θ(y)), with WGAN-GP (Gulrajani et al. 2017,
 * arXiv:1704.00028): `ot-cyclegan` without its cycle.
 *
 * Its rates are its own, since without a cycle to hold the generator those of `ot-cyclegan` lose the image
 * altogether (4 dB): 2e-4, and a critic at 1e-3 that is updated three times. Even so it ends below its input.
 */
export const wgan: Method<typeof settings> = defineMethod({
  name: "wgan",
  about: "Wasserstein GAN with gradient penalty, no cycle",
  source: "Gulrajani et al. 2017 (arXiv:1704.00028); an ablation of Sim et al. 2020 (arXiv:1909.12116)",
  effort: 2.3,
  settings,
  knows: { pairs: false, operator: "nothing" },

  networks: (set, { seenShape, imageShape, range }, rng) => ({
    G: generator(set, seenShape, imageShape, rng.stream("G"), range),
    φ: critic(set, imageShape, rng.stream("φ")),
  }),

  fakes: { G: (G, { y, see }) => G.apply(see(y)) },

  losses: {
    generator: ({ φ }, { fake }) => weighted([-1, expectation(φ, fake.G)]),
    critic: ({ φ }, { x, fake, random }, set) =>
      weighted(
        [1, wasserstein(φ, x, fake.G)],
        [set.penalty, gradientPenalty(φ, x, fake.G, random.uniform([x.shape[0], 1, 1, 1]))],
      ),
  },

  steps: (set) => [
    { minimise: "generator", over: ["G"], rate: set.rate },
    { minimise: "critic", over: ["φ"], ...criticStep(set) },
  ],

  reconstructs: "G",
});
