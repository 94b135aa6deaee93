import { equal, match, ok } from "node:assert/strict";
import { isThere } from "../core/files.ts";
import { nativeFolder } from "../engine/native/folder.ts";
import { bench, ended, inFolder, job, pathOf, started } from "./commands_running.ts";
import { niftiBytes } from "./datasets_files.ts";
import { sharedExists, sharedFolder } from "./tree.ts";

const toyModule = pathOf("toy_extension.ts");

/** Runs what is wrong, and holds it to exit code 2 and words on stderr. */
async function refused(args: readonly string[], says: RegExp): Promise<void> {
  const { code, out, err } = await bench(...args);
  const command = args.join(" ");
  equal(code, 2, `${command}: ${err}`);
  match(err, says, command);
  match(err, /^error: .+[\s\S]*\n {2}fix: {3}\S/, command);
  ok(!/\n\s+at /.test(err), `${command} shows a stack:\n${err}`);
  equal(out, "", `${command} has begun already`);
}

Deno.test("bench refuses unknown names with the nearest known one, and exit code 2", () =>
  inFolder(async (folder) => {
    const smoke = ["mri", "--profile", "smoke", "--out", `${folder}/run`];
    const wrong: [string[], RegExp][] = [
      [["mir"], /unknown benchmark "mir"[\s\S]*did you mean "mri"/],
      [["mri", "toy"], /one benchmark at a time/],
      [["mri", "--profile", "quik"], /unknown profile "quik"[\s\S]*did you mean "quick"/],
      [["mri", "--methds", "wgan"], /unknown option --methds[\s\S]*did you mean "--methods"/],
      [[...smoke, "--methods", "ot-cyclgan"], /unknown method "ot-cyclgan"[\s\S]*did you mean "ot-cyclegan"/],
      [[...smoke, "--methods", ","], /no method is named/],
      [[...smoke, "--backend", "wsam"], /unknown backend "wsam"[\s\S]*did you mean "wasm"/],
      [
        [...smoke, "--set", "acelleration=8"],
        /unknown setting "acelleration"[\s\S]*did you mean "acceleration"/,
      ],
      [[...smoke, "--set", "ot-cyclegan.gama=5"], /unknown setting "gama"[\s\S]*did you mean "gamma"/],
      [[...smoke, "--set", "constructor=1"], /unknown setting "constructor"/],
      [[...smoke, "--set", "__proto__=1"], /unknown setting "__proto__"/],
      [[...smoke, "--set", "wgan.hasOwnProperty=1"], /unknown setting "hasOwnProperty"/],
      [[...smoke, "--set", "updates=many"], /"updates" cannot be "many"/],
      [[...smoke, "--set", "updates=0"], /"updates" cannot be "0"/],
      [[...smoke, "--set", "updates=NaN"], /"updates" cannot be "NaN"/],
      [[...smoke, "--set", "mask=radial"], /"mask" cannot be "radial"/],
      [[...smoke, "--set", "updates"], /sets nothing/],
    ];
    for (const [args, says] of wrong) await refused(args, says);
  }));

Deno.test({
  name: "bench refuses the native backend where it is not built, and says how it comes about",
  ignore: await isThere(nativeFolder),
}, () =>
  inFolder((folder) =>
    refused(
      ["mri", "--profile", "smoke", "--out", `${folder}/run`, "--backend", "native"],
      /the native backend is not built[\s\S]*deno task native/,
    )
  ));

