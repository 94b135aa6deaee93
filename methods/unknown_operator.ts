/** What the OT-cycleGANs with an unknown operator share: Sim et al. 2020 (arXiv:1909.12116), Table 1(d). */

import type { Image } from "../core/image.ts";
import type { Rng } from "../core/random.ts";
import type { Settings, Values } from "../core/settings.ts";
import { l1 } from "../engine/ops.ts";
import type { Scalar, Tensor4D } from "../engine/tensor.ts";
import { twoWayCertificate } from "./certificate.ts";
import { critic, criticSettings, criticStep, penaltySettings } from "./critic.ts";
import { generator, generatorSettings } from "./generator.ts";
import { expectation, penalisedWasserstein, wasserstein, weighted } from "./losses.ts";
import type { Problem } from "./method.ts";
import { highPass } from "./networks/high_pass.ts";
import { type Network, type RandomNetwork, requireImages } from "./networks/network.ts";
import { type NoiseGenerator, noiseGenerator } from "./networks/noise_generator.ts";
import { matchedNoise } from "./noise_spectrum.ts";
import { type Material, type Scene, type Step, trainingSettings } from "./training.ts";

/** The settings of the cycle that all variants share. */
export const cycleSettings = {
  ...generatorSettings,
  ...trainingSettings,
  rate: { default: 2e-3, about: "learning rate of the generator of images", min: 0, max: 1 },
  gamma: { default: 200, about: "weight γ of the cycle (mean absolute values)", min: 0, max: 1e6 },
  measurementCycle: {
    default: 0.02,
    about: "weight of E |y − F(G(y))| within the cycle; at 1 a random F makes G keep the noise of y",
    min: 0,
    max: 1e6,
  },
  adversary: { default: 0.1, about: "weight of −E φ(G(y)) in the loss of G", min: 0, max: 1e6 },
} satisfies Settings;

/** The settings of a noise generator and of its critic. */
export const noiseSettings = {
  noise: {
    default: 0.3,
    about: "standard deviation of the white noise that F starts with, in units of the scale",
    min: 1e-6,
    max: 1e3,
  },
  lowestNoise: {
    default: 0.5,
    about:
      "what F's lowest ring of frequencies starts with, as a share of `noise`: ψ sees little of it, and filtered back-projection leaves little there",
    min: 1e-6,
    max: 1e3,
  },
  noiseRate: {
    default: 2e-3,
    about: "learning rate of the noise's gains; five times that runs away where measurements are few",
    min: 0,
    max: 1,
  },
  averaging: {
    default: 0.003,
    about: "least weight of the newest gains in the average that G learns from",
    min: 0,
    max: 1,
  },
} satisfies Settings;

/** The settings of critics that see noise: without instance normalisation, which hides its level, and quick. */
export const noiseCriticSettings = {
  ...criticSettings,
  ...penaltySettings,
  criticNorm: { ...criticSettings.criticNorm, default: false },
  criticRate: { ...criticSettings.criticRate, default: 1e-3 },
  criticUpdates: { ...criticSettings.criticUpdates, default: 2 },
} satisfies Settings;

/** Nothing is known: no pairs, no operator. */
export type Unknown = { readonly pairs: false; readonly operator: "nothing" };
type CycleValues = Values<typeof cycleSettings>;
type NoiseValues = Values<typeof noiseSettings>;
type CriticValues = Values<typeof noiseCriticSettings>;
type Both = Scene<Unknown, "G" | "F">;

/**
 * The networks of Table 1(d): G makes images of measurements, F measurements of images, φ judges images and ψ
 * measurements. F is random.
 */
export type FourNetworks<F extends RandomNetwork = RandomNetwork> = {
  readonly G: Network;
  readonly F: F;
  readonly φ: Network;
  readonly ψ: Network;
};

/** To be spread into a definition: nothing is known, G makes images of measurements and F the reverse. */
export const unknownOperator = {
  knows: { pairs: false, operator: "nothing" } as Unknown,
  fakes: {
    G: (G: Network, { y, see }: Material<Unknown>): Tensor4D => G.apply(see(y)),
    F: (F: RandomNetwork, { x, random }: Material<Unknown>): Tensor4D => F.apply(x, random.normal),
  },
  reconstructs: "G" as const,
};

/** The generator G, and a noise generator for F. */
export function generatorAndNoise(
  set: Values<typeof generatorSettings> & Pick<NoiseValues, "noise" | "averaging"> & Partial<NoiseValues>,
  { seenShape, imageShape, range }: Problem,
  rng: Rng,
): { readonly G: Network; readonly F: NoiseGenerator } {
  requireImages("the generator of noise", imageShape);
  return {
    G: generator(set, seenShape, imageShape, rng.stream("G"), range),
    F: noiseGenerator({
      channels: imageShape[2],
      deviation: set.noise,
      lowest: set.lowestNoise ?? 1,
      size: imageShape.slice(0, 2),
      averaging: set.averaging,
      ...(range === undefined ? {} : { range }),
    }),
  };
}

