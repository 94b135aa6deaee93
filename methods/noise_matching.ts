/** Noise of the spectrum that measurements have beyond that of images, and a denoiser of it: no adversary. */

import type { Settings } from "../core/settings.ts";
import type { Method } from "./method.ts";
import { matchedNoise } from "./noise_spectrum.ts";
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
 * min over G of E |x − G(F(x))|, where F adds noise with PSD(F(x)) = PSD(y), measured on unmatched images and
 * measurements before training (`noise_spectrum.ts`).
 *
 * What `ot-cyclegan-unknown-operator` learns by a critic, without one: both have an F of this form. It is the rival that says
 * what transport and adversaries are worth where noise is additive and of one spectrum, and it is no case of 000: there is no
 * ψ, and so no certificate.
 */
export const noiseMatching: Method<typeof settings> = defineMethod({
  name: "noise-matching",
  about:
    "a denoiser of noise whose spectrum is what measurements have beyond images: no pairs, and no adversary",
  source:
    "this suite; the forward model of ot-cyclegan-unknown-operator, its spectrum measured instead of learned",
  effort: 1.1,
  settings,
  knows: unknownOperator.knows,
  reconstructs: unknownOperator.reconstructs,

  networks: (set, problem, rng) => generatorAndNoise(set, problem, rng),
  async fit({ F }, images, measurements) {
    const { deviations, growth } = await matchedNoise(images, measurements, F);
    F.setGrowth(growth);
    F.setDeviations(deviations);
  },
  losses: { generator: (networks, scene) => imageCycle(networks, scene) },
  steps: (set) => [{ minimise: "generator", over: ["G"], rate: set.rate }],

  monitor: (networks, material) => noiseMonitor(networks, material),
  learned: ({ F }) => F.learned(),
});