Deno.test("bench refuses options without a value or out of range, with exit code 2", async () => {
  const wrong: [string[], RegExp][] = [
    [["--out"], /no benchmark is named|argument missing/],
    [["mri", "--seeds"], /'--seeds.*argument missing/],
    [["mri", "--seeds", "3-1"], /range 3-1 is empty/],
    [["mri", "--seeds", "one"], /"one" is no seed/],
    [["mri", "--seeds=-1"], /"-1" is no seed/],
    [["mri", "--workers", "0"], /"0" does not fit[\s\S]*--workers/],
    [["mri", "--workers", "two"], /"two" does not fit/],
    [["mri", "--data-seed", "-1"], /"-1" does not fit[\s\S]*--data-seed/],
    [["deconvolution", "--wavelengths", "-5,0"], /"-5" is no wavelength[\s\S]*--wavelengths/],
    [["mri", "--psf-sigma-nm", "130"], /mri has no --psf-sigma-nm[\s\S]*an option of deconvolution, deconv/],
    [["smlm", "--psf-sigma-nm", "wide"], /cannot be "wide"[\s\S]*where: --psf-sigma-nm wide/],
    [["mri", "--slice-axis", "3"], /"3" does not fit[\s\S]*--slice-axis/],
    [["mri", "--portable=yes"], /'--portable' does not take an argument/],
    [["mri", "--split", "slab"], /neither a way to split nor a file[\s\S]*did you mean "slabs"/],
  ];
  for (const [args, says] of wrong) await refused(args, says);
});

Deno.test("bench without a benchmark teaches, and is wrong usage where options were given", async () => {
  const nothing = await bench();
  equal(nothing.code, 0);
  match(nothing.out, /Examples/);
  equal((await bench("--help")).code, 0);
  equal((await bench("--portable")).code, 2);
});

Deno.test("bench refuses an --out that cannot be written, before it runs anything", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    const smoke = ["mri", "--profile", "smoke", "--methods", "zero-filled"];
    // A folder without write permission stops everybody but root, so the test has a file in the way.
    await refused([...smoke, "--out", `${folder}/file`], /cannot be written[\s\S]*--out .*file/);
    await refused([...smoke, "--out", `${folder}/file/below`], /cannot be written[\s\S]*--out .*below/);
    await refused([...smoke, "--out", ""], /a path is empty/);
    // Deno would ask for all permissions that there are, which is no way out.
    const special = Deno.build.os === "linux" ? ["/proc/nope", "/dev/nope"] : [];
    for (const out of special) {
      await refused(
        [...smoke, "--out", out],
        /cannot be written: nothing can be kept there[^-]*--out \/\w+\/nope/,
      );
    }
  }));

Deno.test("bench refuses a point spread function that is no file, before it runs anything", () =>
  inFolder(async (folder) => {
    const smoke = ["deconvolution", "--profile", "smoke", "--methods", "widefield", "--out", `${folder}/run`];
    const missing = `${folder}/missing.tif`;
    await refused([...smoke, "--psf", missing], /there is no such file\n {2}where: .*missing\.tif\n/);
    await refused([...smoke, "--set", `measured-with=${missing}`], /there is no such file\n/);
    await refused([...smoke, "--psf", folder], /it is a folder, and a point spread function is one file\n/);
  }));

Deno.test("bench refuses data that are missing, empty, foreign, broken or too few, each in words", () =>
  inFolder(async (folder) => {
    const write = async (name: string, bytes: Uint8Array) => {
      await Deno.mkdir(`${folder}/${name}`);
      for (const subject of ["a", "b", "c", "d"]) {
        await Deno.writeFile(`${folder}/${name}/${subject}.nii`, bytes);
      }
    };
    const values = Float32Array.from({ length: 64 * 64 }, (_, i) => 1 + Math.sin(i));
    const volume = (data: Float32Array) => niftiBytes({ shape: [64, 64], data });
    await write("nan", volume(values.map((value, i) => i === 1000 ? NaN : value)));
    await write("negative", volume(values.map((value) => -value)));
    await write("silent", volume(values.map(() => 0)));
    await write("short", volume(values).slice(0, -4));
    await Deno.mkdir(`${folder}/empty`);
    await Deno.mkdir(`${folder}/few`);
    await Deno.writeFile(`${folder}/few/a.nii`, volume(values));
    await Deno.mkdir(`${folder}/foreign`);
    await Deno.writeTextFile(`${folder}/foreign/song.mp3`, "la");
    const wrong: [string, RegExp][] = [
      ["missing", /there is nothing at .*missing/],
      ["empty", /there are no data files/],
      ["foreign", /song\.mp3: it is of no known kind/],
      ["nan", /not finite|NaN/],
      ["negative", /negative/],
      ["silent", /zero throughout/],
      ["short", /cut short/],
      ["few", /has 1 subject: a split by subject needs at least four/],
    ];
    for (const [name, says] of wrong) {
      await refused(
        ["mri", "--profile", "smoke", "--data", `${folder}/${name}`, "--out", `${folder}/run`],
        says,
      );
    }
  }));

