/** OT-cycleGAN with the first Wasserstein GAN's way to a Lipschitz critic: clipped weights. */

import type { Settings } from "../core/settings.ts";
import { certificate } from "./certificate.ts";
import { critic, criticSettings, criticStep } from "./critic.ts";
import { generator } from "./generator.ts";
import { clip, cycle, expectation, wasserstein, weighted } from "./losses.ts";
import type { Method } from "./method.ts";
import { cycleSettings } from "./ot_cyclegan.ts";
import { defineMethod } from "./training.ts";

const settings = {
  ...cycleSettings,
  ...criticSettings,
  clip: { default: 0.01, about: "bound on the absolute value of the critic's weights", min: 1e-9, max: 1e6 },
} satisfies Settings;

/**
 * `ot-cyclegan` with every weight of φ moved into [−c, c] after each of its updates, instead of the gradient
 * penalty: named in 000 (§3.4) after Arjovsky, Chintala & Bottou 2017 (arXiv:1701.07875, algorithm 1).
 *
 * That makes φ Lipschitz with some constant that depends on c and on the network, not with constant 1; the
 * instance norms of the critic undo the bound in all layers but the last. The original has RMSProp; here it is
 * Adam, as everywhere.
 */
export const otCycleGanClipping: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-clipping",
  about: "OT-cycleGAN, known operator, critic with clipped weights",
  source: "Sim et al. 2020 (arXiv:1909.12116), Table 1(c) and §3.4; Arjovsky et al. 2017 (arXiv:1701.07875)",
  effort: 2.1,
  settings,
  knows: { pairs: false, operator: "exactly" },

  networks: (set, { seenShape, imageShape }, rng) => {
    const φ = critic(set, imageShape, rng.stream("φ"));
    clip(φ, set.clip);
    return { G: generator(set, seenShape, imageShape, rng.stream("G")), φ };
  },

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
    { minimise: "critic", over: ["φ"], ...criticStep(set), after: ({ φ }) => clip(φ, set.clip) },
  ],

  reconstructs: "G",
  monitor: ({ G, φ }, batch) => certificate(G, φ, batch),
});
