import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import {
  bench,
  ended,
  inFolder,
  lasting,
  namesIn,
  pathOf,
  recordsOf,
  started,
  timesOf,
} from "./commands_running.ts";
import { writeTiff } from "./datasets_files.ts";

const module = pathOf("toy_extension.ts");
const toy = ["toy", "--profile", "smoke", "--use", module];

Deno.test("bench that is interrupted ends with 130, and goes on to the same bytes as a run that was not", () =>
  inFolder(async (folder) => {
    const args = [
      ...toy,
      "--methods",
      "input,trained,slow",
      "--seeds",
      "2",
      "--workers",
      "1",
      "--set",
      "updates=8",
    ];
    const whole = await bench(...args, "--out", `${folder}/whole`);
    equal(whole.code, 0, whole.err);

    const child = started("bench", ...args, "--out", `${folder}/cut`);
    for (let tries = 0; await recordsIn(`${folder}/cut`) < 2; tries++) {
      ok(tries < 600, "the run has come to nothing");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    child.kill("SIGINT");
    const cut = await ended(child);
    equal(cut.code, 130);
    match(cut.err, /interrupted: finished jobs are kept in .*cut; the same command goes on/);
    const kept = await recordsIn(`${folder}/cut`);
    ok(kept < 5, "the interruption came too late to say anything");

    const before = await timesOf(`${folder}/cut`);
    const rest = await bench(...args, "--out", `${folder}/cut`);
    equal(rest.code, 0, rest.err);
    match(rest.out, new RegExp(`finished already: ${kept}; to be done: ${5 - kept}`));
    const after = await timesOf(`${folder}/cut`);
    for (const [name, time] of Object.entries(before)) equal(after[name], time, `${name} was run again`);
    deepStrictEqual(await lasting(`${folder}/cut`), await lasting(`${folder}/whole`));
  }));

Deno.test("a second bench in the folder of a running one is told who holds it, and changes nothing", () =>
  inFolder(async (out) => {
    const args = [...toy, "--methods", "slow", "--seeds", "1", "--set", "updates=30", "--out", `${out}/run`];
    const first = started("bench", ...args);
    for (
      let tries = 0;
      !(await namesIn(out)).includes("run") || !(await namesIn(`${out}/run`)).includes("plan.json");
      tries++
    ) {
      ok(tries < 600, "the run has come to nothing");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const second = await bench(...args, "--fresh");
    equal(second.code, 2);
    match(second.err, new RegExp(`the run in .* is held by process ${first.pid} on `));
    const { code, err } = await ended(first);
    equal(code, 0, err);
    ok(!(await namesIn(`${out}/run`)).includes("run.lock"));
    equal((await recordsOf(`${out}/run`)).size, 1);
  }));

Deno.test("bench adds seeds and methods to a run's folder, runs only what is missing, and --fresh starts over", () =>
  inFolder(async (out) => {
    const folder = `${out}/run`;
    await bench(...toy, "--methods", "trained", "--seeds", "1", "--out", folder);
    const first = await timesOf(folder);
    const more = await bench(...toy, "--methods", "half,input", "--out", folder);
    equal(more.code, 0, more.err);
    const last = await bench(...toy, "--methods", "trained", "--seeds", "2-3", "--out", folder);
    equal(last.code, 0, last.err);
    match(last.out, /seeds +1, 2, 3/);
    deepStrictEqual([...(await recordsOf(folder)).keys()], [
      "half.json",
      "input.json",
      "trained.seed-1.json",
      "trained.seed-2.json",
      "trained.seed-3.json",
    ]);
    equal((await timesOf(folder))["trained.seed-1.json"], first["trained.seed-1.json"]);

    const atOnce = await bench(...toy, "--seeds", "3", "--out", `${out}/at-once`);
    equal(atOnce.code, 0, atOnce.err);
    deepStrictEqual(await lasting(folder), await lasting(`${out}/at-once`));

    await Deno.writeTextFile(`${folder}/notes-of-mine.txt`, "precious");
    const fresh = await bench(...toy, "--methods", "input", "--fresh", "--out", folder);
    equal(fresh.code, 0, fresh.err);
    deepStrictEqual([...(await recordsOf(folder)).keys()], ["input.json"]);
    ok(
      (await namesIn(folder)).includes("notes-of-mine.txt"),
      "--fresh removes what the run left, and nothing else",
    );
  }));

Deno.test("bench refuses the folder of another run, naming the setting that differs, and a folder of other things", () =>
  inFolder(async (out) => {
    const folder = `${out}/run`;
    await bench(...toy, "--methods", "input", "--out", folder);
    const before = await lasting(folder);
    const differing: [string[], RegExp][] = [
      [["--set", "strength=3"], /settings\.strength: 2 there, 3 here/],
      [["--set", "half.gain=0.5"], /set\.half: not set there, \{"gain":0\.5\} here/],
      [["--data-seed", "2"], /data\.seed: 1 there, 2 here/],
      [["--backend", "cpu"], /backend: "wasm" there, "cpu" here/],
      [["--profile", "quick"], /profile: "smoke" there, "quick" here/],
      [["--split", "slabs"], /subject "s0" has 2 samples, too few for four slabs/],
    ];
    for (const [more, says] of differing) {
      const { code, err } = await bench(...toy, "--methods", "input", ...more, "--out", folder);
      equal(code, 2, more.join(" "));
      match(err, says);
      match(err, /where: [\s\S]*fix: /);
    }
    // What is set to the value that it has anyway makes no other run.
    const same = await bench(...toy, "--set", "half.gain=0.250", "--methods", "input", "--out", folder);
    equal(same.code, 0, same.err);
    deepStrictEqual(await lasting(folder), before);

    await Deno.mkdir(`${out}/foreign`);
    await Deno.writeTextFile(`${out}/foreign/thesis.tex`, "precious");
    for (const more of [[], ["--fresh"]]) {
      const { code, err } = await bench(...toy, ...more, "--out", `${out}/foreign`);
      equal(code, 2);
      match(err, /holds no run, but thesis\.tex/);
    }
    deepStrictEqual(await namesIn(`${out}/foreign`), ["thesis.tex"]);
  }));

Deno.test("bench runs a damaged, a failed and a foreign record again, and leaves the good ones", () =>
  inFolder(async (folder) => {
    const args = [...toy, "--seeds", "2", "--out", folder];
    await bench(...args);
    const expected = await lasting(folder);
    const records = `${folder}/records`;
    await Deno.writeTextFile(`${records}/input.json`, '{"version": 1, "bench');
    const half = JSON.parse(await Deno.readTextFile(`${records}/half.json`));
    await Deno.writeTextFile(
      `${records}/half.json`,
      JSON.stringify({ ...half, state: { kind: "failed", reason: "?" } }),
    );
    const seed1 = JSON.parse(await Deno.readTextFile(`${records}/trained.seed-1.json`));
    const foreign = JSON.stringify({ ...seed1, configuration: "of another run" });
    await Deno.writeTextFile(`${records}/trained.seed-1.json`, foreign);
    const mended = await bench(...args);
    equal(mended.code, 0, mended.err);
    match(mended.out, /input\.json[\s\S]*it is run again/);
    match(mended.out, /half failed before and is run again/);
    match(
      mended.out,
      /trained seed 1 was run with other settings \(another configuration\) and is run again/,
    );
    match(mended.out, /finished already: 1; to be done: 3/);
    deepStrictEqual(await lasting(folder), expected);
  }));

async function recordsIn(folder: string): Promise<number> {
  const names = await namesIn(`${folder}/records`).catch(() => []);
  return names.filter((name) => name.endsWith(".json")).length;
}

Deno.test("a folder is not gone on with where a file that a setting names is another one by now", () =>
  inFolder(async (folder) => {
    const kernel = `${folder}/other.tif`;
    const spot = (middle: number) => Float32Array.from({ length: 9 }, (_, i) => i === 4 ? middle : 1);
    const args = ["deconvolution", "--profile", "smoke", "--methods", "widefield", "--plan"]
      .concat("--set", `measured-with=${kernel}`, "--out", `${folder}/run`);
    await writeTiff(kernel, { shape: [1, 3, 3], data: spot(4) });
    for (let time = 0; time < 2; time++) {
      const { code, err } = await bench(...args);
      equal(code, 0, err);
    }
    await writeTiff(kernel, { shape: [1, 3, 3], data: spot(5) });
    const { code, err } = await bench(...args);
    equal(code, 2, err);
    match(err, /the folder holds another run: files/);
  }));
