/**
 * The gate's own run of the deconvolution benchmark, and the orderings in it: 800 of the 2400 updates of `quick`, the smallest
 * budget that was tried at which they are stable.
 *
 * In two seeds on other data (81 and 82, data seed 3) Richardson and Lucy's deconvolution lies 6.2 dB above the measurement,
 * non-blind 1.5 dB above that and 5.7 dB above it with dark borders, 0.0 to 0.2 dB above supervised; blind 0.2 dB
 * below non-blind, its kernel's correlation .976 and .977 from .859, its radius right to 1 %; spectrum-matching 0.0 to 0.1 dB below
 * non-blind. With measurements of another microscope (g2.62), blind lies 2.2 to 2.6 dB above supervised with the wrong
 * kernel. Half of the cycle (seed 1, 1200 and 2400 updates) lies 16 dB or more below Richardson and Lucy.
 */

import { ok } from "node:assert/strict";
import { inFolder } from "./commands_running.ts";
import { gateRun, runOf } from "./gate_run.ts";

Deno.test("on microtubules no guarded row is worse than the baseline, and a blur is learned and undone without a pair as well as where it is known, and better than classically", () =>
  inFolder(async (folder) => {
    const scores = await gateRun(folder, "deconvolution", [
      "richardson-lucy-dark-borders",
      "ot-cyclegan-non-blind",
      "ot-cyclegan-half",
      "spectrum-matching",
    ]);
    scores.above("richardson-lucy", "widefield", 5);
    scores.above("ot-cyclegan-non-blind", "richardson-lucy", 1);
    scores.above("ot-cyclegan-non-blind", "richardson-lucy-dark-borders", 3.5);
    scores.above("ot-cyclegan-non-blind", "supervised", -0.5);
    scores.above("ot-cyclegan-blind", "ot-cyclegan-non-blind", -0.5);
    scores.above("spectrum-matching", "ot-cyclegan-non-blind", -0.5);
    scores.above("richardson-lucy", "ot-cyclegan-half", 5);
    const kernel = (metric: string) => scores.of("ot-cyclegan-blind", `kernel-${metric}`);
    ok(kernel("correlation") > 0.93, `${kernel("correlation")}`);
    ok(kernel("correlation-initial") < 0.87, `${kernel("correlation-initial")}`);
    const ratio = kernel("radius") / kernel("radius-truth");
    ok(Math.abs(ratio - 1) < 0.12, `${ratio}`);
  }));

Deno.test("where the microscope is another than is believed, learning its blur beats knowing the wrong one", () =>
  inFolder(async (folder) => {
    const rows = ["supervised", "ot-cyclegan-blind"];
    const scores = await runOf(folder, "deconvolution", rows, "--set", "measured-with=g2.62");
    scores.above("ot-cyclegan-blind", "supervised", 1.5);
  }));
