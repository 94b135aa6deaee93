import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import * as h5wasm from "h5wasm/node";
import { readNifti } from "../datasets/formats/nifti.ts";
import { bench, inFolder, namesIn, recordsOf } from "./commands_running.ts";
import { sharedExists, sharedFolder } from "./tree.ts";

const smoke = ["mri", "--profile", "smoke"];

/** The rows of scores.csv by method, subject, sample, metric and convention. */
async function scoresIn(folder: string): Promise<Map<string, string>> {
  const lines = (await Deno.readTextFile(`${folder}/scores.csv`)).trimEnd().split("\n").slice(1);
  return new Map(lines.map((line) => {
    const [, , method, , subject, sample, metric, convention, , value] = line.split(",");
    return [[method, subject, sample, metric, convention].join(" ").replace("  ", " "), value];
  }));
}

/** A dataset of one of our own HDF5 files, `[slices, height, width]`. */
function read(path: string, name: string): { values: Float32Array; shape: number[]; dtype: unknown } {
  const file = new h5wasm.File(path, "r");
  try {
    const dataset = file.get(name) as h5wasm.Dataset;
    return { values: dataset.value as Float32Array, shape: dataset.shape!, dtype: dataset.dtype };
  } finally {
    file.close();
  }
}

Deno.test("from --keep-images a stranger computes the scores of scores.csv, by fastMRI's formulas", () =>
  inFolder(async (folder) => {
    const run = [...smoke, "--methods", "zero-filled,supervised", "--out", folder];
    equal((await bench(...run)).code, 0);
    ok(!(await namesIn(folder)).includes("reconstructions"), "kept only when asked for");
    const { code, out, err } = await bench(...run, "--keep-images");
    equal(code, 0, err);
    match(out, /supervised seed 1 was run without --keep-images and is run again/);
    match((await bench(...run, "--keep-images")).out, /finished already: 2; to be done: 0/);

    await h5wasm.ready;
    const scores = await scoresIn(folder);
    for (const [method, seed] of [["zero-filled", "none"], ["supervised", "1"]]) {
      const own = `${folder}/reconstructions/${method}/seed-${seed}`;
      const files = await namesIn(own);
      equal(files.length, 2, "a file for each test subject");
      for (const file of files) {
        const { values, shape, dtype } = read(`${own}/${file}`, "reconstruction");
        const truth = read(`${own}/${file}`, "reconstruction_esc");
        deepStrictEqual(shape, [2, 32, 32]);
        deepStrictEqual(truth.shape, shape);
        equal(dtype, "<f");
        // fastMRI's evaluate.py: the range is the volume's largest value, the error is of the whole volume.
        let [errors, squares, largest] = [0, 0, 0];
        truth.values.forEach((value, i) => {
          errors += (value - values[i]) ** 2;
          squares += value ** 2;
          largest = Math.max(largest, value);
        });
        const psnr = 10 * Math.log10(largest ** 2 / (errors / values.length));
        const subject = file.replace(".h5", "");
        const close = (metric: string, value: number) => {
          const score = Number(scores.get(`${method} ${subject} ${metric} fastmri`));
          ok(
            Math.abs(score / value - 1) < 1e-9,
            `${metric} of ${method}, ${subject}: ${score}, not ${value}`,
          );
        };
        close("psnr", psnr);
        close("nmse", errors / squares);
      }
    }
  }));

Deno.test("from the NIfTI volumes of --keep-images a stranger computes the errors in HU", () =>
  inFolder(async (folder) => {
    const args = ["ct", "--profile", "smoke", "--methods", "low-dose", "--keep-images", "--out", folder];
    const { code, err } = await bench(...args);
    equal(code, 0, err);
    const scores = await scoresIn(folder);
    const own = `${folder}/reconstructions/low-dose/seed-none`;
    const subjects = (await namesIn(own)).filter((name) => name.endsWith(".h5")).map((name) =>
      name.slice(0, -3)
    );
    equal(subjects.length, 2);
    for (const subject of subjects) {
      const [{ header, values }, truth] = await Promise.all(
        ["nii", "truth.nii"].map((ending) => readNifti(`${own}/${subject}.${ending}`)),
      );
      deepStrictEqual(header.shape, [32, 32, 2]);
      for (const slice of [0, 1]) {
        let squares = 0;
        for (let i = 1024 * slice; i < 1024 * (slice + 1); i++) squares += (values[i] - truth.values[i]) ** 2;
        const score = Number(scores.get(`low-dose ${subject} 0${slice} rmse-hu hu`));
        ok(Math.abs(Math.sqrt(squares / 1024) / score - 1) < 1e-9, `${subject} ${slice}: ${score}`);
      }
    }
  }));

Deno.test({
  name: "fastMRI's masked test layout is reconstructed, scored by what needs no truth, and the table says so",
  ignore: !sharedExists,
  fn: () =>
    inFolder(async (folder) => {
      const file = `${sharedFolder}/mri/fastmri_layout/brain_t1_singlecoil_masked_test.h5`;
      const args = [...smoke, "--data", file, "--methods", "zero-filled,total-variation", "--keep-images"];
      const { code, err } = await bench(...args, "--out", folder);
      equal(code, 0, err);
      const scores = await scoresIn(folder);
      const values = (metric: string) =>
        [...scores].filter(([key]) => key.startsWith("zero-filled") && key.includes(` ${metric} `)).map((
          [, value],
        ) => value);
      for (const metric of ["psnr", "ssim", "nmse", "null-space-error"]) {
        ok(values(metric).length > 0 && values(metric).every((value) => value === "NA"), metric);
      }
      // A zero-filled image agrees with the lines that were measured, to the precision of float32.
      ok(values("data-consistency").length > 0);
      ok(values("data-consistency").every((value) => Number(value) < 1e-5));
      match(await Deno.readTextFile(`${folder}/table.md`), /without a value \(.*the truth is unknown\)/);
      const { notes } = (await recordsOf(folder)).get("total-variation.json")!;
      match(notes.join(), /default: there is no validation part to choose it on/);

      await h5wasm.ready;
      const own = `${folder}/reconstructions/zero-filled/seed-none`;
      const [name] = await namesIn(own);
      const kept = new h5wasm.File(`${own}/${name}`, "r");
      deepStrictEqual(kept.keys(), ["reconstruction"], "there is no truth to be put beside it");
      kept.close();
      equal((await namesIn(`${folder}/panels`)).length, 1);

      const trained = await bench(
        ...smoke,
        "--data",
        file,
        "--methods",
        "supervised",
        "--out",
        `${folder}/trained`,
      );
      equal(trained.code, 2);
      match(trained.err, /part "x" of the split is empty: .* has 1 subject$/m);
    }),
});
