/** Learned primal-dual reconstruction with the Sinkhorn loss by distance². */

import type { Settings } from "../core/settings.ts";
import { weighted } from "./losses.ts";
import type { Method } from "./method.ts";
import { learnedPrimalDual, network, oneStep, primalDualSettings, reconstruction } from "./primal_dual.ts";
import { sinkhorn } from "./sinkhorn.ts";
import { defineMethod } from "./training.ts";
import { massError, massSettings, transportSettings } from "./transport.ts";

const settings = {
  ...primalDualSettings,
  ...transportSettings,
  ...massSettings,
} satisfies Settings;

/**
 * min over Θ of E T_ε(P_Θ(y), x) + w·(Σ P_Θ(y) / Σ x − 1)², x being what training is shown for y, and T_ε the
 * entropic cost of moving the one's mass to the other's (003, eq. 8).
 *
 * Where x is out of place at random, the cheapest image to all places is the object at their mean, not a
 * smear (003, proposition 2 and example 4, for which the cost has to be convex).
 *
 * Deviations from 003: the cost is (distance/s₀)², not 1 − exp(−distance⁴/s₀⁴), which is flat where it should
 * be steep; ε is {@linkcode transportSettings}' 0.02, which smears by one pixel of 64; the gradient is that
 * of the envelope theorem, not through the iterations; the output's mass, not its maximum, is normalised to
 * the label's; no convolution is circular.
 */
export const primalDualSinkhorn: Method<typeof settings> = defineMethod({
  name: "primal-dual-sinkhorn",
  about: "learned primal-dual, trained with the Sinkhorn loss by distance²",
  source: "Adler et al. 2017 (arXiv:1710.10898), eq. 8, with the cost of its example 4",
  effort: 6.5,
  settings,
  ...learnedPrimalDual,
  networks: (set, problem, rng) => network(set, problem, rng),
  losses: {
    reconstruction(networks, scene, set) {
      const output = reconstruction(networks, scene);
      return weighted([1, sinkhorn(output, scene.x, set)], [set.massWeight, massError(output, scene.x)]);
    },
  },
  steps: (set) => oneStep(set),
});
