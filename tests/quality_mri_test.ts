/**
 * The smallest budget at which the orderings of the MRI benchmark are stable: 800 of the 1500 updates of `quick`.
 *
 * Measured over six fresh seeds with 800 updates: OT-cycleGAN lies 0.2 to 0.9 dB below supervised, and 6.3 dB or more
 * above the zero-filled image. With 600 updates (twelve seeds, two of them on other data and other arithmetic) it lies
 * 0.4 to 1.3 dB below supervised and 5.2 dB or more above cyclegan; with 400 up to 3.1 dB below.
 */

import { equal, ok } from "node:assert/strict";
import { bench, inFolder } from "./commands_running.ts";

Deno.test("on phantoms OT-cycleGAN comes near supervised without a pair, and leaves zero-filled, cyclegan and the mean image behind", () =>
  inFolder(async (folder) => {
    const { code, err } = await bench(
      ...["mri", "--methods", "zero-filled,mean-image,supervised,cyclegan,ot-cyclegan", "--seeds", "1"],
      ...["--set", "updates=800", "--set", "checks=1", "--set", "panels=0", "--out", folder],
    );
    equal(code, 0, err);
    const psnr = new Map<string, number>();
    for (const line of (await Deno.readTextFile(`${folder}/table.csv`)).split("\n")) {
      const [, , method, metric, convention, , mean] = line.split(",");
      if (metric === "psnr" && convention === "fastmri") psnr.set(method, Number(mean));
    }
    const above = (better: string, worse: string, decibels: number) => {
      const difference = psnr.get(better)! - psnr.get(worse)!;
      const found = `${better} is ${difference.toFixed(2)} dB above ${worse}`;
      ok(difference >= decibels, `${found}, not ${decibels} or more`);
    };
    above("ot-cyclegan", "zero-filled", 3);
    above("ot-cyclegan", "supervised", -1.5);
    above("ot-cyclegan", "cyclegan", 2);
    above("zero-filled", "mean-image", 2);
  }));
