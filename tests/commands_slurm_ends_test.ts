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

Deno.test({
  name: "a launcher that was killed while it submitted has left one array, which the same command watches",
  ignore: !hasSlurm,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/slurm`);
      await using slurm = await TestSlurm.start(`${folder}/slurm`);
      const out = `${folder}/a run`;
      const args = [...toy, "--methods", "input,trained", "--seeds", "2", "--out", out];

      const killed = startedWith(slurm.env, "bench", ...args, "--sbatch", "--hold");
      await until(() => Deno.stat(`${out}/slurm/1/id`).then(() => true, () => false), "the array");
      killed.kill("SIGKILL");
      await ended(killed);
      // What it would have left a moment before: Slurm has taken the array, and nobody has heard its number.
      await Deno.remove(`${out}/slurm/1/id`);

      const status = await ended(startedWith(slurm.env, "bench", "status", out));
      match(status.out, /Slurm: array 1: 3 pending/);
      const refused = await ended(startedWith(slurm.env, "bench", ...args, "--fresh"));
      match(refused.err, /Slurm's queue still has tasks of this run: 3 of array 1/);

      const again = startedWith(slurm.env, "bench", ...args);
      await slurm.run("scontrol", "release", "1");
      const { code, err } = await ended(again);
      equal(code, 0, err);
      deepStrictEqual(await namesIn(`${out}/slurm`), ["1"]);
      // Its tasks have written it down.
      equal(await Deno.readTextFile(`${out}/slurm/1/id`), "1\n");
    }),
});
