import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import { keepReconstructions, readReconstructions } from "../datasets/formats/reconstructions.ts";
import { bench, ended, inFolder, namesIn, pathOf, started, timesOf } from "./commands_running.ts";

const verify = (...args: string[]) => ended(started("verify", ...args));
const reproduce = (...args: string[]) => ended(started("reproduce", ...args));

const smoke = [
  "mri",
  "--profile",
  "smoke",
  "--methods",
  "zero-filled,supervised",
  "--seeds",
  "4-4",
  "--keep-images",
];
const toyModule = pathOf("toy_extension.ts");

/** Changes a text file. */
async function edit(path: string, change: (text: string) => string): Promise<void> {
  await Deno.writeTextFile(path, change(await Deno.readTextFile(path)));
}

Deno.test("reproduce makes a run again to the same bytes, and says whose number was changed", () =>
  inFolder(async (folder) => {
    const run = `${folder}/run`;
    equal((await bench(...smoke, "--set", "updates=3", "--out", run)).code, 0);
    const same = await reproduce(run);
    equal(same.code, 0, same.err);
    match(same.out, /same code, programs and machine/);
    match(same.out, /every byte is the same: 2 records, tables, pictures/);

    // The same command compares again what it has made already, and makes none of it again.
    const made = await timesOf(`${run}-again`);
    await edit(
      `${run}/records/supervised.seed-4.json`,
      (text) => text.replace(/"value":(\d)/, '"value":1$1'),
    );
    const other = await reproduce(run, "--workers", "1");
    equal(other.code, 1, other.err);
    match(
      other.out,
      /method "supervised", seed 4: 1 of \d+ scores, by \d\.\de[+-]\d of its value at the most: /,
    );
    match(other.out, /why it may: code, programs and machine are the same, so it may not/);
    deepStrictEqual(await timesOf(`${run}-again`), made);
  }));

