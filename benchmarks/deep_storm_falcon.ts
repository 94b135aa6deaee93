/** A method that is made of two which do not know each other. */

import { falcon } from "../baselines/falcon.ts";
import type { Method } from "../methods/method.ts";
import { supervised } from "../methods/supervised.ts";
import { taught } from "../methods/taught.ts";

/** Deep-STORM that learns from what FALCON makes of frames, as Sim et al. 2020 had it, §4.2. */
export const deepStormOnFalcon: Method = taught(
  {
    name: "deep-storm-falcon",
    about: "a U-Net trained on frames beside what FALCON makes of them",
    source: "the supervised rival of Sim et al. 2020 (arXiv:1909.12116), §4.2",
  },
  supervised,
  falcon,
);
