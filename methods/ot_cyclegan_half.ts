/** One branch of OT-cycleGAN's cycle: measurements and their way back, and no image that was measured. */

import type { Settings } from "../core/settings.ts";
import { l1 } from "../engine/ops.ts";
import { criticSettings, penaltySettings } from "./critic.ts";
import { cycleSettings, generatorAndCritic, generatorThenCritic, knownOperator } from "./known_operator.ts";
import { cycleTerms } from "./certificate.ts";
import { expectation, inField, penalisedWasserstein, weighted } from "./losses.ts";
import type { Method } from "./method.ts";
import { defineMethod } from "./training.ts";

const settings = { ...cycleSettings, ...criticSettings, ...penaltySettings } satisfies Settings;

/**
 * min over Θ, max over 1-Lipschitz φ of γ·E |y − A G_Θ(y)| + E φ(x) − E φ(G_Θ(y)).
 *
 * The ablation of Lim et al. 2020 (arXiv:1908.09414, Table II, "half"), with 000's loss. Without E |x − G(Ax)| nothing tells
 * G what noise is: it explains that of y, too.
 */
export const otCycleGanHalf: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-half",
  about: "OT-cycleGAN with the measurements' branch of the cycle only, known operator",
  source: "Lim et al. 2020 (arXiv:1908.09414), Table II; loss of Sim et al. 2020 (arXiv:1909.12116), eq. 30",
  effort: 2,
  settings,
  ...knownOperator,

  networks: (set, problem, rng) => generatorAndCritic(set, problem, rng),

  losses: {
    generator: ({ φ }, scene, set) => {
      const { y, A, fake } = scene;
      return weighted([set.gamma, l1(y, A.forward(fake.G))], [-1, expectation(φ, inField(scene, fake.G))]);
    },
    critic: ({ φ }, scene, set) => {
      const [x, fake] = [scene.x, scene.fake.G].map((image) => inField(scene, image));
      return penalisedWasserstein(φ, x, fake, scene.random, set.penalty);
    },
  },

  steps: (set) => generatorThenCritic(set),
  monitor: ({ G }, batch) => cycleTerms(G, batch),
});
