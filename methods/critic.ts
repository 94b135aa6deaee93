/** The critics' settings, and the critic that they describe. */

import type { Rng } from "../core/random.ts";
import type { Settings, Values } from "../core/settings.ts";
import type { Shape } from "../physics/operator.ts";
import type { generatorSettings } from "./generator.ts";
import { dimensionsOf, initialisations, initialiser, type Network } from "./networks/network.ts";
import { patchCritic } from "./networks/patch_critic.ts";
import { type Critics, criticsOfPatches } from "./networks/patch_sizes.ts";

/** Settings of a critic and of its updates. */
export const criticSettings = {
  criticWidth: {
    default: 8,
    about: "channels after the critic's first layer",
    min: 1,
    max: 1024,
    whole: true,
  },
  criticLayers: {
    default: 3,
    about: "how many times the critic halves the image",
    min: 0,
    max: 8,
    whole: true,
  },
  criticNorm: { default: true, about: "whether the critic's inner layers have instance normalisation" },
  criticInitialisation: {
    default: "he",
    choices: initialisations,
    about:
      "deviation of the critic's initial weights; small ones turn faster, and a critic that is quick early misleads",
  },
  criticRate: { default: 2e-4, about: "learning rate of the critics", min: 0, max: 1 },
  criticUpdates: {
    default: 1,
    about: "critic updates an update of the generator",
    min: 1,
    max: 100,
    whole: true,
  },
  freshCriticBatches: {
    default: false,
    about: "whether each critic update draws its own batch instead of sharing the generator's",
  },
} satisfies Settings;

/** The setting of a gradient penalty. */
export const penaltySettings = {
  penalty: { default: 10, about: "weight of the critic's gradient penalty", min: 0, max: 1e6 },
} satisfies Settings;

/** A critic of images or volumes of this shape. */
export function critic(
  set:
    & Pick<
      Values<typeof criticSettings>,
      "criticWidth" | "criticLayers" | "criticNorm" | "criticInitialisation"
    >
    & Pick<Values<typeof generatorSettings>, "slope">,
  shape: Shape,
  rng: Rng,
  options: { readonly spectral?: boolean } = {},
): Network {
  return patchCritic({
    dimensions: dimensionsOf(shape),
    channels: shape[shape.length - 1],
    width: set.criticWidth,
    layers: set.criticLayers,
    norm: set.criticNorm,
    slope: set.slope,
    initialise: initialiser(set.criticInitialisation, set.slope),
    ...options,
  }, rng);
}

/** Critics of patches of three sizes, the smaller of which have as many layers fewer as they were halved more often. */
export function patchCritics(set: Parameters<typeof critic>[0], shape: Shape, rng: Rng): Critics {
  return criticsOfPatches((name, halvings) =>
    critic({ ...set, criticLayers: Math.max(1, set.criticLayers - halvings) }, shape, rng.stream(name))
  );
}

/** How critics are stepped, as the settings say: to be spread into a step. */
export function criticStep(
  set: Values<typeof criticSettings>,
): { readonly rate: number; readonly times: number; readonly batch: "same" | "fresh" } {
  return {
    rate: set.criticRate,
    times: set.criticUpdates,
    batch: set.freshCriticBatches ? "fresh" : "same",
  };
}
