/** OT-cycleGAN with an unknown operator, its critics held by clipped weights instead of gradient penalties. */

import type { Settings } from "../core/settings.ts";
import { clip } from "./losses.ts";
import type { Method } from "./method.ts";
import { defineMethod } from "./training.ts";
import {
  cycleSettings,
  fitGrowth,
  noiseCriticSettings,
  noiseSettings,
  noisyLosses,
  noisyMonitor,
  noisyNetworks,
  noisySteps,
  plainCritics,
  unknownOperator,
} from "./unknown_operator.ts";

const { penalty: _, ...noiseCritics } = noiseCriticSettings;
const settings = {
  ...cycleSettings,
  ...noiseSettings,
  ...noiseCritics,
  clip: { default: 0.1, about: "bound on the absolute value of the critics' weights", min: 1e-9, max: 1e6 },
} satisfies Settings;

/**
 * `ot-cyclegan-unknown-operator` with every weight of φ and ψ moved into [−c, c] after each of their updates: named in 000
 * (§3.4) after Arjovsky, Chintala & Bottou 2017 (arXiv:1701.07875, algorithm 1).
 *
 * That makes the critics Lipschitz with some constant that depends on c and on the network, not with constant 1;
 * `critic-gradient` shows what it is.
 */
export const otCycleGanUnknownOperatorClipping: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-unknown-operator-clipping",
  about: "OT-cycleGAN, unknown operator that adds noise of a learned spectrum, critics with clipped weights",
  source: "Sim et al. 2020 (arXiv:1909.12116), Table 1(d) and §3.4; Arjovsky et al. 2017 (arXiv:1701.07875)",
  effort: 2.5,
  settings,
  ...unknownOperator,

  networks: (set, problem, rng) => {
    const networks = noisyNetworks(set, problem, rng);
    for (const critic of [networks.φ, networks.ψ]) clip(critic, set.clip);
    return networks;
  },
  fit: fitGrowth,
  losses: { ...noisyLosses, ...plainCritics },
  steps: (set) => noisySteps(set, (critic) => clip(critic, set.clip)),

  monitor: (networks, material) => noisyMonitor(networks, material),
  learned: ({ F }) => F.learned(),
});
