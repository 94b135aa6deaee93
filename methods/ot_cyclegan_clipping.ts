/** OT-cycleGAN with the first Wasserstein GAN's way to a Lipschitz critic: clipped weights. */

import type { Settings } from "../core/settings.ts";
import { certificate } from "./certificate.ts";
import { criticSettings } from "./critic.ts";
import {
  cycleSettings,
  generatorAndCritic,
  generatorThenCritic,
  knownOperator,
  transportLoss,
} from "./known_operator.ts";
import { clip, wasserstein } from "./losses.ts";
import type { Method } from "./method.ts";
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
  ...knownOperator,

  networks: (set, problem, rng) => {
    const networks = generatorAndCritic(set, problem, rng);
    clip(networks.φ, set.clip);
    return networks;
  },

  losses: {
    generator: transportLoss,
    critic: ({ φ }, { x, fake }) => wasserstein(φ, x, fake.G),
  },

  steps: (set) => generatorThenCritic(set, { after: ({ φ }) => clip(φ, set.clip) }),
  monitor: ({ G, φ }, batch) => certificate(G, φ, batch),
});
