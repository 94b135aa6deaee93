import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { bench, inFolder, lasting, recordsOf } from "./commands_running.ts";

Deno.test("bench --no-replay leaves the bytes that replayed steps leave, in the folder of the same run", () =>
  inFolder(async (folder) => {
    const some = ["mri", "--profile", "smoke", "--methods", "cyclegan,ot-cyclegan", "--set", "updates=8"];
    const replayed = await bench(...some, "--out", `${folder}/replayed`);
    equal(replayed.code, 0, replayed.err);
    const anew = await bench(...some, "--no-replay", "--out", `${folder}/anew`);
    equal(anew.code, 0, anew.err);
    deepStrictEqual(await lasting(`${folder}/anew`), await lasting(`${folder}/replayed`));
    // Its records say how its steps were made: two of each kind recorded, and the rest replayed.
    for (const [name, { cost }] of await recordsOf(`${folder}/replayed`)) {
      ok(cost["steps-recorded"]! >= 4 && cost["steps-replayed"]! >= 12, name);
    }
    for (const { cost } of (await recordsOf(`${folder}/anew`)).values()) {
      deepStrictEqual([cost["steps-recorded"], cost["steps-replayed"]], [0, 0]);
    }
    const again = await bench(...some, "--no-replay", "--out", `${folder}/replayed`);
    equal(again.code, 0, again.err);
  }));