Deno.test({
  name: "bench refuses malformed and truncated files with exit code 2, none with a crash",
  ignore: !sharedExists,
  async fn() {
    const folders = ["hdf5", "nifti", "truncated"].map((name) => `${sharedFolder}/malformed/${name}`);
    const files = folders.flatMap((folder) =>
      [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`)
    );
    // Every file alone is the loaders' own test; here a few go the whole way, and all of them at once.
    const some = files.sort().filter((_, index) => index % 12 === 0);
    ok(some.length > 3);
    for (const path of some) await refused(["mri", "--data", path, "--out", "/nowhere/at/all"], /error/);
    for (const folder of folders) {
      await refused(["mri", "--data", folder, "--out", "/nowhere/at/all"], /error/);
    }
  },
});

Deno.test("a split file that leaks, lacks a part or names a stranger is refused", () =>
  inFolder(async (folder) => {
    const split = async (value: unknown) => {
      await Deno.writeTextFile(
        `${folder}/split.json`,
        typeof value === "string" ? value : JSON.stringify(value),
      );
      return ["toy", "--use", toyModule, "--split", `${folder}/split.json`, "--out", `${folder}/run`];
    };
    const parts = { x: ["s0"], y: ["s1"], validation: ["s2"], test: ["s3"] };
    await refused(await split({ ...parts, y: ["s0"] }), /leak: "s0" is in the parts "x" and "y"/);
    await refused(
      await split({ ...parts, test: ["s2"] }),
      /leak: "s2" is in the parts "validation" and "test"/,
    );
    await refused(await split({ ...parts, test: ["s99"] }), /no subject "s99"/);
    await refused(await split({ ...parts, tset: ["s3"] }), /unknown part "tset"[\s\S]*did you mean "test"/);
    await refused(await split({ ...parts, test: [] }), /the part "test" of the split is empty/);
    await refused(await split("{"), /not valid JSON/);
    await refused(await split("[]"), /holds one JSON object/);
    const { code, err } = await bench(...await split(parts), "--profile", "smoke");
    equal(code, 0, err);
  }));

Deno.test("job refuses what is no run, no job, and a module that has changed since the plan", () =>
  inFolder(async (folder) => {
    const usage = await ended(started("job"));
    equal(usage.code, 2);
    match(usage.err, /deno task job RUN JOB/);
    const noRun = await job(folder, "0");
    equal(noRun.code, 2);
    match(noRun.err, /no plan\.json[\s\S]*fix/);

    const path = `${folder}/mine.ts`;
    const text = `import { input } from "${pathOf("toy.ts")}";
      export default { rows: { toy: [{ name: "mine", method: input }] } };`;
    await Deno.writeTextFile(path, text);
    const toy = ["toy", "--profile", "smoke", "--use", toyModule, "--use", path, "--out", `${folder}/run`];
    equal((await bench(...toy, "--methods", "mine", "--plan")).code, 0);
    for (const index of ["1", "-1", "x", ""]) {
      const noJob = await job(`${folder}/run`, index);
      equal(noJob.code, 2);
      match(noJob.err, /there is no job[\s\S]*from 0 to 0/);
    }
    await Deno.writeTextFile(path, `${text}\n`);
    const changed = await job(`${folder}/run`, "0");
    equal(changed.code, 2);
    match(changed.err, /module of "mine" has changed since the run was planned/);
  }));
