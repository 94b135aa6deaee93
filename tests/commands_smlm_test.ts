import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import { smlm } from "../benchmarks/smlm.ts";
import { bench, inFolder, lasting, recordsOf } from "./commands_running.ts";
import { sharedExists, sharedFolder } from "./tree.ts";

Deno.test("bench smlm runs every row to its end, and leaves the same bytes with one worker and with two", () =>
  inFolder(async (folder) => {
    for (const workers of ["2", "1"]) {
      const { code, err } = await bench(
        ...["smlm", "--profile", "smoke", "--workers", workers, "--out", `${folder}/${workers}`],
      );
      equal(code, 0, err);
    }
    deepStrictEqual(await lasting(`${folder}/1`), await lasting(`${folder}/2`));
    const records = [...(await recordsOf(`${folder}/2`)).values()];
    deepStrictEqual(
      records.map(({ method, state }) => [method, state.kind]).sort(),
      [...smlm.rows, ...smlm.byName].map((row) => [row.name, "done"]).sort(),
    );
    for (const { scores, method } of records) {
      ok(scores.every(({ value, reason }) => value !== null || reason !== undefined), method);
    }
    const blind = records.find(({ method }) => method === "ot-cyclegan-blind")!;
    const learned = blind.pictures.filter(({ name }) => name === "learned").map(({ sample }) => sample);
    deepStrictEqual(learned.sort(), ["kernel", "kernel-initial", "kernel-truth"]);
    ok(blind.scores.some(({ metric }) => metric === "kernel-sigma"));
    // Pictures are of the average of a field's frames.
    ok(blind.pictures.some(({ name, sample }) => name === "reconstruction" && sample === "average"));
  }));

const data = `${sharedFolder}/smlm`;
const few = ["smlm", "--profile", "smoke", "--set", "trainFrames=4"];

Deno.test({
  name: "bench smlm learns from one stack and scores its last frames against the table beside it",
  ignore: !sharedExists,
  fn: () =>
    inFolder(async (folder) => {
      const { code, err } = await bench(
        ...few,
        ...["--data", `${data}/deepstorm_microtubules`, "--pixel-nm", "100", "--psf-sigma-nm", "106"],
        ...["--methods", "widefield,peak-fit,ot-cyclegan-blind", "--out", folder],
      );
      equal(code, 0, err);
      match(await Deno.readTextFile(`${folder}/table.md`), /ONE STACK/);
      const records = await recordsOf(folder);
      const score = (method: string, metric: string) =>
        Number(
          [...records.values()].find((record) => record.method === method)!.scores
            .find((row) => row.metric === metric)!.value,
        );
      // Four frames are enough to see that the table belongs to them: fits of single spots find their places.
      ok(score("peak-fit", "density-correlation") > score("widefield", "density-correlation") + 0.05);
      const peaks = [...records.values()].find(({ method }) => method === "peak-fit")!;
      const scored = peaks.scores.filter(({ metric }) => metric === "data-consistency").map(({ sample }) =>
        sample
      );
      deepStrictEqual(scored, ["240", "241", "242", "243"]);
    }),
});

Deno.test({
  name: "bench smlm shows what it makes of frames whose emitters nobody knows, and says what it cannot score",
  ignore: !sharedExists,
  fn: () =>
    inFolder(async (folder) => {
      const { code, err } = await bench(
        ...few,
        ...["--data", `${data}/dstorm_real_5frames.tif`, "--set", "photons=1000"],
        ...["--methods", "widefield,peak-fit,deep-storm", "--out", folder],
      );
      equal(code, 0, err);
      for (const { scores, pictures, method } of (await recordsOf(folder)).values()) {
        const of = (metric: string) => scores.find((row) => row.metric === metric)!;
        equal(of("density-correlation").value, null, method);
        match(of("jaccard").reason!, /emitters are unknown/);
        ok(pictures.some(({ name }) => name === "reconstruction"), method);
      }
    }),
});
