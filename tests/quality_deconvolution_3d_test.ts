/**
 * The gate's own run of the deconvolution of volumes, and the orderings in it: 200 of the 400 updates of `quick`.
 *
 * Rows that learn a kernel are not in it: with 200 updates a kernel has hardly begun to (correlation .76 from .68, seed 1), and
 * in `quick` seeds lie 0.8 dB apart.
 */

import { inFolder } from "./commands_running.ts";
import { gateRun } from "./gate_run.ts";

Deno.test("on volumes no guarded row is worse than the baseline, and OT-cycleGAN comes near supervised without a pair, and leaves the measurement behind", () =>
  inFolder(async (folder) => {
    const scores = await gateRun(folder, "deconvolution-3d");
    scores.above("supervised", "widefield", 4);
    scores.above("ot-cyclegan-non-blind", "widefield", 4);
    scores.above("ot-cyclegan-non-blind", "supervised", -1);
  }));
