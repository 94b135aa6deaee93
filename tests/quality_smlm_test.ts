/**
 * The gate's own run of localisation microscopy, and the orderings in it: 1000 of the 1500 updates of `quick`, the smallest budget
 * that was tried at which they are stable.
 *
 * What is demanded of `quick` is a correlation with the density of emitters that is 0.25 above that of the average frame,
 * with the point spread function known or learned, at most 0.06 below supervised and above cyclegan, and a learned σ within
 * 15 % of the true one, √(5.2² − 1) = 5.10 pixels of the image.
 */

import { ok } from "node:assert/strict";
import { inFolder } from "./commands_running.ts";
import { gateRun } from "./gate_run.ts";

Deno.test("on filaments no guarded row is worse than the baseline, and OT-cycleGAN learns how wide spots are, and finds emitters as well as supervised learning without a pair", () =>
  inFolder(async (folder) => {
    const scores = await gateRun(folder, "smlm", ["random-points", "cyclegan", "ot-cyclegan-known-psf"]);
    for (const row of ["ot-cyclegan-known-psf", "ot-cyclegan-blind"]) {
      scores.above(row, "widefield", 0.25, "density-correlation");
      scores.above(row, "deep-storm", -0.06, "density-correlation");
      scores.above(row, "cyclegan", 0.03, "density-correlation");
      scores.above(row, "random-points", 0.3, "jaccard-50nm");
    }
    const sigma = scores.of("ot-cyclegan-blind", "kernel-sigma");
    ok(Math.abs(sigma / Math.sqrt(5.2 ** 2 - 1) - 1) < 0.15, `${sigma}`);
    ok(scores.of("ot-cyclegan-blind", "kernel-correlation") > 0.97);
  }));
