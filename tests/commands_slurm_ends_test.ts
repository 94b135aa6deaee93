/** Arrays that somebody else ends, or knows of, than the launcher that waits for them. */

import { deepStrictEqual, equal, match } from "node:assert/strict";
import { ended, inFolder, namesIn, pathOf, recordsOf, startedWith } from "./commands_running.ts";
import { hasSlurm, TestSlurm, until } from "./slurm.ts";

const toy = ["toy", "--profile", "smoke", "--use", pathOf("toy_extension.ts"), "--executor", "slurm"];
const patient = [...toy, "--methods", "input,patient", "--set", "updates=4000"];

Deno.test({
  name: "a cancelled array ends its launcher, which submits nothing again until it is asked to",
  ignore: !hasSlurm,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/slurm`);
      await using slurm = await TestSlurm.start(`${folder}/slurm`);
      const out = `${folder}/run`;
      const args = [...patient, "--seeds", "6", "--out", out];
      const states = (...more: string[]) => slurm.run("squeue", "--noheader", "--format=%T", ...more);

      const launcher = startedWith(slurm.env, "bench", ...args);
      // Some wait when all are cancelled, some train, and one has done its job.
      const started = async () =>
        (await states("--states=RUNNING")).trim().split("\n").length === 4 &&
        (await namesIn(`${out}/records`).catch(() => [])).length === 1 &&
        (await namesIn(`${out}/checkpoints`).catch(() => [])).length > 0;
      await until(started, "tasks that train");
      match(await states(), /PENDING/);
      await slurm.run("scancel", "1");

      const { code, out: said, err } = await ended(launcher);
      equal(code, 130, err);
      match(
        err,
        /array 1 was cancelled, and 6 of its jobs were not done; .* the same command submits what is missing/,
      );
      equal(/submitted once more/.test(said), false, said);
      deepStrictEqual(await namesIn(`${out}/slurm`), ["1"]);
      deepStrictEqual([...(await recordsOf(out)).values()].map(({ state }) => state.kind), ["done"]);

      const again = startedWith(slurm.env, "bench", ...args);
      await until(() => Deno.stat(`${out}/slurm/2/id`).then(() => true, () => false), "another array");
      const left = (await Deno.readTextFile(`${out}/slurm/2/tasks`)).trimEnd().split("\n");
      deepStrictEqual(left, [1, 2, 3, 4, 5, 6].map((seed) => `patient.seed-${seed}`));
      again.kill("SIGINT");
      equal((await ended(again)).code, 130);
    }),
});
