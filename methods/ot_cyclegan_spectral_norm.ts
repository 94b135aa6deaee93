/** OT-cycleGAN with spectral normalisation instead of a gradient penalty. */

import type { Settings } from "../core/settings.ts";
import { certificate } from "./certificate.ts";
import { critic, criticSettings, criticStep } from "./critic.ts";
import { generator } from "./generator.ts";
import { cycle, expectation, wasserstein, weighted } from "./losses.ts";
import type { Method } from "./method.ts";
import { cycleSettings } from "./ot_cyclegan.ts";
import { defineMethod } from "./training.ts";

const settings = {
  ...cycleSettings,
  ...criticSettings,
  criticNorm: { ...criticSettings.criticNorm, default: false },
} satisfies Settings;

/**
 * `ot-cyclegan` with every filter of φ divided by its spectral norm instead of the gradient penalty: named in
 * 000 (§3.4) after Miyato et al. 2018 (arXiv:1802.05957).
 *
 * The critic has no instance norm unless it is asked for (`criticNorm`), since dividing by an image's own
 * deviation would undo the bound. The norm is the matrix's and not the convolution's, so the constant may
 * exceed 1 (see `spectral_norm.ts`); `critic-gradient` shows what it is.
 */
export const otCycleGanSpectralNorm: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-spectral-norm",
  about: "OT-cycleGAN, known operator, critic with spectral normalisation",
  source: "Sim et al. 2020 (arXiv:1909.12116), Table 1(c) and §3.4; Miyato et al. 2018 (arXiv:1802.05957)",
  effort: 2.3,
  settings,
  knows: { pairs: false, operator: "exactly" },

  networks: (set, { seenShape, imageShape }, rng) => ({
    G: generator(set, seenShape, imageShape, rng.stream("G")),
    φ: critic(set, imageShape, rng.stream("φ"), { spectral: true }),
  }),

  fakes: { G: (G, { y, see }) => G.apply(see(y)) },

  losses: {
    generator: ({ G, φ }, { x, y, A, see, fake }, set) =>
      weighted(
        [set.gamma, cycle(x, G.apply(see(A.forward(x))), y, A.forward(fake.G))],
        [-1, expectation(φ, fake.G)],
      ),
    critic: ({ φ }, { x, fake }) => wasserstein(φ, x, fake.G),
  },

  steps: (set) => [
    { minimise: "generator", over: ["G"], rate: set.rate },
    { minimise: "critic", over: ["φ"], ...criticStep(set) },
  ],

  reconstructs: "G",
  monitor: ({ G, φ }, batch) => certificate(G, φ, batch),
});
