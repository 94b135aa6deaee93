/** OT-cycleGAN with an unknown operator, its critics held by spectral normalisation instead of gradient penalties. */

import type { Settings } from "../core/settings.ts";
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
} satisfies Settings;

/**
 * `ot-cyclegan-unknown-operator` with every filter of φ and ψ divided by its spectral norm: named in 000 (§3.4) after Miyato
 * et al. 2018 (arXiv:1802.05957).
 *
 * The norm is the matrix's and not the convolution's, so the constant may exceed 1 (see `spectral_norm.ts`);
 * `critic-gradient` shows what it is.
 */
export const otCycleGanUnknownOperatorSpectralNorm: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-unknown-operator-spectral-norm",
  about:
    "OT-cycleGAN, unknown operator that adds noise of a learned spectrum, critics with spectral normalisation",
  source: "Sim et al. 2020 (arXiv:1909.12116), Table 1(d) and §3.4; Miyato et al. 2018 (arXiv:1802.05957)",
  effort: 2.7,
  settings,
  ...unknownOperator,

  networks: (set, problem, rng) => noisyNetworks(set, problem, rng, { spectral: true }),
  fit: fitGrowth,
  losses: { ...noisyLosses, ...plainCritics },
  steps: (set) => noisySteps(set),

  monitor: (networks, material) => noisyMonitor(networks, material),
  learned: ({ F }) => F.learned(),
});
