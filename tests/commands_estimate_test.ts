import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import { estimateText } from "../commands/estimate.ts";
import { bench, inFolder, namesIn, pathOf } from "./commands_running.ts";
import { starts } from "./engine_op_cases.ts";

const small = ["mri", "--profile", "smoke", "--methods", "zero-filled,supervised", "--seeds", "3"];

Deno.test("bench --estimate says what each row will take, and leaves nothing", () =>
  inFolder(async (folder) => {
    const out = `${folder}/run`;
    const { code, out: said, err } = await bench(...small, "--estimate", "--out", out);
    equal(code, 0, err);
    match(said, /zero-filled +1 job of \d+ s, \d+ MB of memory, .* of disk\n/);
    match(said, /supervised +3 jobs of \d+ s, \d+ MB of memory, .* of disk\n/);
    match(
      said,
      /about 0\.\d+ core-hours, \d+ s with \d workers?, which take up to \d+ MB of memory; .* of disk/,
    );
    deepStrictEqual(await namesIn(out), []);
  }));

Deno.test("bench --max-hours refuses what takes longer, estimates only what is missing, and says if that is nothing", () =>
  inFolder(async (folder) => {
    const args = [...small, "--out", `${folder}/run`];
    const refused = await bench(...args, "--max-hours", "0.0001");
    equal(refused.code, 2);
    match(
      refused.err,
      /it would take about 0\.\d+ core-hours; that is more than --max-hours 0\.0001\n {2}where/,
    );
    deepStrictEqual(await namesIn(`${folder}/run`), []);

    equal((await bench(...args, "--max-hours", "10")).code, 0);
    const more = await bench(...args, "--methods", "zero-filled,supervised,wgan", "--estimate");
    equal(more.code, 0, more.err);
    match(more.out, /wgan +3 jobs of/);
    equal(/supervised +\d jobs? of/.test(more.out), false);
    match((await bench(...args, "--estimate")).out, /nothing is left to be done/);

    const wrong = await bench(...args, "--max-hours", "many");
    equal(wrong.code, 2);
    match(wrong.err, /"many" is no number of hours/);
  }));

Deno.test("bench --profile paper is estimated unasked, and refused where it takes more than a day of a core", () =>
  inFolder(async (folder) => {
    const toy = ["toy", "--profile", "paper", "--use", pathOf("toy_extension.ts"), "--seeds", "1"];
    const args = [...toy, "--methods", "input,slow", "--out", `${folder}/run`];
    // Each update waits for 150 ms.
    const refused = await bench(...args, "--set", "updates=1000000");
    equal(refused.code, 2, refused.err);
    match(refused.out, /slow +1 job of \d+ (h|days)/);
    match(
      refused.err,
      /more than --max-hours 24\n {2}where: --max-hours\n {2}fix: +allow more, e\.g\. --max-hours \d\d, /,
    );
    deepStrictEqual(await namesIn(`${folder}/run`), []);
    const ran = await bench(...args, "--set", "updates=20");
    equal(ran.code, 0, ran.err);
    match(ran.out, /estimate, from a few updates of each row here:[^]*jobs +2, in/);
    equal((await bench(...args, "--set", "updates=1000000", "--fresh", "--plan")).code, 0);
  }));

Deno.test("an estimate sums jobs over rows, and takes no less than its longest job", () => {
  const row = { megabytes: 300, bytesKept: 2 ** 20, bytesRunning: 2 ** 20 };
  const text = estimateText([
    { ...row, method: "a", jobs: 10, seconds: 720 },
    { ...row, method: "long", jobs: 1, seconds: 10_800 },
  ], 8);
  // 2 and 3 hours of a core; eight workers could share them in 38 minutes, but for the long job.
  match(text, /about 5\.0 core-hours, 3 h with 8 workers, which take up to 2400 MB of memory; 19 MB of disk/);
});

// A batch of 8 takes a tensor of 4 GB, one of 1 a sixty-fourth of that: the first fits neither backend.
for (
  const [backend, memory] of [["wasm", /the 4 GB that WebAssembly/], [
    "webgpu",
    /the memory that webgpu has/,
  ]] as const
) {
  Deno.test({
    name:
      `bench --estimate on ${backend} refuses a batch that memory has no room for, and names one that fits`,
    ignore: !(await starts(backend)),
    fn: () =>
      inFolder(async (folder) => {
        const toy = ["toy", "--profile", "smoke", "--use", pathOf("toy_extension.ts"), "--seeds", "1"];
        const how = [
          "--methods",
          "hungry",
          "--backend",
          backend,
          "--set",
          "batch=8",
          "--out",
          `${folder}/run`,
        ];
        const { code, err } = await bench(...toy, ...how, "--estimate");
        equal(code, 2, err);
        match(err, memory);
        match(err, /"hungry" with batches of 8 does not fit/);
        const [, fits] = /--set batch=(\d) fits/.exec(err)!;
        ok(Number(fits) >= 1 && Number(fits) < 8);
      }),
  });
}
