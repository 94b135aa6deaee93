/** `deno task check` on the toy benchmark, with a method whose quality and spread each test chooses. */

import { deepEqual, equal, match } from "node:assert/strict";
import { type Baseline, parseBaseline } from "../results/baseline.ts";
import { check, type Ended, inFolder, namesIn } from "./commands_running.ts";
import { starts } from "./engine_op_cases.ts";

/** A module with the row `mine`, which multiplies what it sees: the nearer to 1, the smaller its error. */
function moduleOf({ level = 0.9, spread = 0.001, prepare = "" }): string {
  return `import * as tf from "${import.meta.resolve("@tensorflow/tfjs-core")}";
import { input, toyBenchmark } from "${import.meta.resolve("./toy.ts")}";
const mine = {
  ...input,
  name: "mine",
  trains: true,
  prepare(_problem, _settings, rng) {
    ${prepare}
    const factor = ${level} + ${spread} * rng.normal();
    return {
      parameters: 1,
      macs: () => 32,
      reconstruct: (y, { see }) => tf.tidy(() => tf.mul(see(y), factor)),
      weights: () => Promise.resolve([{ name: "factor", shape: [1], data: Float32Array.of(factor) }]),
      [Symbol.dispose]() {},
    };
  },
};
const toy = toyBenchmark();
const profiles = {
  ...toy.profiles,
  check: { about: "tiny", settings: { panels: 0 }, guards: { input: 0.02 }, seeds: "3", baselineSeeds: "5" },
};
export default { benchmarks: [{ ...toy, profiles, rows: [...toy.rows, { name: "mine", method: mine }] }] };
`;
}

/** Runs the check of a program of this quality in a folder that may hold a baseline already. */
async function checked(
  folder: string,
  program: Parameters<typeof moduleOf>[0],
  ...args: string[]
): Promise<Ended & { summary: string; runs: string[] }> {
  await Deno.writeTextFile(`${folder}/mine.ts`, moduleOf(program));
  const summary = `${folder}/summary.md`;
  await Deno.remove(summary).catch(() => {});
  const ended = await check(
    summary,
    ...["--use", `${folder}/mine.ts`, "--benchmarks", "toy", "--baseline", `${folder}/baseline.json`],
    ...["--out", `${folder}/runs`, "--fresh", ...args],
  );
  return {
    ...ended,
    summary: await Deno.readTextFile(summary).catch(() => ""),
    runs: await namesIn(`${folder}/runs/toy/records`).catch(() => []),
  };
}

const update = ["--update", "--methods", "input,mine"];

async function baselineIn(folder: string): Promise<Baseline> {
  const path = `${folder}/baseline.json`;
  return parseBaseline(await Deno.readTextFile(path), path);
}

Deno.test("a program that did not change passes after one seed, bit-identical; a worse one is found, and a better one told", () =>
  inFolder(async (folder) => {
    const made = await checked(folder, {}, ...update);
    equal(made.code, 0, made.err);
    const [{ rows, samples }] = (await baselineIn(folder)).checks;
    deepEqual(rows.map(({ name, jobs }) => [name, jobs.length]), [["input", 1], ["mine", 5]]);
    equal(samples.length, 8);

    const same = await checked(folder, {}, "--junit", `${folder}/same.xml`);
    equal(same.code, 0, same.err);
    deepEqual(same.runs, ["input.json", "mine.seed-1.json"]);
    match(same.out, /identical +mine +the same weights and scores, to the bit/);
    match(same.out, /2 rows checked: 2 bit-identical\./);
    match(await Deno.readTextFile(`${folder}/same.xml`), /tests="2" failures="0" skipped="0"/);

    const worse = await checked(folder, { level: 0.8 }, "--junit", `${folder}/worse.xml`);
    equal(worse.code, 1, worse.out + worse.err);
    deepEqual(worse.runs.filter((name) => name.startsWith("mine")).length, 3);
    match(worse.out, /seed 1 is not the baseline's to the bit, so all seeds are run/);
    match(
      worse.out,
      /REGRESSION +mine .*: worse by 0\.10\d \(−.* to −.*\); p < 0\.0001; .*3 against 5 seeds/,
    );
    match(worse.out, /identical +input/);
    match(
      await Deno.readTextFile(`${folder}/worse.xml`),
      /<testcase classname="toy" name="mine: mae toy"><failure type="regression" message="[^"]+"\/>/,
    );
    match(worse.summary, /^## Quality: 2 rows checked: 1 worse than the baseline, 1 bit-identical/);
    match(worse.summary, /\| REGRESSION \| mine \| /);

    const better = await checked(folder, { level: 0.95 });
    equal(better.code, 0, better.out + better.err);
    match(better.out, /pass +mine .*: better by .*; --update keeps the gain/);
  }));

Deno.test("a check on another backend than the baseline's says so, and lets seeds decide", () =>
  inFolder(async (folder) => {
    equal((await checked(folder, {}, ...update)).code, 0);
    // What rounding makes of the weights.
    const same = await checked(folder, { level: 0.900001 }, "--backend", "cpu");
    equal(same.code, 0, same.out + same.err);
    match(same.out, /note: computed by cpu here and by wasm there, so no bits are the same/);
    match(same.out, /pass +mine .*3 against 5 seeds/);
    const worse = await checked(folder, { level: 0.8 }, "--backend", "cpu");
    equal(worse.code, 1, worse.out + worse.err);
  }));

for (const name of ["native", "webgpu"]) {
  Deno.test({
    name: `a check on ${name} of a baseline of ${name} takes other bits for noise`,
    ignore: !(await starts(name)),
  }, () =>
    inFolder(async (folder) => {
      equal((await checked(folder, {}, "--backend", name, ...update)).code, 0);
      const { code, out, err } = await checked(folder, { level: 0.900001 }, "--backend", name);
      equal(code, 0, out + err);
      match(out, new RegExp(`note: ${name} does not repeat its bits, so seeds alone decide`));
    }));
}

Deno.test("where seeds lie too far apart to tell, the check is inconclusive and says how many seeds would decide", () =>
  inFolder(async (folder) => {
    const noisy = { level: 0.8, spread: 0.05 };
    equal((await checked(folder, noisy, ...update)).code, 0);
    const { code, out, summary } = await checked(
      folder,
      { ...noisy, level: 0.79 },
      "--junit",
      `${folder}/junit.xml`,
    );
    equal(code, 3, out);
    match(
      out,
      /inconclusive +mine .*neither show a loss nor exclude one of 0\.02; if it stays so, \d+ seeds would decide/,
    );
    match(summary, /\| inconclusive \| mine \|/);
    match(
      await Deno.readTextFile(`${folder}/junit.xml`),
      /failures="0" skipped="1"[\s\S]*<skipped message="[^"]+"\/>/,
    );
  }));

