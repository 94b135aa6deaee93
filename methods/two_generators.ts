/** What the variants share in which F is a large network that is given noise to shape: Table 1(d) of 000, adapted. */

import * as tf from "@tensorflow/tfjs-core";
import type { Rng } from "../core/random.ts";
import type { Settings, Values } from "../core/settings.ts";
import { l1 } from "../engine/ops.ts";
import type { Scalar } from "../engine/tensor.ts";
import { critic, criticStep } from "./critic.ts";
import { generator } from "./generator.ts";
import { weighted } from "./losses.ts";
import type { Problem } from "./method.ts";
import type { Network, RandomNetwork } from "./networks/network.ts";
import { unclipped } from "./networks/noise_generator.ts";
import type { Scene, Step } from "./training.ts";
import {
  cycleSettings,
  type FourNetworks,
  noiseCriticSettings,
  noiseSettings,
  type Unknown,
} from "./unknown_operator.ts";

const { penalty: _, criticUpdates, ...criticSettings } = noiseCriticSettings;

/** The settings of two generators and two critics. */
export const twoGeneratorSettings = {
  ...cycleSettings,
  ...criticSettings,
  criticUpdates: { ...criticUpdates, default: 1 },
  noise: {
    ...noiseSettings.noise,
    about: "standard deviation of the white noise that F is given, in units of the scale",
  },
  rate: { ...cycleSettings.rate, default: 1e-3 },
  measurementCycle: { ...cycleSettings.measurementCycle, default: 0.05 },
} satisfies Settings;

type TwoGeneratorValues = Values<typeof twoGeneratorSettings>;

/** Two generators and two critics; F(x, z) = clip(x′ + U(x′)) with x′ = x + m(x)·deviation·z, U a U-Net. */
export function twoGenerators(
  set: TwoGeneratorValues,
  { seenShape, imageShape, range }: Problem,
  rng: Rng,
): FourNetworks {
  return {
    G: generator(set, seenShape, imageShape, rng.stream("G"), range),
    F: noisy(generator(set, imageShape, seenShape, rng.stream("F"), range), set.noise, range),
    φ: critic(set, imageShape, rng.stream("φ")),
    ψ: critic(set, seenShape, rng.stream("ψ")),
  };
}

/** E |x − G(F(x))| + c·E |y − F(G(y))|. */
export function twoCycles(
  { G, F }: Pick<FourNetworks, "G" | "F">,
  { x, y, see, fake, random }: Scene<Unknown, "G" | "F">,
  { measurementCycle }: TwoGeneratorValues,
): Scalar {
  return weighted(
    [1, l1(x, G.apply(fake.F))],
    [measurementCycle, l1(see(y), F.apply(fake.G, random.normal))],
  );
}

/** Both generators at once, then both critics. */
export function generatorsThenCritics(
  set: TwoGeneratorValues,
): readonly Step<FourNetworks, "generators" | "critics">[] {
  return [
    { minimise: "generators", over: ["G", "F"], rate: set.rate },
    { minimise: "critics", over: ["φ", "ψ"], ...criticStep(set) },
  ];
}

/** A network whose input has white noise on it, where it was not clipped. */
function noisy(network: Network, deviation: number, range: Problem["range"]): RandomNetwork {
  return {
    ...network,
    apply: (x, normal) =>
      tf.tidy(() => {
        const noise = tf.mul(normal(x.shape), deviation);
        return network.apply(tf.add(x, range === undefined ? noise : tf.mul(unclipped(x, range), noise)));
      }),
  };
}
