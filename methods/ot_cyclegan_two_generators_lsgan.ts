/** Two generators, of which the second is given noise, with the least-squares GAN of the standard cycleGAN. */

import type { Settings } from "../core/settings.ts";
import { leastSquares, leastSquaresCritic, weighted } from "./losses.ts";
import type { Method } from "./method.ts";
import { defineMethod } from "./training.ts";
import { generatorsThenCritics, twoCycles, twoGenerators, twoGeneratorSettings } from "./two_generators.ts";
import { unknownOperator } from "./unknown_operator.ts";

const settings = {
  ...twoGeneratorSettings,
  gamma: { ...twoGeneratorSettings.gamma, default: 30 },
  adversary: { ...twoGeneratorSettings.adversary, default: 1 },
} satisfies Settings;

/**
 * `ot-cyclegan-two-generators` with the losses of Mao et al. 2017 (arXiv:1611.04076): G and F minimise
 *
 *     γ·(E |x − G(F(x))| + c·E |y − F(G(y))|) + a·E (φ(G(y)) − 1)² + E (ψ(F(x)) − 1)²,
 *
 * φ minimises ½ E (φ(x) − 1)² + ½ E φ(G(y))², and ψ the same in Y. 000's duality does not cover it, so there is no
 * certificate.
 */
export const otCycleGanTwoGeneratorsLsgan: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-two-generators-lsgan",
  about: "two generators, unknown operator, a free second one that is given noise, least-squares GAN",
  source: "Sim et al. 2020 (arXiv:1909.12116), Table 1(d); GAN loss of Mao et al. 2017 (arXiv:1611.04076)",
  effort: 5,
  settings,
  ...unknownOperator,

  networks: (set, problem, rng) => twoGenerators(set, problem, rng),

  losses: {
    generators: (networks, scene, set) =>
      weighted(
        [set.gamma, twoCycles(networks, scene, set)],
        [set.adversary, leastSquares(networks.φ, scene.fake.G, 1)],
        [1, leastSquares(networks.ψ, scene.fake.F, 1)],
      ),
    critics: ({ φ, ψ }, { x, y, see, fake }) =>
      weighted([1, leastSquaresCritic(φ, x, fake.G)], [1, leastSquaresCritic(ψ, see(y), fake.F)]),
  },

  steps: (set) => generatorsThenCritics(set),
});
