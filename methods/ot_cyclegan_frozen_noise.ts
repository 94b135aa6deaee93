/** The cycle of images with white noise of a level that was guessed: what OT-cycleGAN's critics have to beat. */

import type { Settings } from "../core/settings.ts";
import type { Method } from "./method.ts";
import { defineMethod } from "./training.ts";
import {
  cycleSettings,
  generatorAndNoise,
  imageCycle,
  noiseMonitor,
  noiseSettings,
  unknownOperator,
} from "./unknown_operator.ts";

const { gamma: _, measurementCycle: __, adversary: ___, ...ofG } = cycleSettings;
const { noise, averaging } = noiseSettings;
const settings = { ...ofG, noise, averaging } satisfies Settings;

/**
 * min over G of E |x − G(F(x))|, F(x) being x and white noise of the same level everywhere: an ablation of `ot-cyclegan-unknown-operator`, in which F
 * stays as it starts and no measurement is ever looked at.
 */
export const otCycleGanFrozenNoise: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-frozen-noise",
  about: "a denoiser of white noise of a guessed level: OT-cycleGAN with F as it starts, without critics",
  source: "an ablation of Sim et al. 2020 (arXiv:1909.12116), Table 1(d): φ = ψ = 0, one cycle",
  effort: 1.1,
  settings,
  knows: unknownOperator.knows,
  reconstructs: unknownOperator.reconstructs,

  networks: (set, problem, rng) => generatorAndNoise(set, problem, rng),
  losses: { generator: (networks, scene) => imageCycle(networks, scene) },
  steps: (set) => [{ minimise: "generator", over: ["G"], rate: set.rate }],

  monitor: (networks, material) => noiseMonitor(networks, material),
});
