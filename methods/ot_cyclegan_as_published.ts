/** OT-cycleGAN with an unknown operator as its paper has it: two free generators and two critics. */

import type { Settings } from "../core/settings.ts";
import { twoWayCertificate } from "./certificate.ts";
import { critic, criticSettings, criticStep, penaltySettings } from "./critic.ts";
import { generator } from "./generator.ts";
import { cycle, expectation, weighted } from "./losses.ts";
import type { Method } from "./method.ts";
import { defineMethod } from "./training.ts";
import { cycleSettings, penalisedCritics, unknownOperator } from "./unknown_operator.ts";

const { measurementCycle: _, adversary: __, ...ofBoth } = cycleSettings;
const settings = {
  ...ofBoth,
  gamma: { ...cycleSettings.gamma, default: 100 },
  ...criticSettings,
  ...penaltySettings,
} satisfies Settings;

/**
 * min over G and F, max over 1-Lipschitz φ and ψ of γ·ℓ_cycle + ℓ_disc, with
 *
 *     ℓ_cycle = E |x − G(F(x))| + E |y − F(G(y))|
 *     ℓ_disc  = E φ(x) − E φ(G(y)) + E ψ(y) − E ψ(F(x))
 *
 * Sim, Oh, Kim, Jung & Ye 2020 (arXiv:1909.12116): eq. 30 in the case of Table 1(d), with the networks of §4.3: two U-Nets
 * with three poolings and two PatchGANs, both with instance normalisation, held near 1-Lipschitz by gradient penalties.
 *
 * F makes no noise of its own, so it cannot make what measurements have: it, and critics that do not see the level of
 * noise through their normalisation, are why this ends at its input: both generators learn to change nothing.
 *
 * The paper does not say γ, rates, or how often critics are updated. The defaults are those that serve the variant with
 * a known operator: γ 100 on mean absolute values, `rate` 2e-3, `criticRate` 2e-4, one critic update; residual
 * generators, which start near the identity; leaky ReLU of slope 0.2 for ReLU (`--set slope=0` has the paper's).
 */
export const otCycleGanAsPublished: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-as-published",
  about: "OT-cycleGAN, unknown operator, two free generators, WGAN-GP critics with instance normalisation",
  source: "Sim et al. 2020 (arXiv:1909.12116), §4.3, Table 1(d), eq. 30 and 39",
  effort: 7,
  settings,
  knows: unknownOperator.knows,
  reconstructs: unknownOperator.reconstructs,

  networks: (set, { seenShape, imageShape, range }, rng) => ({
    G: generator(set, seenShape, imageShape, rng.stream("G"), range),
    F: generator(set, imageShape, seenShape, rng.stream("F"), range),
    φ: critic(set, imageShape, rng.stream("φ")),
    ψ: critic(set, seenShape, rng.stream("ψ")),
  }),

  fakes: {
    G: (G, { y, see }) => G.apply(see(y)),
    F: (F, { x }) => F.apply(x),
  },

  losses: {
    generators: ({ G, F, φ, ψ }, { x, y, see, fake }, set) =>
      weighted(
        [set.gamma, cycle(x, G.apply(fake.F), see(y), F.apply(fake.G))],
        [-1, expectation(φ, fake.G)],
        [-1, expectation(ψ, fake.F)],
      ),
    critics: (networks, scene, set) =>
      weighted(
        [1, penalisedCritics.images(networks, scene, set)],
        [1, penalisedCritics.measurements(networks, scene, set)],
      ),
  },

  steps: (set) => [
    { minimise: "generators", over: ["G", "F"], rate: set.rate },
    { minimise: "critics", over: ["φ", "ψ"], ...criticStep(set) },
  ],

  monitor: ({ G, F, φ, ψ }, batch) => twoWayCertificate({ G, F: (x) => F.apply(x), φ, ψ }, batch),
});
