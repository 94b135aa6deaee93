/** `--keep-weights` and `deno task reconstruct`: what was trained gives the run's own images again, and images of others. */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import * as h5wasm from "h5wasm/node";
import { decodeSafetensors } from "../core/safetensors.ts";
import { stream } from "../core/random.ts";
import { readNifti } from "../datasets/formats/nifti.ts";
import { tiffFile } from "../datasets/formats/tiff_write.ts";
import { bench, type Ended, ended, inFolder, namesIn, recordsOf, started } from "./commands_running.ts";
import { niftiBytes } from "./datasets_files.ts";

function reconstruct(...args: string[]): Promise<Ended> {
  return ended(started("reconstruct", ...args));
}

/** Volumes of six people, two slices of 32 x 32 each: discs of their own size, as NIfTI. */
async function leaveVolumes(folder: string, side = 32): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (let subject = 0; subject < 6; subject++) {
    const rng = stream(`tests/reconstruct/${subject}`);
    const radius = side * (0.2 + 0.2 * rng.uniform());
    const data = Float32Array.from({ length: 2 * side * side }, (_, i) => {
      const [row, column] = [Math.floor(i / side) % side, i % side];
      return Math.hypot(row - side / 2, column - side / 2) < radius
        ? 100 + 20 * rng.uniform()
        : rng.uniform();
    });
    // Axial slices in millimetres, as a scanner's software writes them.
    const header = { 254: 1 };
    const bytes = niftiBytes({ shape: [side, side, 2], data, header });
    await Deno.writeFile(`${folder}/person-${subject}.nii`, bytes);
  }
}

function values(path: string): { reconstruction: Float32Array; shape: number[] } {
  const file = new h5wasm.File(path, "r");
  try {
    const { value, shape } = file.get("reconstruction") as h5wasm.Dataset;
    return { reconstruction: value as Float32Array, shape: shape! };
  } finally {
    file.close();
  }
}

const smoke = ["mri", "--profile", "smoke", "--split", "subjects", "--slice-axis", "2"];

Deno.test("from kept weights the run's own reconstructions come again to the bit, of methods that trained and that did not", () =>
  inFolder(async (folder) => {
    await leaveVolumes(`${folder}/data`);
    const methods = ["mean-image", "total-variation", "ot-cyclegan"];
    const run = `${folder}/run`;
    const args = [...smoke, "--data", `${folder}/data`, "--methods", methods.join(","), "--out", run];
    equal((await bench(...args, "--keep-images")).code, 0);
    const refused = await reconstruct(
      ...[run, "--method", "ot-cyclegan", "--data", `${folder}/data`, "--out", `${folder}/x.h5`],
    );
    equal(refused.code, 2);
    match(refused.err, /weights of this job were not kept[\s\S]*--keep-weights/);

    const kept = await bench(...args, "--keep-images", "--keep-weights");
    equal(kept.code, 0, kept.err);
    match(kept.out, /ot-cyclegan seed 1 was run without --keep-weights and is run again/);
    match(
      (await bench(...args, "--keep-images", "--keep-weights")).out,
      /finished already: 3; to be done: 0/,
    );
    deepEqual(await namesIn(`${run}/weights`), [
      "mean-image.safetensors",
      "ot-cyclegan.seed-1.safetensors",
      "total-variation.safetensors",
    ]);
    const path = `${run}/weights/ot-cyclegan.seed-1.safetensors`;
    const { arrays, metadata } = decodeSafetensors(await Deno.readFile(path), path);
    deepEqual([...new Set(arrays.map(({ name }) => name.split("/")[0]))], ["G", "φ"]);
    equal(metadata.sha256, (await recordsOf(run)).get("ot-cyclegan.seed-1.json")!.weights);
    equal(JSON.parse(metadata.settings).width, 4);

    await h5wasm.ready;
    for (const method of methods) {
      const own = `${run}/reconstructions/${method}/seed-${method === "ot-cyclegan" ? 1 : "none"}`;
      for (const name of await namesIn(own)) {
        const data = `${folder}/data/${name.replace(".h5", ".nii")}`;
        const out = `${folder}/again/${method}-${name}`;
        const { code, err } = await reconstruct(run, "--method", method, "--data", data, "--out", out);
        equal(code, 0, err);
        deepEqual(values(out), values(`${own}/${name}`), `${method} of ${name}`);
      }
    }
  }));

Deno.test("a file unlike the training data is reconstructed with a warning that says how; several subjects get a file each", () =>
  inFolder(async (folder) => {
    await leaveVolumes(`${folder}/data`, 48);
    const run = `${folder}/run`;
    equal(
      (await bench("mri", "--profile", "smoke", "--methods", "supervised", "--keep-weights", "--out", run))
        .code,
      0,
    );
    const application = [run, "--method", "supervised", "--data", `${folder}/data`, "--slice-axis", "2"];
    const set = ["--set", "matrix=0", "--set", "acs=0.2", "--out", `${folder}/out/mine.h5`];
    const { code, out, err } = await reconstruct(...application, ...set);
    equal(code, 0, err);
    match(err, /images are 48 x 48 here, and were 32 x 32 in training/);
    match(err, /the files are nifti, and supervised was trained on phantoms/);
    match(err, /images and no measurements: these are simulated/);
    match(err, /the operator has number of lines: \d+ in training, \d+ here/);
    match(out, /12 of 12/);
    await h5wasm.ready;
    const names = await namesIn(`${folder}/out`);
    deepEqual(names, Array.from({ length: 6 }, (_, subject) => `mine-person-${subject}.h5`));
    deepEqual(values(`${folder}/out/${names[0]}`).shape, [2, 48, 48]);
  }));

