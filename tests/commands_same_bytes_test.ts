import { deepStrictEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { bench, inFolder, job, lasting, namesIn, recordsOf } from "./commands_running.ts";

// One of each kind: no training, chosen on validation, pairs, and two networks with critics.
const methods = ["zero-filled", "total-variation", "supervised", "ot-cyclegan"];
const smoke = ["mri", "--profile", "smoke"];

Deno.test("bench leaves the same bytes with one worker and with two, whatever the order of --methods, and by single jobs", () =>
  inFolder(async (folder) => {
    const orders = [methods, methods.toReversed()].map((names) => ["--methods", names.join(",")]);
    const one = await bench(...smoke, ...orders[0], "--workers", "1", "--out", `${folder}/one`);
    equal(one.code, 0, one.err);
    const two = await bench(...smoke, ...orders[1], "--workers", "2", "--out", `${folder}/two`);
    equal(two.code, 0, two.err);
    const expected = await lasting(`${folder}/one`);
    deepStrictEqual(await lasting(`${folder}/two`), expected);
    for (const [name, { weights, state }] of await recordsOf(`${folder}/one`)) {
      equal(state.kind, "done");
      equal(weights !== null, name.includes("seed"), `${name} has weights where it trains`);
    }

    const plan = await bench(...smoke, ...orders[0], "--plan", "--out", `${folder}/plan`);
    equal(plan.code, 0, plan.err);
    deepStrictEqual(await namesIn(`${folder}/plan`), ["plan.json", "run.json"]);
    for (const index of [3, 1, 0, 2]) {
      const done = await job(`${folder}/plan`, String(index));
      equal(done.code, 0, done.err);
    }
    const gathered = await bench(...smoke, ...orders[0], "--out", `${folder}/plan`);
    match(gathered.out, /finished already: 4; to be done: 0/);
    deepStrictEqual(await lasting(`${folder}/plan`), expected);
  }));

Deno.test("bench --portable computes with other bits than fused arithmetic, and the same ones every time", () =>
  inFolder(async (folder) => {
    const some = [...smoke, "--methods", "supervised,ot-cyclegan"];
    for (const name of ["a", "b"]) {
      const { code, err } = await bench(...some, "--portable", "--out", `${folder}/${name}`);
      equal(code, 0, err);
    }
    const portable = await lasting(`${folder}/a`);
    deepStrictEqual(await lasting(`${folder}/b`), portable);

    const run = JSON.parse(await Deno.readTextFile(`${folder}/a/run.json`));
    equal(run.identity.arithmetic, "muladd");
    await bench(...some, "--out", `${folder}/c`);
    const fused = JSON.parse(await Deno.readTextFile(`${folder}/c/run.json`));
    if (fused.identity.arithmetic === "muladd") return; // This machine has no fused multiply-add.
    const [a, c] = [await recordsOf(`${folder}/a`), await recordsOf(`${folder}/c`)];
    for (const [name, { weights }] of a) notEqual(weights, c.get(name)!.weights);
    const refused = await bench(...some, "--out", `${folder}/a`);
    equal(refused.code, 2);
    match(refused.err, /holds another run: arithmetic: "muladd" there, "fma" here/);
  }));

Deno.test("table.csv and scores.csv have exactly the columns that other programs rely on, and a line for each score", () =>
  inFolder(async (folder) => {
    const { code, err } = await bench(...smoke, "--methods", "zero-filled,supervised", "--out", folder);
    equal(code, 0, err);
    const table = (await Deno.readTextFile(`${folder}/table.csv`)).trimEnd().split("\n");
    equal(table[0], "benchmark,profile,method,metric,convention,unit,mean,std,n");
    match(table[1], /^mri,smoke,zero-filled,psnr,fastmri,dB,\d+\.\d+,,1$/);
    const firsts = new Map<string, string>();
    for (const line of table.slice(1)) {
      const [, , method, metric, convention] = line.split(",");
      const key = `${method} ${metric}`;
      if (!firsts.has(key)) firsts.set(key, convention);
    }
    equal(firsts.get("supervised psnr"), "fastmri", "the benchmark's own convention stands first");

    const scores = (await Deno.readTextFile(`${folder}/scores.csv`)).trimEnd().split("\n");
    equal(scores[0], "benchmark,profile,method,seed,subject,sample,metric,convention,unit,value");
    ok(
      scores.some((line) => /^mri,smoke,zero-filled,,phantom-\d+,,psnr,fastmri,dB,[\d.]+$/.test(line)),
      "a volume's score has no sample, and a method without randomness no seed",
    );
    ok(scores.some((line) => /^mri,smoke,supervised,1,phantom-\d+,[^,]+,psnr,paper,dB,[\d.]+$/.test(line)));
    for (const line of [...table, ...scores]) ok(!/NaN|undefined|null(,|$)/.test(line), line);
  }));
