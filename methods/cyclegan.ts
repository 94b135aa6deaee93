/** The standard cycleGAN: two generators and two critics, and no physics. */

import type { Settings } from "../core/settings.ts";
import { UsageError } from "../core/errors.ts";
import { l1 } from "../engine/ops.ts";
import type { Tensor4D } from "../engine/tensor.ts";
import { critic, criticSettings, criticStep } from "./critic.ts";
import { generator, generatorSettings } from "./generator.ts";
import { cycle, inField, leastSquares, leastSquaresCritic, weighted } from "./losses.ts";
import type { Method } from "./method.ts";
import { defineMethod, trainingSettings } from "./training.ts";

const settings = {
  ...generatorSettings,
  ...criticSettings,
  ...trainingSettings,
  initialisation: { ...generatorSettings.initialisation, default: "normal" },
  lastScale: { ...generatorSettings.lastScale, default: 1 },
  criticInitialisation: { ...criticSettings.criticInitialisation, default: "normal" },
  rate: { default: 1e-3, about: "learning rate of the generators", min: 0, max: 1 },
  criticRate: { ...criticSettings.criticRate, default: 1e-3 },
  lambda: { default: 10, about: "weight λ of the cycle (mean absolute values)", min: 0, max: 1e6 },
  identity: { default: 5, about: "weight of E |x − G(x)| + E |y − F(y)|; 0 leaves it out", min: 0, max: 1e6 },
  pool: {
    default: 50,
    about: "images in the pools that the critics' fakes come out of",
    min: 0,
    max: 1e4,
    whole: true,
  },
} satisfies Settings;

/**
 * G: Y → X and F: X → Y minimise
 *
 *     E (φ(G(y)) − 1)² + E (ψ(F(x)) − 1)² + λ·(E |x − G(F(x))| + E |y − F(G(y))|) + identity·(E |x − G(x)| + E |y − F(y)|),
 *
 * φ minimises ½ E (φ(x) − 1)² + ½ E φ(G(y))², and ψ the same in Y; the fakes come out of pools of 50.
 *
 * Zhu, Park, Isola & Efros 2017 (arXiv:1703.10593): eq. 1-3 with the least-squares losses, history and identity
 * loss of §4-5.2 there. `identity` is the weight itself, 0.5·λ in their terms. Initial weights are theirs, N(0,
 * 0.02²): with those of the other methods one run ended 3 dB lower. Deviations of the defaults, each a setting:
 * the suite's U-Net and critic instead of ResNet and 70x70 PatchGAN; `rate` and `criticRate` 1e-3 for 2e-4, and
 * Adam (0.5, 0.9) for (0.5, 0.999), for budgets of a thousand updates.
 */
export const cycleGan: Method<typeof settings> = defineMethod({
  name: "cyclegan",
  about: "standard cycleGAN, unknown operator, least-squares GAN",
  source: "Zhu et al. 2017 (arXiv:1703.10593)",
  effort: 6,
  settings,
  knows: { pairs: false, operator: "nothing" },

  networks: (set, { seenShape, imageShape, range }, rng) => {
    if (set.identity > 0 && seenShape[2] !== imageShape[2]) {
      throw new UsageError({
        what: `cyclegan's identity loss shows G an image, but images have ${
          imageShape[2]
        } channels and G takes ${seenShape[2]}`,
        where: 'setting "identity"',
        fix: "run with --set identity=0",
      });
    }
    return {
      G: generator(set, seenShape, imageShape, rng.stream("G"), range),
      // Measurements may be negative, whatever images are.
      F: generator({ ...set, rectified: false }, imageShape, seenShape, rng.stream("F"), range),
      φ: critic(set, imageShape, rng.stream("φ")),
      ψ: critic(set, seenShape, rng.stream("ψ")),
    };
  },

  fakes: {
    G: (G, { y, see }) => G.apply(see(y)),
    F: (F, { x }) => F.apply(x),
  },

  losses: {
    generators: ({ G, F, φ, ψ }, batch, set) => {
      const { x, y, see, fake } = batch;
      const seen = see(y);
      const shown = (image: Tensor4D) => inField(batch, image);
      const identity = set.identity === 0 ? [] : [
        [set.identity, l1(shown(x), shown(G.apply(x)))] as const,
        [set.identity, l1(shown(seen), shown(F.apply(seen)))] as const,
      ];
      return weighted(
        [1, leastSquares(φ, shown(fake.G), 1)],
        [1, leastSquares(ψ, shown(fake.F), 1)],
        [set.lambda, cycle(shown(x), shown(G.apply(fake.F)), shown(seen), shown(F.apply(fake.G)))],
        ...identity,
      );
    },
    critics: ({ φ, ψ }, batch) => {
      const { x, y, see, fake } = batch;
      const shown = (image: Tensor4D) => inField(batch, image);
      return weighted(
        [1, leastSquaresCritic(φ, shown(x), shown(fake.G))],
        [1, leastSquaresCritic(ψ, shown(see(y)), shown(fake.F))],
      );
    },
  },

  steps: (set) => [
    { minimise: "generators", over: ["G", "F"], rate: set.rate },
    { minimise: "critics", over: ["φ", "ψ"], ...criticStep(set), pool: set.pool },
  ],

  reconstructs: "G",
});
