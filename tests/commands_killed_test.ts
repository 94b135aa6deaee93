import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import { bench, inFolder, job, namesIn, pathOf, recordsOf } from "./commands_running.ts";
import { kill, plan, sameRecords } from "./killing.ts";

const small = ["mri", "--profile", "smoke", "--seeds", "1", "--set", "updates=500", "--set", "checks=5"];

for (const method of ["cyclegan", "ot-cyclegan-spectral-norm"]) {
  Deno.test(`a job of ${method} that is killed three times goes on, and ends with the same bytes`, () =>
    inFolder(async (out) => {
      const args = [...small, "--methods", method, "--checkpoint-seconds", "0"];
      const [whole, cut] = [`${out}/whole`, `${out}/cut`];
      await plan(whole, ...args);
      equal((await job(whole, "0")).code, 0);

      await plan(cut, ...args);
      let before = 0;
      for (const share of [0.1, 0.4, 0.7]) {
        const killed = await kill(cut, 0, ({ phase, done }) => phase === "training" && done > share);
        equal(killed.finished, false, "it came to its end before it could be killed");
        ok(killed.done > before, "it did not go on from where it was");
        before = killed.done;
        ok(!(await namesIn(cut)).includes("records"), "it left a record");
      }
      // The last one has little left to do, and the first thing that it tells of its training says so.
      const first = await kill(cut, 0, ({ phase }) => phase === "training");
      ok(first.finished || first.done > 0.7, `it started over: ${first.done}`);
      equal((await job(cut, "0")).code, 0);
      await sameRecords(whole, cut);
      deepStrictEqual(await namesIn(`${cut}/checkpoints`), []);
    }));
}

Deno.test("bench names a damaged checkpoint, goes on from the one before it, and leaves the same record", () =>
  inFolder(async (out) => {
    const args = ["toy", "--profile", "smoke", "--use", pathOf("toy_extension.ts"), "--methods", "patient"]
      .concat("--seeds", "1", "--set", "updates=8", "--checkpoint-seconds", "0");
    const [whole, cut] = [`${out}/whole`, `${out}/cut`];
    equal((await bench(...args, "--out", whole)).code, 0);
    const newest = `${cut}/checkpoints/patient.seed-1.checkpoint`;
    for (const damaged of [[newest], [newest, `${newest}.before`]]) {
      await Deno.remove(cut, { recursive: true }).catch(() => {});
      await plan(cut, ...args);
      await kill(cut, 0, ({ phase, done }) => phase === "training" && done > 0.4);
      // A kill between two renames leaves the one before only.
      await Deno.stat(newest).catch(() => Deno.copyFile(`${newest}.before`, newest));
      for (const path of damaged) await Deno.truncate(path, 50);
      const { code, out: said, err } = await bench(...args, "--out", cut);
      equal(code, 0, err);
      for (const path of damaged) {
        ok(said.includes(`patient seed 1: cannot use a checkpoint: its bytes are not`), said);
        ok(said.includes(`where: ${path}\n`), said);
      }
      match(
        said,
        damaged.length === 1
          ? /patient seed 1: it goes on after update \d, from the one before: .*\.checkpoint\.before\n/
          : /patient seed 1: no checkpoint is left to go on from: its training starts over\n/,
      );
      await sameRecords(whole, cut);
    }
  }));

Deno.test("a worker reads the data, writes into the run's folder, and may do nothing else", () =>
  inFolder(async (folder) => {
    const out = `${folder}/a folder, with a comma`;
    const args = ["toy", "--profile", "smoke", "--use", pathOf("toy_extension.ts"), "--out", out];
    const { code, err } = await bench(...args, "--methods", "input,trespassing", "--keep-images");
    equal(code, 1, err);
    const records = await recordsOf(out);
    equal(records.get("input.json")?.state.kind, "done");
    match((records.get("trespassing.json")?.state as { reason: string }).reason, /it could do nothing/);
  }));

Deno.test("a worker that is killed is tried once more, and one that hangs is ended; the row says so", () =>
  inFolder(async (out) => {
    const args = ["toy", "--profile", "smoke", "--use", pathOf("toy_extension.ts"), "--out", out];
    const { code, out: said } = await bench(
      ...args,
      "--methods",
      "input,killed,hanging",
      "--hang-seconds",
      "3",
    );
    equal(code, 1);
    match(said, /killed: the worker ended with code 134 \(SIGABRT\)[^]*it is tried once more/);
    const records = await recordsOf(out);
    equal(records.get("input.json")?.state.kind, "done");
    const reasonOf = (name: string) => (records.get(name)?.state as { reason?: string }).reason;
    match(
      reasonOf("killed.json")!,
      /^twice: the worker ended with code 134 \(SIGABRT\): it was about to say something/,
    );
    match(reasonOf("hanging.json")!, /^twice: the worker did nothing for 3 seconds and was ended/);
  }));