Deno.test("a job that fails or diverges is a regression with its reason, and no baseline is made of it", () =>
  inFolder(async (folder) => {
    const broken = { prepare: 'throw new Error("out of luck");' };
    const first = await checked(folder, broken, ...update);
    equal(first.code, 1);
    match(first.err, /is left as it was: jobs of mine of toy failed/);
    equal(await Deno.stat(`${folder}/baseline.json`).catch(() => undefined), undefined);

    equal((await checked(folder, {}, ...update)).code, 0);
    const { code, out } = await checked(folder, broken);
    equal(code, 1);
    match(out, /REGRESSION +mine +seed 1 failed: Error: out of luck/);
    const diverged = await checked(folder, { level: NaN });
    equal(diverged.code, 1);
    match(
      diverged.out,
      /REGRESSION +mine +seed 1 diverged at update 0: a reconstruction holds a value that is not finite/,
    );
  }));

Deno.test("a check refuses what it cannot compare, with exit code 2 and before anything is run", () =>
  inFolder(async (folder) => {
    const refused = async (says: RegExp, ...args: string[]) => {
      const { code, err, runs } = await checked(folder, {}, ...args);
      equal(code, 2, err);
      match(err, says);
      match(err, /\n {2}fix: {3}\S/);
      deepEqual(runs, []);
    };
    await refused(/there is no baseline[\s\S]*--update/);
    equal((await checked(folder, {}, ...update)).code, 0);
    await Deno.remove(`${folder}/runs`, { recursive: true });
    await refused(
      /the baseline of toy is of another check: settings\.strength: 2 there, 3 here/,
      "--set",
      "strength=3",
    );
    await refused(/unknown method "mien"[\s\S]*did you mean "mine"/, "--methods", "mien");
    await refused(/unknown benchmark "toi"[\s\S]*did you mean "toy"/, "--benchmarks", "toi");
    await refused(/the baseline has no benchmark "mri"/, "--benchmarks", "mri");
    await refused(/unknown option --benchmark[\s\S]*did you mean "--benchmarks"/, "--benchmark", "toy");
    await refused(/nothing was asked for by "toy"/, "toy");
    const text = await Deno.readTextFile(`${folder}/baseline.json`);
    for (
      const [broken, says] of [
        [text.slice(0, 300), /cannot read a baseline: .*JSON/],
        [text.replace('"version": 1', '"version": 2'), /its version is 2, this program reads 1/],
        [
          text.replace(/"scores":\[[^,]+,/, '"scores":['),
          /the row "input" of toy has no margin, or jobs without a score/,
        ],
        ["{}", /it has no list "checks"/],
      ] as const
    ) {
      await Deno.writeTextFile(`${folder}/baseline.json`, broken);
      await refused(says);
    }
  }));

Deno.test("--update says how the new baseline differs from the old, and leaves other benchmarks in the file as they are", () =>
  inFolder(async (folder) => {
    equal((await checked(folder, {}, ...update)).code, 0);
    const [toy] = (await baselineIn(folder)).checks;
    const both = { version: 1, checks: [toy, { ...toy, benchmark: "another" }] };
    await Deno.writeTextFile(`${folder}/baseline.json`, JSON.stringify(both));
    const { code, out, err } = await checked(folder, { level: 0.8 }, ...update);
    equal(code, 0, err);
    match(out, /REGRESSION +mine/);
    const { checks } = await baselineIn(folder);
    deepEqual(checks.map(({ benchmark }) => benchmark), ["another", "toy"]);
    equal((await checked(folder, { level: 0.8 })).code, 0);
  }));
