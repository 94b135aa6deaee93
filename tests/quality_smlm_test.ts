/**
 * The smallest budget at which the orderings of localisation microscopy are stable: 1000 of the 1500 updates of `quick`.
 *
 * What is demanded of `quick` is a correlation with the density of emitters that is 0.25 above that of the average frame,
 * with the point spread function known or learned, at most 0.06 below supervised and above cyclegan, and a learned σ within
 * 15 % of the true one, √(5.2² − 1) = 5.10 pixels of the image.
 */

import { equal, ok } from "node:assert/strict";
import { bench, inFolder, recordsOf } from "./commands_running.ts";

Deno.test("on filaments OT-cycleGAN learns how wide spots are, and finds emitters as well as supervised learning without a pair", () =>
  inFolder(async (folder) => {
    const rows = "widefield,random-points,deep-storm,cyclegan,ot-cyclegan-known-psf,ot-cyclegan-blind";
    const { code, err } = await bench(
      ...["smlm", "--methods", rows, "--seeds", "1-1", "--set", "updates=1000", "--set", "testFields=4"],
      ...["--set", "checks=1", "--set", "panels=0", "--out", folder],
    );
    equal(code, 0, err);
    const records = [...(await recordsOf(folder)).values()];
    const score = (method: string, metric: string): number => {
      const values = records.find((record) => record.method === method)!.scores
        .filter((row) => row.metric === metric).map(({ value }) => Number(value));
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    };
    const above = (metric: string, better: string, worse: string, least: number) => {
      const difference = score(better, metric) - score(worse, metric);
      const found = `${metric}: ${better} is ${difference.toFixed(3)} above ${worse}`;
      ok(difference >= least, `${found}, not ${least} or more`);
    };
    for (const row of ["ot-cyclegan-known-psf", "ot-cyclegan-blind"]) {
      above("density-correlation", row, "widefield", 0.25);
      above("density-correlation", row, "deep-storm", -0.06);
      above("density-correlation", row, "cyclegan", 0.03);
      above("jaccard-50nm", row, "random-points", 0.3);
    }
    const sigma = score("ot-cyclegan-blind", "kernel-sigma");
    ok(Math.abs(sigma / Math.sqrt(5.2 ** 2 - 1) - 1) < 0.15, `${sigma}`);
    ok(score("ot-cyclegan-blind", "kernel-correlation") > 0.97);
  }));
