/** What fails where nobody waits for it ends a job, which leaves a record that says why, and no lock. */

import { deepStrictEqual, equal, match } from "node:assert/strict";
import { bench, inFolder, job, namesIn, pathOf, recordsOf } from "./commands_running.ts";
import { starts } from "./engine_op_cases.ts";

const toy = ["toy", "--profile", "smoke", "--use", pathOf("webgpu_failing.ts"), "--seeds", "1"];
const failed = /^the graphics device failed: [^]*\n {2}where: --backend webgpu\n {2}fix: [^\n]*$/;
const ignore = !(await starts("webgpu"));

/** The reason for which a job failed. */
async function reasonOf(folder: string, name: string): Promise<string> {
  const state = (await recordsOf(folder)).get(`${name}.json`)?.state;
  equal(state?.kind, "failed");
  return (state as { readonly reason: string }).reason;
}

Deno.test(
  { name: "a job whose graphics device fails leaves a record that says so, and no lock", ignore },
  () =>
    inFolder(async (folder) => {
      const planned = await bench(
        ...toy,
        "--methods",
        "failing",
        "--backend",
        "webgpu",
        "--plan",
        "--out",
        folder,
      );
      equal(planned.code, 0, planned.err);
      const { code, err } = await job(folder, "failing.seed-1");
      equal(code, 1, err);
      match(err, /^error: the graphics device failed: /m);
      match(await reasonOf(folder, "failing.seed-1"), failed);
      deepStrictEqual(await namesIn(`${folder}/locks`), []);
    }),
);

Deno.test({
  name: "a row whose graphics device fails has that for its reason, and the others are there",
  ignore,
}, () =>
  inFolder(async (folder) => {
    const { code, err } = await bench(
      ...toy,
      "--methods",
      "input,failing",
      "--backend",
      "webgpu",
      "--out",
      folder,
    );
    equal(code, 1, err);
    match(await reasonOf(folder, "failing.seed-1"), failed);
    equal((await recordsOf(folder)).get("input.json")!.state.kind, "done");
  }));

Deno.test("a job of whose promises nobody awaits one that fails leaves a record that says so, and no lock", () =>
  inFolder(async (folder) => {
    const planned = await bench(...toy, "--methods", "forgetful", "--plan", "--out", folder);
    equal(planned.code, 0, planned.err);
    const { code, err } = await job(folder, "forgetful.seed-1");
    equal(code, 1, err);
    match(await reasonOf(folder, "forgetful.seed-1"), /^Error: nobody waits for me\n/);
    deepStrictEqual(await namesIn(`${folder}/locks`), []);
  }));
