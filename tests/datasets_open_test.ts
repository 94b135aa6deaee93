import assert from "node:assert/strict";
import { UsageError } from "../core/errors.ts";
import { ctKinds, frameKinds, mriKinds } from "../datasets/kinds.ts";
import { findFiles, openData } from "../datasets/open.ts";
import { dicomBytes, niftiBytes, withFolder, writeFastmri, writeTiff } from "./datasets_files.ts";

const options = { stream: "test" };
const volume = niftiBytes({ shape: [4, 4, 2], data: new Float32Array(32).fill(1) });

async function refusal(paths: readonly string[], kinds = mriKinds): Promise<string> {
  try {
    (await openData(kinds, paths, options)).close();
  } catch (error) {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /\n {2}where: [^]*\n {2}fix: /);
    return error.message;
  }
  throw new Error("nothing was refused");
}

Deno.test("openData() finds files in folders of folders, sorted, without hidden ones, and says what it ignored", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/b/c`, { recursive: true });
    await Deno.mkdir(`${folder}/.git`);
    for (const name of ["z.nii", "b/a.nii", "b/c/y.nii", ".hidden.nii", ".git/x.nii"]) {
      await Deno.writeFile(`${folder}/${name}`, volume);
    }
    await Deno.writeTextFile(`${folder}/README.md`, "about the data");
    await Deno.writeTextFile(`${folder}/LICENSE`, "MIT");
    const { contents } = await openData(mriKinds, [folder], options);
    assert.deepEqual(contents.subjects.map(({ id }) => id), ["a", "y", "z"]);
    assert.match(contents.notes.join(), /not samples themselves: .*LICENSE, .*README\.md/);
  }));

Deno.test("results of MATLAB beside data are passed over and named; alone, or asked for, they are refused", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/recovery.mat`, "MATLAB 5.0 MAT-file");
    assert.match(await refusal([folder]), /recovery\.mat: it is a MATLAB file/);
    await Deno.writeFile(`${folder}/a.nii`, volume);
    const { contents } = await openData(mriKinds, [folder], options);
    assert.match(contents.notes.join(), /not samples themselves: \S+recovery\.mat/);
    assert.match(await refusal([folder, `${folder}/recovery.mat`]), /recovery\.mat: it is a MATLAB file/);
  }));

Deno.test("a table of localisations is no stack, and is told where it belongs; beside one it is no sample", () =>
  withFolder(async (folder) => {
    const [signed, text] = [`${folder}/picks_ground_truth.hdf5`, `${folder}/storm.txt`];
    await Deno.writeFile(signed, Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a));
    await Deno.writeTextFile(text, "# x y");
    const belongs =
      /it is no stack: a table of localisations[^]*cell_ground_truth\.(hdf5|txt) beside cell_frames\.tif/;
    for (const path of [signed, text]) assert.match(await refusal([path], frameKinds), belongs);
    assert.match(await refusal([signed], ctKinds), /it is HDF5, which holds no data/);
    await writeTiff(`${folder}/cell.tif`, { shape: [2, 4, 4], data: new Float32Array(32) });
    const { contents } = await openData(frameKinds, [folder], options);
    assert.match(contents.notes.join(), /not samples themselves: \S+truth\.hdf5, \S+storm\.txt/);
  }));

Deno.test("openData() takes a file that is given twice once, and gives files of one name two labels", () =>
  withFolder(async (folder) => {
    for (const name of ["one", "two"]) {
      await Deno.mkdir(`${folder}/${name}`);
      await Deno.writeFile(`${folder}/${name}/brain.nii`, volume);
    }
    const { contents } = await openData(mriKinds, [folder, `${folder}/one/brain.nii`], options);
    assert.deepEqual(contents.subjects.map(({ id }) => id), ["one_brain", "two_brain"]);
  }));

Deno.test("openData() does not follow a folder that links to itself for ever", () =>
  withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a.nii`, volume);
    await Deno.symlink(folder, `${folder}/again`);
    const { files } = await findFiles(mriKinds, [folder]);
    assert.equal(files.length, 1);
  }));

Deno.test("a broken link and a pipe are refused by name, without waiting for anybody to write", () =>
  withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a.nii`, volume);
    await Deno.symlink(`${folder}/gone`, `${folder}/broken.nii`);
    await new Deno.Command("mkfifo", { args: [`${folder}/pipe.nii`] }).output();
    const said = await refusal([folder]);
    assert.match(said, /broken\.nii: there is nothing at/);
    assert.match(said, /pipe\.nii: it is no regular file/);
  }));

Deno.test("openData() refuses a path where there is nothing, and a folder that is empty", () =>
  withFolder(async (folder) => {
    assert.match(await refusal([`${folder}/none`]), /there is nothing at .*none/);
    assert.match(await refusal([folder]), /there are no data files/);
  }));

Deno.test("openData() refuses files of several kinds, and names one of each", () =>
  withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a.nii`, volume);
    await writeFastmri(`${folder}/b.h5`, { shape: [1, 4, 4] });
    assert.match(await refusal([folder]), /several kinds: .*a\.nii is nifti, .*b\.h5 is fastmri/);
  }));

const strangers: Readonly<Record<string, [string, Uint8Array, RegExp]>> = {
  "an empty file": ["a.nii", new Uint8Array(), /it is empty/],
  "DICOM of another class": [
    "a.dcm",
    dicomBytes({ rows: 1, columns: 1, stored: [0] }),
    /it is DICOM, but not of what is read here: its class is CT image/,
  ],
  "a .dcm file that is none": ["a.dcm", new Uint8Array(400), /no "DICM" behind a preamble/],
  "a NumPy array": ["a.npy", Uint8Array.of(0x93, ...new TextEncoder().encode("NUMPY\x01")), /NumPy array/],
  "a picture": ["a.png", Uint8Array.of(0x89, 0x50, 0x4e, 0x47), /a picture/],
  "a .nii file that is none": ["a.nii", new Uint8Array(400), /no NIfTI header in spite of its name/],
  "a .h5 file that is none": ["a.h5", new Uint8Array(400), /no HDF5 signature in spite of its name/],
  "noise": ["a.dat", Uint8Array.from({ length: 600 }, (_, i) => (i * 37) % 251), /no known kind/],
};
for (const [what, [name, bytes, message]] of Object.entries(strangers)) {
  Deno.test(`openData() refuses ${what}, saying what it is`, () =>
    withFolder(async (folder) => {
      await Deno.writeFile(`${folder}/sound.nii`, volume);
      await Deno.writeFile(`${folder}/${name}`, bytes);
      const said = await refusal([folder]);
      assert.match(said, message);
      assert.match(said, new RegExp(`1 of 2 files cannot be used:\n.*${name.replace(".", "\\.")}: `));
    }));
}