Deno.test("images that are measurements already are taken as they are: low-dose CT in HU is denoised, not made noisier", () =>
  inFolder(async (folder) => {
    const run = `${folder}/run`;
    const args = ["ct", "--profile", "smoke", "--methods", "low-dose,supervised"];
    equal((await bench(...args, "--keep-images", "--keep-weights", "--out", run)).code, 0);
    const dose = `${run}/reconstructions/low-dose/seed-none`;
    const [name] = (await namesIn(dose)).filter((name) => /\d\.nii$/.test(name));
    const out = `${folder}/denoised.nii`;
    const { code, err } = await reconstruct(
      ...[run, "--method", "supervised", "--data", `${dose}/${name}`, "--measured", "--out", out],
    );
    equal(code, 0, err);
    match(err, /the operator is identity here, and was ray-transform/);
    const [low, own, again] = await Promise.all(
      [`${dose}/${name}`, `${run}/reconstructions/supervised/seed-1/${name}`, out].map(readNifti),
    );
    // The same low-dose image, but for its rounding to HU in float32, and for what a reader of CT raises to −1024 HU.
    let apart = 0;
    for (const [i, value] of low.values.entries()) {
      if (value >= -1024) apart = Math.max(apart, Math.abs(own.values[i] - again.values[i]));
    }
    ok(apart < 0.01, `${apart} HU apart`);
  }));

Deno.test("the planes of a microscope's stack are reconstructed whole, in one file, and nothing that the run simulated; images are refused", () =>
  inFolder(async (folder) => {
    // Wider than high, and no whole number of the run's tiles.
    const rng = stream("tests/reconstruct/planes");
    const plane = () => ({
      shape: [61, 75, 1],
      data: Float32Array.from(
        { length: 61 * 75 },
        (_, i) =>
          100 + 10 * rng.uniform() + 900 * Number(Math.hypot(Math.floor(i / 75) - 30, i % 75 - 40) < 12),
      ),
    });
    const planes = [plane(), plane(), plane(), plane()];
    const data = `${folder}/cell.tif`;
    await Deno.writeFile(data, tiffFile(planes, [65, 65]));
    const run = `${folder}/run`;
    const args = ["deconvolution", "--profile", "smoke", "--data", data, "--methods", "supervised,widefield"];
    const trained = await bench(...args, "--keep-weights", "--out", run);
    equal(trained.code, 0, trained.err);
    await h5wasm.ready;
    for (const method of ["supervised", "widefield"]) {
      const application = [run, "--method", method, "--data", data];
      const { code, out, err } = await reconstruct(...application, "--out", `${folder}/out/${method}.h5`);
      equal(code, 0, err);
      match(out, /cell: 1 subject, 4 samples/);
      deepEqual(values(`${folder}/out/${method}.h5`).shape, [4, 61, 75]);
    }
    deepEqual(await namesIn(`${folder}/out`), ["supervised.h5", "widefield.h5"]);
    // What is bright is bright where it was: at its place in the plane.
    const { reconstruction } = values(`${folder}/out/widefield.h5`);
    planes.forEach(({ data }, index) => {
      const own = reconstruction.subarray(index * data.length, (index + 1) * data.length);
      const bright = (image: Float32Array) => Array.from(image, (value) => value > 0.5 * Math.max(...image));
      deepEqual(bright(own), bright(data), `plane ${index}`);
    });

    const truth = `${folder}/other_ground_truth.tif`;
    await Deno.copyFile(data, truth);
    const application = [run, "--method", "supervised", "--data", truth, "--out", `${folder}/truth.h5`];
    const refused = await reconstruct(...application);
    equal(refused.code, 2, refused.out);
    match(
      refused.err,
      /holds images, and deconvolution reconstructs stacks that were measured[^]*--measured/,
    );
    equal((await reconstruct(...application, "--measured")).code, 0);
  }));

Deno.test("reconstruct refuses what it cannot do, with exit code 2", () =>
  inFolder(async (folder) => {
    const run = `${folder}/run`;
    equal(
      (await bench("mri", "--profile", "smoke", "--methods", "supervised", "--keep-weights", "--out", run))
        .code,
      0,
    );
    await leaveVolumes(`${folder}/data`);
    const whole = {
      "--method": "supervised",
      "--data": `${folder}/data`,
      "--out": `${folder}/x.h5`,
      "--slice-axis": "2",
    };
    const refused = async (change: Record<string, string | undefined>, says: RegExp) => {
      const args = Object.entries<string | undefined>({ ...whole, ...change })
        .flatMap(([name, value]) => value === undefined ? [] : [name, value]);
      const { code, err } = await reconstruct(run, ...args);
      equal(code, 2, err);
      match(err, says);
      match(err, /\n {2}fix: {3}\S/);
    };
    await refused({ "--method": undefined }, /--method is missing/);
    await refused({ "--data": undefined }, /--data is missing/);
    await refused({ "--method": "supervized" }, /no row "supervized"[\s\S]*did you mean "supervised"/);
    await refused({ "--seed": "7" }, /no seed 7 of supervised[\s\S]*its seeds are 1/);
    await refused({ "--out": `${folder}/x.dcm` }, /mri cannot be written as x\.dcm[\s\S]*ends with \.h5/);
    await refused({ "--set": "width=8" }, /"width" is no setting of the benchmark mri/);
    await refused({ "--data": `${folder}/nowhere` }, /there is nothing at/);
    const path = `${run}/weights/supervised.seed-1.safetensors`;
    const bytes = await Deno.readFile(path);
    bytes[bytes.length - 1] ^= 1;
    await Deno.writeFile(path, bytes);
    await refused({}, /cannot use weights: their values are not those that were written/);
    equal(await Deno.stat(`${folder}/x.h5`).catch(() => undefined), undefined);
  }));
