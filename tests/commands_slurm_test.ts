import { deepStrictEqual, equal, match } from "node:assert/strict";
import { readIfThere } from "../core/files.ts";
import {
  bench,
  type Ended,
  ended,
  inFolder,
  lasting,
  namesIn,
  pathOf,
  startedWith,
} from "./commands_running.ts";
import { hasSlurm, nodes, said, TestSlurm, until } from "./slurm.ts";

const small = ["mri", "--profile", "smoke", "--set", "updates=1000", "--checkpoint-seconds", "0"];
const jobs = ["--methods", "zero-filled,supervised,ot-cyclegan", "--seeds", "10"];

Deno.test({
  name:
    "an array whose tasks are killed, preempted, told to stop, and lose their node leaves the bytes of a local run",
  ignore: !hasSlurm,
  fn: () =>
    inFolder(async (folder) => {
      const local = await bench(...small, ...jobs, "--out", `${folder}/local`);
      equal(local.code, 0, local.err);

      await Deno.mkdir(`${folder}/slurm`);
      await using slurm = await TestSlurm.start(`${folder}/slurm`);
      const out = `${folder}/array`;
      const args = [...small, ...jobs, "--executor", "slurm", "--sbatch", "--time=10", "--out", out];
      const first = startedWith(slurm.env, "bench", ...args);

      // The worker of one task dies, as by want of memory.
      const victim = await worker(out, slurm, []);
      Deno.kill(victim.process, "SIGKILL");
      // Whoever watched goes, and Slurm goes on.
      first.kill("SIGINT");
      const left = await ended(first);
      equal(left.code, 130, left.err);
      match(left.out, /Slurm goes on without this program; scancel 1 would end it/);

      // Another task is told that its time is nearly over.
      const warned = await worker(out, slurm, [victim.job]);
      await slurm.warn(warned.task, "USR1");
      await until(() => said(out, /stopped after update \d+ of 1000/), "the task to keep its training");
      // Those of one node make room for somebody of more importance.
      await on(slurm, nodes[0]);
      const important = ["--partition=high", `--nodelist=${nodes[0]}`, "--exclusive", "--output=/dev/null"];
      await slurm.run("sbatch", ...important, "--wrap=sleep 1");
      await until(() => said(out, /DUE TO PREEMPTION/), "the preemption");
      // And those of the other one lose theirs.
      await on(slurm, nodes[1]);
      await slurm.run("scontrol", "update", `nodename=${nodes[1]}`, "state=down", "reason=test");
      await until(() => said(out, /DUE TO NODE FAILURE/), "the node to fail");
      const status = await ended(startedWith(slurm.env, "bench", "status", out));
      match(
        status.out,
        /21 jobs in .*\n {2}\d+ done, 0 diverged, 0 failed, \d+ started, \d+ not yet\n {2}Slurm: array \d+: /,
      );
      match(status.out, /seed \d+: \d+ of 1000 updates are kept; task \d+_\d+, (running|pending)/);
      await slurm.run("scontrol", "update", `nodename=${nodes[1]}`, "state=resume");

      // Over its head nobody starts the run over, or runs it elsewhere.
      for (const more of [["--executor", "local"], ["--executor", "slurm", "--fresh"]]) {
        const refused = await ended(
          startedWith(slurm.env, "bench", ...small, ...jobs, ...more, "--out", out),
        );
        equal(refused.code, 2, refused.out);
        match(refused.err, /Slurm's queue still has tasks of this run[^]*scancel \d+/);
      }

      const again: Ended = await ended(startedWith(slurm.env, "bench", ...args));
      equal(again.code, 0, again.err);
      const submitted = (await namesIn(`${out}/slurm`)).length;
      // What was killed left no record, and had a second task.
      equal(submitted, 2);
      equal(await Deno.readTextFile(`${out}/slurm/2/tasks`), `${victim.job}\n`);
      deepStrictEqual(await lasting(out), await lasting(`${folder}/local`));
      deepStrictEqual(await namesIn(`${out}/checkpoints`), []);
    }),
});

/** A worker that has kept some of its training, and its task. */
async function worker(
  out: string,
  slurm: TestSlurm,
  but: readonly string[],
): Promise<{ job: string; process: number; task: string }> {
  let found: { job: string; process: number; task: string } | undefined;
  await until(async () => {
    const tasks = (await readIfThere(`${out}/slurm/1/tasks`))?.trimEnd().split("\n") ?? [];
    const id = (await readIfThere(`${out}/slurm/1/id`))?.trim();
    const running = await slurm.run("squeue", "--noheader", "--array", "--states=RUNNING", "--format=%i");
    for (const [index, job] of tasks.entries()) {
      const task = `${id}_${index}`;
      if (but.includes(job) || !running.split("\n").includes(task)) continue;
      const holder = /^process (\d+) on /.exec(await readIfThere(`${out}/locks/${job}.lock`) ?? "");
      const keeps = await Deno.stat(`${out}/checkpoints/${job}.checkpoint`).then(() => true, () => false);
      if (holder !== null && keeps) found = { job, process: Number(holder[1]), task };
    }
    return found !== undefined;
  }, "a worker that trains");
  return found!;
}

/** Waits until a task runs on a node. */
function on(slurm: TestSlurm, node: string): Promise<void> {
  const tasks = () => slurm.run("squeue", "--noheader", `--nodelist=${node}`, "--states=RUNNING");
  return until(async () => (await tasks()).trim() !== "", `a task on node ${node}`);
}

Deno.test("bench without Slurm refuses --executor slurm in words, and options of sbatch that it gives itself", () =>
  inFolder(async (folder) => {
    const toy = ["toy", "--profile", "smoke", "--use", pathOf("toy_extension.ts"), "--out", `${folder}/run`];
    const refused = async (env: Record<string, string>, more: string[], says: RegExp) => {
      const { code, err } = await ended(startedWith(env, "bench", ...toy, ...more));
      equal(code, 2, err);
      match(err, says);
      match(err, /\n {2}fix: /);
    };
    await refused({ PATH: "/nowhere" }, ["--executor", "slurm"], /there is no s\w+ here/);
    await refused(
      {},
      ["--executor", "slurm", "--sbatch", "--array=1-9"],
      /--array is for this program to give/,
    );
    await refused({}, ["--sbatch", "--time=1"], /add --executor slurm/);
    await refused({}, ["--executor", "slrum"], /did you mean "slurm"/);
    deepStrictEqual(await namesIn(folder), [], "nothing was begun");
  }));
