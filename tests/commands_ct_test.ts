import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import { benchmarks } from "../commands/suite.ts";
import { bench, inFolder, lasting, namesIn, recordsOf } from "./commands_running.ts";
import { sharedExists, sharedFolder } from "./tree.ts";

for (const { name, rows, byName } of benchmarks.filter(({ name }) => name.endsWith("ct"))) {
  Deno.test(`bench ${name} runs every row to its end, and leaves the same bytes with one worker and with two`, () =>
    inFolder(async (folder) => {
      const run = [name, "--profile", "smoke"];
      for (const workers of ["2", "1"]) {
        const { code, err } = await bench(...run, "--workers", workers, "--out", `${folder}/${workers}`);
        equal(code, 0, err);
      }
      deepStrictEqual(await lasting(`${folder}/1`), await lasting(`${folder}/2`));
      const records = await recordsOf(`${folder}/2`);
      const done = [...records.values()].map(({ method, state }) => [method, state.kind]);
      deepStrictEqual(
        done.sort(),
        [...rows, ...byName].map((row) => [row.name, "done"]).sort(),
      );
      for (const { scores, method } of records.values()) {
        ok(scores.every(({ value, reason }) => value !== null || reason !== undefined), method);
      }
    }));
}

const chest = ["ct", "--profile", "smoke", "--data", `${sharedFolder}/ct/chest_lidc0314`];

Deno.test({
  name: "bench ct refuses to split one patient by subject, names the way out, and goes it with banners",
  ignore: !sharedExists,
  fn: () =>
    inFolder(async (folder) => {
      const refused = await bench(...chest, "--methods", "supervised", "--out", `${folder}/refused`);
      equal(refused.code, 2);
      match(refused.err, /1 subject[\s\S]*--split slabs/);

      const some = ["--methods", "low-dose,total-variation,supervised,ot-cyclegan", "--split", "slabs"];
      const { code, err } = await bench(...chest, ...some, "--keep-images", "--out", `${folder}/slabs`);
      equal(code, 0, err);
      const table = await Deno.readTextFile(`${folder}/slabs/table.md`);
      match(table, /low dose was simulated/i);
      match(table, /SPLIT INTO SLABS/);
      const kept = await namesIn(`${folder}/slabs/reconstructions/ot-cyclegan/seed-1`);
      deepStrictEqual(kept.map((file) => file.replace(/^[^.]+/, "")), [".h5", ".nii", ".truth.nii"]);
    }),
});

Deno.test({
  name: "bench ct trains on patches of large slices, and reconstructs them whole",
  ignore: !sharedExists,
  fn: () =>
    inFolder(async (folder) => {
      const some = ["--methods", "low-dose,supervised,ot-cyclegan", "--split", "slabs"];
      const large = ["--set", "matrix=128", "--set", "views=60", "--set", "bins=91", "--set", "patch=32"];
      const { code, err } = await bench(...chest, ...some, ...large, "--keep-images", "--out", folder);
      equal(code, 0, err);
      for (const { pictures, state } of (await recordsOf(folder)).values()) {
        equal(state.kind, "done");
        ok(pictures.some(({ name, shape }) => name === "reconstruction" && shape[0] === 128));
      }
    }),
});
