import { deepStrictEqual, equal } from "node:assert/strict";
import { bench, ended, inFolder, lasting, namesIn, pathOf, startedWith } from "./commands_running.ts";
import { hasSlurm, said, TestSlurm } from "./slurm.ts";

// In a file of its own, since it waits for Slurm's clock.
Deno.test({
  name: "a job that is longer than its time limit goes on, as often as it takes, to the bytes of a local run",
  ignore: !hasSlurm,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/slurm`);
      await using slurm = await TestSlurm.start(`${folder}/slurm`);
      // Each of the updates waits 150 ms, so that all of them take more than the two minutes that there are; of which the
      // last one is notice.
      const toy = ["toy", "--profile", "smoke", "--use", pathOf("toy_extension.ts"), "--methods", "patient"];
      const long = [...toy, "--seeds", "1", "--set", "updates=820", "--checkpoint-seconds", "0"];
      const out = `${folder}/array`;
      const limited = [...long, "--executor", "slurm", "--sbatch", "--time=2", "--out", out];
      const [local, array] = await Promise.all([
        bench(...long, "--out", `${folder}/local`),
        ended(startedWith(slurm.env, "bench", ...limited)),
      ]);
      equal(local.code, 0, local.err);
      equal(array.code, 0, array.out + array.err);
      equal(await said(out, /stopped after update \d+ of 820/), true, "its time was not over before its end");
      deepStrictEqual(await namesIn(`${out}/slurm`), ["1"], "one array did it");
      deepStrictEqual(await lasting(out), await lasting(`${folder}/local`));
    }),
});
