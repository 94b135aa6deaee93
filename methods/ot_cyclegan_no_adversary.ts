/** OT-cycleGAN without its critic: what the cycle and the physics do alone. */

import { cycleTerms } from "./certificate.ts";
import { generator } from "./generator.ts";
import { cycleLoss, cycleSettings, knownOperator } from "./known_operator.ts";
import { weighted } from "./losses.ts";
import type { Method } from "./method.ts";
import { defineMethod } from "./training.ts";

/**
 * min over Θ of γ·(E |x − G_Θ(Ax)| + E |y − A G_Θ(y)|): an ablation of `ot-cyclegan`.
 *
 * Nothing compares G(y) with images, so outside what A measures only the first term, which is supervised
 * learning on simulated measurements of the X domain, says what to put there.
 */
export const otCycleGanNoAdversary: Method<typeof cycleSettings> = defineMethod({
  name: "ot-cyclegan-no-adversary",
  about: "OT-cycleGAN with its cycle only",
  source: "an ablation of Sim et al. 2020 (arXiv:1909.12116), Table 1(c): φ = 0",
  effort: 1.8,
  settings: cycleSettings,
  ...knownOperator,

  networks: (set, { seenShape, imageShape }, rng) => ({
    G: generator(set, seenShape, imageShape, rng.stream("G")),
  }),

  losses: {
    generator: (networks, scene, set) => weighted([set.gamma, cycleLoss(networks, scene)]),
  },

  steps: (set) => [{ minimise: "generator", over: ["G"], rate: set.rate }],

  monitor: ({ G }, batch) => cycleTerms(G, batch),
});