/** The same with their critics; that of measurements sees detail only. */
export function noisyNetworks(
  set: CycleValues & NoiseValues & Parameters<typeof critic>[0],
  problem: Problem,
  rng: Rng,
  options?: Parameters<typeof critic>[3],
): FourNetworks<NoiseGenerator> {
  const { seenShape, imageShape } = problem;
  return {
    ...generatorAndNoise(set, problem, rng),
    φ: critic(set, imageShape, rng.stream("φ"), options),
    ψ: highPass(critic(set, seenShape, rng.stream("ψ"), options), seenShape),
  };
}

/** How F's noise grows with what is around, measured on unmatched data: what critics of patches do not see. */
export async function fitGrowth(
  { F }: { readonly F: NoiseGenerator },
  images: AsyncIterable<Image>,
  measurements: AsyncIterable<Image>,
): Promise<void> {
  if (F.range !== undefined) F.setGrowth((await matchedNoise(images, measurements, F)).growth);
}

/** E |x − G(F(x))| with the average of what F has learned. */
export function imageCycle(
  { G, F }: Pick<FourNetworks<NoiseGenerator>, "G" | "F">,
  { x, random }: Material<Unknown>,
): Scalar {
  return l1(x, G.apply(F.averaged(x, random.normal)));
}

/** What G and F minimise, each by itself, where F is a noise generator. */
export const noisyLosses = {
  /** γ·(E |x − G(F(x))| + c·E |y − F(G(y))|) − a·E φ(G(y)), F being the average of what was learned. */
  generator(
    networks: FourNetworks<NoiseGenerator>,
    scene: Both,
    { gamma, measurementCycle, adversary }: CycleValues,
  ): Scalar {
    const { F, φ } = networks;
    const { y, see, fake, random } = scene;
    return weighted(
      [gamma, imageCycle(networks, scene)],
      [gamma * measurementCycle, l1(see(y), F.averaged(fake.G, random.normal))],
      [-adversary, expectation(φ, fake.G)],
    );
  },
  /** −E ψ(F(x)). */
  noise: ({ ψ }: Pick<FourNetworks, "ψ">, { fake }: Both): Scalar => weighted([-1, expectation(ψ, fake.F)]),
};

/** What the two critics minimise with gradient penalties. */
export const penalisedCritics = {
  /** φ's loss. */
  images: ({ φ }: Pick<FourNetworks, "φ">, { x, fake, random }: Both, set: Penalty): Scalar =>
    penalisedWasserstein(φ, x, fake.G, random, set.penalty),
  /** ψ's loss. */
  measurements: (
    { ψ }: Pick<FourNetworks, "ψ">,
    { y, see, fake, random }: Both,
    set: Penalty,
  ): Scalar => penalisedWasserstein(ψ, see(y), fake.F, random, set.penalty),
};

/** What they minimise with nothing to hold them. */
export const plainCritics = {
  /** φ's loss. */
  images: ({ φ }: Pick<FourNetworks, "φ">, { x, fake }: Both): Scalar => wasserstein(φ, x, fake.G),
  /** ψ's loss. */
  measurements: ({ ψ }: Pick<FourNetworks, "ψ">, { y, see, fake }: Both): Scalar =>
    wasserstein(ψ, see(y), fake.F),
};

type Penalty = Values<typeof penaltySettings>;
type NoisyLoss = "measurements" | "noise" | "generator" | "images";

/**
 * ψ, then F, whose noise it judges; then G, then φ, which sees the image that G has just made. The critics may have
 * something to do after each of their steps.
 */
export function noisySteps(
  set: CycleValues & NoiseValues & Omit<CriticValues, "penalty">,
  after?: (critic: Network) => void,
): readonly Step<FourNetworks<NoiseGenerator>, NoisyLoss>[] {
  const ofCritic = (letter: "φ" | "ψ") => ({
    over: [letter],
    ...criticStep(set),
    ...(after && { after: (networks: FourNetworks) => after(networks[letter]) }),
  });
  return [
    { minimise: "measurements", ...ofCritic("ψ") },
    { minimise: "noise", over: ["F"], rate: set.noiseRate },
    { minimise: "generator", over: ["G"], rate: set.rate },
    { minimise: "images", ...ofCritic("φ") },
  ];
}

/** The certificate, and the standard deviation of the noise that was learned. */
export function noisyMonitor(
  { G, F, φ, ψ }: FourNetworks<NoiseGenerator>,
  material: Material<Unknown>,
): Record<string, Scalar> {
  const { normal } = material.random;
  return {
    ...twoWayCertificate({ G, F: (x) => F.averaged(x, normal), φ, ψ }, material),
    "noise-deviation": F.deviation(),
    "noise-growth": F.growth(),
  };
}

/** The cycle of images, and the standard deviation of the noise, for methods without critics of both domains. */
export function noiseMonitor(
  networks: Pick<FourNetworks<NoiseGenerator>, "G" | "F">,
  material: Material<Unknown>,
): Record<string, Scalar> {
  return {
    "cycle-image": imageCycle(networks, material),
    "noise-deviation": networks.F.deviation(),
    "noise-growth": networks.F.growth(),
  };
}
