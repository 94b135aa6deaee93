/** A blur with which images have the spectrum of measurements, and a deconvolution of it: no adversary. */

import type { Settings } from "../core/settings.ts";
import { l1, l2 } from "../engine/ops.ts";
import { averaged, blind, blindCycleSettings, mixtureOf, startSettings } from "./blind.ts";
import { generator, generatorSettings } from "./generator.ts";
import { matchedShares } from "./kernel_spectrum.ts";
import { inField } from "./losses.ts";
import type { Method } from "./method.ts";
import { measuredWithNoise } from "./noisy_measurements.ts";
import { defineMethod, trainingSettings } from "./training.ts";

const { rate, loss } = blindCycleSettings;
const settings = {
  ...generatorSettings,
  ...trainingSettings,
  ...startSettings,
  rate,
  loss,
} satisfies Settings;

/**
 * min over G of E |x − G(h * x + n)|, n being the camera's noise, where h is a mixture of Gaussians with |ĥ|² PSD(x) + N = PSD(y), measured on unmatched images
 * and measurements before training (`kernel_spectrum.ts`).
 *
 * What `ot-cyclegan-blind` learns by a critic, without one: both have an h of this form. It is the rival that says what
 * transport and adversaries are worth where a blur is round, and it is no case of 000.
 */
export const spectrumMatching: Method<typeof settings> = defineMethod({
  name: "spectrum-matching",
  about:
    "deconvolution of a blur whose spectrum is what measurements lack of images: no pairs, and no adversary",
  source: "this suite; the forward model of ot-cyclegan-blind, its kernel measured instead of learned",
  effort: 1.2,
  settings,
  knows: blind.knows,
  reconstructs: blind.reconstructs,

  networks: (set, problem, rng) => ({
    G: generator(set, problem.seenShape, problem.imageShape, rng.stream("G")),
    h: mixtureOf(set, problem, "spectrum-matching"),
  }),
  async fit({ h }, images, measurements) {
    h.setShares(await matchedShares(images, measurements, h));
  },
  losses: {
    generator: ({ G, h }, scene, set) =>
      (set.loss === "l1" ? l1 : l2)(
        inField(scene, scene.x),
        inField(scene, G.apply(scene.see(measuredWithNoise(averaged(h, scene), scene)))),
      ),
  },
  steps: (set) => [{ minimise: "generator", over: ["G"], rate: set.rate }],

  learned: ({ h }) => h.learned(),
});
