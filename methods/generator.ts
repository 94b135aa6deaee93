/** The generator: one U-Net with one set of settings for every method, so that methods differ in how it is trained. */

import type { Rng } from "../core/random.ts";
import type { Settings, Values } from "../core/settings.ts";
import type { Shape } from "../physics/operator.ts";
import { fanIn, he, type Initialiser, type Network, normal } from "./networks/network.ts";
import { unet } from "./networks/unet.ts";

/** How filters can be initialised. */
export const initialisationSettings = {
  initialisation: {
    // Measured on the phantoms at 1200 updates: He's rule starts the residual far from zero and costs OT-cycleGAN 1.7 dB.
    default: "normal",
    choices: ["normal", "he"],
    about: "initial weights: N(0, 0.02²) as Zhu et al., or He's rule",
  },
} satisfies Settings;

/** The generator's settings. */
export const generatorSettings = {
  width: { default: 8, about: "channels of the U-Net's first level", min: 1, max: 1024, whole: true },
  levels: { default: 3, about: "how many times the U-Net halves the image", min: 0, max: 8, whole: true },
  poolKind: { default: "average", choices: ["average", "max"], about: "how the U-Net halves the image" },
  residual: { default: true, about: "whether the U-Net's output is a correction to its input" },
  slope: { default: 0.2, about: "slope below 0 of the leaky ReLUs; 0 makes them ReLUs", min: 0, max: 1 },
  ...initialisationSettings,
  lastScale: {
    default: 0.1,
    about:
      "factor on the initial weights of the U-Net's last layer; small ones start it near its input if residual",
    min: 0,
    max: 100,
  },
} satisfies Settings;

/** A generator from images of one shape to images of another, which differ in no more than their channels. */
export function generator(
  set: Values<typeof generatorSettings>,
  from: Shape,
  to: Shape,
  rng: Rng,
): Network {
  return unet({
    inputChannels: from[2],
    outputChannels: to[2],
    width: set.width,
    levels: set.levels,
    pool: set.poolKind === "max" ? "max" : "average",
    residual: set.residual,
    slope: set.slope,
    initialise: initialiser(set),
    lastScale: set.lastScale,
  }, rng);
}

/** The initialiser that the settings name. */
export function initialiser(
  set: Values<typeof initialisationSettings> & { readonly slope: number },
): Initialiser {
  switch (set.initialisation) {
    case "he":
      return he(set.slope);
    case "normal":
      return normal(0.02);
    default:
      return fanIn();
  }
}