Deno.test("reproduce says which program was another, and refuses what cannot be made here", () =>
  inFolder(async (folder) => {
    const run = `${folder}/run`;
    equal((await bench("mri", "--profile", "smoke", "--methods", "zero-filled", "--out", run)).code, 0);
    await edit(`${run}/run.json`, (text) => text.replace(/"deno": "[^"]*"/, '"deno": "2.0.0"'));
    await edit(`${run}/plan.json`, (text) => text.replace(/("baselines\/input\.ts":)"[^"]*"/, '$1"of then"'));
    const { code, out } = await reproduce(run);
    equal(code, 0);
    match(out, /what is other here:\n +deno: "2\.0\.0" there, "[^"]+" here \(other versions of V8 may round/);
    match(out, /^ +sources: baselines\/input\.ts$/m);

    const before = await Deno.readTextFile(`${run}/run.json`);
    const refusals: [(text: string) => string, RegExp][] = [
      [
        (text) => text.replace('"arithmetic": "fma"', '"arithmetic": "sse9"'),
        /arithmetic: "sse9" there, "\w+" here/,
      ],
      [(text) => text.replace('"dataSeed": 1', '"dataSeed": 2'), /data\.seed: 1 there, 2 here/],
      [(text) => text.replace('"order"', '"disorder"'), /does not say how it was ordered/],
    ];
    for (const [change, says] of refusals) {
      await Deno.writeTextFile(`${run}/run.json`, change(before));
      const refused = await reproduce(run, "--out", `${folder}/other`);
      equal(refused.code, 2, refused.out);
      match(refused.err, says);
      match(refused.err, /where: .*run\.json\n +fix: /);
    }
    equal((await reproduce(run, "--out", run)).code, 2);
    equal((await reproduce(`${folder}/nothing`)).code, 2);
  }));

Deno.test("reproduce and verify run a module that a run names only where the user names it, too", () =>
  inFolder(async (folder) => {
    const run = `${folder}/run`;
    const args = [
      "toy",
      "--profile",
      "smoke",
      "--use",
      toyModule,
      "--methods",
      "input,trained",
      "--out",
      run,
    ];
    equal((await bench(...args)).code, 0);
    for (const command of [reproduce, verify]) {
      const unnamed = await command(run);
      equal(unnamed.code, 2);
      match(
        unnamed.err,
        /made with .*toy_extension\.ts, which is a program[^]*fix: +read it, and give --use /,
      );
      const named = await command(run, "--use", toyModule);
      equal(named.code, 0, named.err);
    }
  }));

Deno.test("verify holds kept reconstructions to the recorded scores, and finds each thing that was changed", () =>
  inFolder(async (folder) => {
    const run = `${folder}/run`;
    equal((await bench(...smoke, "--out", run)).code, 0);
    const sound = await verify(run);
    equal(sound.code, 0, sound.out + sound.err);
    match(
      sound.out,
      /36 of \d\d scores made again from kept images; images alone do not decide data-consistency, null-space/,
    );

    const kept = `${run}/reconstructions/supervised/seed-4/phantom-007.h5`;
    const record = `${run}/records/supervised.seed-4.json`;
    const faults: [string, (bytes: Uint8Array) => void, RegExp][] = [
      [`${run}/images/0/truth.f32`, (bytes) => bytes[5] ^= 1, /images\/0\/truth\.f32: its bytes are not/],
      // The least bit of a value in the middle of the first slice of the truth.
      [
        kept,
        (bytes) => bytes[bytes.length - 8192 + 4 * (16 * 32 + 16)] ^= 1,
        /supervised", seed 4: \w+ \(\w+\) of phantom-007.* the record says/,
      ],
      [kept, (bytes) => bytes.fill(0, 0, 64), /phantom-007: cannot read the HDF5 file/],
      [`${run}/table.csv`, (bytes) => bytes[60] += 1, /table\.csv is not what these records give/],
      [`${run}/records.jsonl`, (bytes) => bytes[200] += 1, /records\.jsonl:1 is not a record of records/],
      [`${run}/run.json`, edited('"dataSeed": 1', '"dataSeed": 1'), /all of it holds/],
      [`${run}/run.json`, edited('"acceleration": 4', '"acceleration": 5'), /its settings have the hash/],
      [record, edited('"kind":"done"', '"kind":"gone"'), /its "state" is missing or of the wrong kind/],
    ];
    for (const [path, spoil, says] of faults) {
      const bytes = await Deno.readFile(path);
      const spoilt = bytes.slice();
      spoil(spoilt);
      await Deno.writeFile(path, spoilt);
      const { code, out } = await verify(run);
      match(out, says);
      equal(code, says.source === "all of it holds" ? 0 : 1, says.source);
      await Deno.writeFile(path, bytes);
    }
    // Another benchmark's record, and a copy: the tables are the same, and whoever asks is told.
    const table = await Deno.readFile(`${run}/table.md`);
    for (const name of ["wiener.json", "supervised.seed-4-copy.json"]) {
      const stray = `${run}/records/${name}`;
      await Deno.copyFile(record, stray);
      const verified = await verify(run);
      equal(verified.code, 1);
      ok(verified.out.includes(`where: ${stray}\n`) && /\n1 fault\n/.test(verified.out), verified.out);
      const reported = await ended(started("report", run, "--format", "md"));
      equal(reported.code, 1, reported.err);
      match(reported.err, /^not in the report: no job of the run's plan leaves a record of this name\n/m);
      ok(reported.err.includes(`where: ${stray}\n`));
      deepStrictEqual(await Deno.readFile(`${run}/table.md`), table);
      await Deno.remove(stray);
    }
    await Deno.remove(record);
    match((await verify(run)).out, /supervised\.seed-4\.json is missing/);
    equal((await verify(`${folder}/nothing`)).code, 2);
  }));

Deno.test("verify makes scores of kept planes and volumes again, resolutions in nm too, and says where it could make none", () =>
  inFolder(async (folder) => {
    for (const benchmark of ["deconvolution", "deconvolution-3d", "smlm"]) {
      const run = `${folder}/${benchmark}`;
      const args = [benchmark, "--profile", "smoke", "--methods", "widefield", "--keep-images"];
      const made = await bench(...args, "--out", run);
      equal(made.code, 0, made.err);
      const sound = await verify(run);
      equal(sound.code, 0, sound.out + sound.err);
      if (benchmark === "smlm") {
        match(sound.out, / \? +none of \d+ scores was made again from kept images; /);
        match(sound.out, /what was checked holds; what has a \? could not be checked$/m);
        continue;
      }
      match(sound.out, /holds {2}[1-9]\d* of \d+ scores made again/);
      match(sound.out, /all of it holds/);
      // Another size of a pixel, and another value of one.
      const kept = `${run}/reconstructions/widefield/seed-none`;
      const [name] = await namesIn(kept);
      const base = `${kept}/${name.replace(".h5", "")}`;
      const samples = await readReconstructions(base);
      const wider = samples.map((one) => ({ ...one, pixelNm: one.pixelNm!.map((nm) => nm * 1.5) }));
      samples[0].reconstruction.data[0] += 1;
      const [spoilt, says] = benchmark === "deconvolution"
        ? [wider, /frc-truth \(1\/7\) of .* is \d+.*, the record says \d+/]
        : [samples, /psnr \(paper\) of .* is \d+.*, the record says \d+/];
      await keepReconstructions(base, spoilt.map((one) => ({ ...one, channels: 1 })));
      match((await verify(run)).out, says);
    }
  }));

/** Replaces text in a file by other text of the same length. */
function edited(from: string, to: string): (bytes: Uint8Array) => void {
  return (bytes) => {
    const text = new TextDecoder().decode(bytes);
    bytes.set(new TextEncoder().encode(text.replace(from, to)));
  };
}
