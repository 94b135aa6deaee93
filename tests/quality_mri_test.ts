/**
 * The gate's own run of the MRI benchmark, and the orderings in it: 800 of the 1500 updates of `quick`, the smallest budget
 * at which they are stable.
 *
 * What is demanded of `quick` is 3 dB above zero-filled, 1 dB above cyclegan, and at most 1 dB below supervised. The
 * margins here are tighter where seeds leave room, so that a loss is seen before the demand is broken. In ten seeds with
 * 800 updates OT-cycleGAN lies 6.3 dB or more above the zero-filled image and 0.2 to 0.9 dB below supervised (0.6 with
 * the seed of this test); in four of them cyclegan was run too, and lies 5.0 to 6.7 dB below. Zero-filled lies 4.8 dB
 * above the mean image. With 600 updates (twelve seeds, two of them on other data and other arithmetic) OT-cycleGAN
 * lies 0.4 to 1.3 dB below supervised, with 400 up to 3.1 dB. He's initialisation instead of the default costs 5.7 dB.
 */

import { equal, notEqual, ok } from "node:assert/strict";
import { bench, check, inFolder } from "./commands_running.ts";

Deno.test("on phantoms no guarded row is worse than the baseline, and OT-cycleGAN comes near supervised without a pair, and leaves zero-filled, cyclegan and the mean image behind", () =>
  inFolder(async (folder) => {
    const gate = await check("", "--benchmarks", "mri", "--seeds", "1-1", "--out", folder);
    // With one seed a changed program may be inconclusive (3), and the same one is bit-identical (0).
    ok([0, 3].includes(gate.code), gate.out + gate.err);
    notEqual(gate.out.match(/4 rows checked/), null, gate.out);
    const { code, err } = await bench(
      ...["mri", "--profile", "check", "--methods", "mean-image,cyclegan", "--seeds", "1-1"],
      ...["--out", `${folder}/mri`],
    );
    equal(code, 0, err);
    const psnr = new Map<string, number>();
    for (const line of (await Deno.readTextFile(`${folder}/mri/table.csv`)).split("\n")) {
      const [, , method, metric, convention, , mean] = line.split(",");
      if (metric === "psnr" && convention === "fastmri") psnr.set(method, Number(mean));
    }
    const above = (better: string, worse: string, decibels: number) => {
      const difference = psnr.get(better)! - psnr.get(worse)!;
      const found = `${better} is ${difference.toFixed(2)} dB above ${worse}`;
      ok(difference >= decibels, `${found}, not ${decibels} or more`);
    };
    above("ot-cyclegan", "zero-filled", 5.5);
    above("ot-cyclegan", "supervised", -1);
    above("ot-cyclegan", "cyclegan", 3.5);
    above("zero-filled", "mean-image", 4);
  }));
