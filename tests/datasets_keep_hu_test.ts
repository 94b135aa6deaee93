import assert from "node:assert/strict";
import * as h5wasm from "h5wasm/node";
import type { Image } from "../core/image.ts";
import { ctKinds } from "../datasets/kinds.ts";
import { keepHu } from "../datasets/formats/hu_reconstructions.ts";
import { readNifti } from "../datasets/formats/nifti.ts";
import { openData } from "../datasets/open.ts";
import { withFolder } from "./datasets_files.ts";

const image = (first: number, height = 2, width = 3): Image => ({
  shape: [height, width, 1],
  data: Float32Array.from({ length: height * width }, (_, i) => first + 0.25 * i),
});
const slices = [-1024, 40].map((first, i) => ({
  sample: `0${i}`,
  reconstruction: image(first),
  truth: image(first + 10),
  channels: 1,
}));

Deno.test("kept HU are a NIfTI volume with the pixels' size, the truth beside it, and the same as HDF5", () =>
  withFolder(async (folder) => {
    await keepHu(`${folder}/deep/L067`, slices, [0.7, 0.5]);
    const names = [...Deno.readDirSync(`${folder}/deep`)].map(({ name }) => name).sort();
    assert.deepEqual(names, ["L067.h5", "L067.nii", "L067.truth.nii"]);
    const { header, values } = await readNifti(`${folder}/deep/L067.nii`);
    assert.deepEqual(header.shape, [3, 2, 2]);
    assert.deepEqual(header.pixelSizeMm, [0.5, 0.7, 1].map(Math.fround));
    assert.deepEqual(
      values,
      Float32Array.of(...slices[0].reconstruction.data, ...slices[1].reconstruction.data),
    );
    await h5wasm.ready;
    const file = new h5wasm.File(`${folder}/deep/L067.h5`, "r");
    assert.deepEqual((file.get("reconstruction") as h5wasm.Dataset).value, values);
    file.close();
  }));

Deno.test("the header of kept HU is that of nifti1.h, byte by byte where it says something", () =>
  withFolder(async (folder) => {
    await keepHu(`${folder}/a`, slices.map(({ truth: _, ...slice }) => slice), [0.7, 0.5]);
    assert.equal([...Deno.readDirSync(folder)].length, 2, "no truth, no file of it");
    const bytes = Deno.readFileSync(`${folder}/a.nii`);
    assert.equal(bytes.length, 352 + 4 * 12);
    const view = new DataView(bytes.buffer);
    const int16 = (at: number) => view.getInt16(at, true);
    const float32 = (at: number) => view.getFloat32(at, true);
    assert.equal(view.getInt32(0, true), 348, "sizeof_hdr");
    assert.deepEqual([40, 42, 44, 46, 48].map(int16), [3, 3, 2, 2, 1], "dim");
    assert.deepEqual([70, 72].map(int16), [16, 32], "datatype and bitpix of float32");
    assert.deepEqual([80, 84, 88].map(float32), [0.5, 0.7, 1].map(Math.fround), "pixdim");
    assert.deepEqual([108, 112, 116].map(float32), [352, 1, 0], "vox_offset, scl_slope, scl_inter");
    assert.equal(bytes[123], 2, "xyzt_units: millimetres");
    assert.deepEqual([252, 254].map(int16), [0, 0], "qform_code and sform_code");
    assert.deepEqual([...bytes.slice(344, 348)], [...new TextEncoder().encode("n+1\0")], "magic");
  }));

Deno.test("kept HU are data again; slices of several sizes have a file each", () =>
  withFolder(async (folder) => {
    const other = { ...slices[0], reconstruction: image(-1024, 40, 40), truth: undefined };
    await keepHu(`${folder}/a`, [...slices, other]);
    await Deno.remove(`${folder}/a.2x3.truth.nii`);
    const { contents } = await openData(ctKinds, [`${folder}/a.2x3.nii`], { stream: "test" });
    assert.deepEqual(contents.subjects[0].shape, [2, 3, 1]);
    assert.equal(contents.pixelSizeMm, undefined);
    assert.deepEqual((await readNifti(`${folder}/a.40x40.nii`)).header.shape, [40, 40]);
  }));
