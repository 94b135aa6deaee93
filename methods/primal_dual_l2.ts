/** Learned primal-dual reconstruction with the mean squared error. */

import { l2 } from "../engine/ops.ts";
import type { Method } from "./method.ts";
import { learnedPrimalDual, network, oneStep, primalDualSettings, reconstruction } from "./primal_dual.ts";
import { defineMethod } from "./training.ts";

/**
 * min over Θ of E ‖P_Θ(y) − x‖², x being what training is shown for y (003, eq. 3).
 *
 * Where x is out of place at random, the least error is that of the mean over all places: the object smeared
 * (003, proposition 1). That is what the Sinkhorn losses are compared with. The released code of 003 has a
 * script of this name which trains on the total mass alone; this method does what the paper says.
 */
export const primalDualL2: Method<typeof primalDualSettings> = defineMethod({
  name: "primal-dual-l2",
  about: "learned primal-dual, trained with the mean squared error",
  source: "Adler & Öktem 2018 (arXiv:1707.06474); Adler et al. 2017 (arXiv:1710.10898), eq. 3",
  effort: 5,
  settings: primalDualSettings,
  ...learnedPrimalDual,
  networks: (set, problem, rng) => network(set, problem, rng),
  losses: {
    reconstruction: (networks, scene) => l2(reconstruction(networks, scene), scene.x),
  },
  steps: (set) => oneStep(set),
});
