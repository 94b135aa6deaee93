import assert from "node:assert/strict";
import { hashOfValues, survey } from "../commands/data.ts";
import { type Sample, samples } from "../datasets/dataset.ts";
import { ctKinds, mriKinds } from "../datasets/kinds.ts";
import { openData } from "../datasets/open.ts";
import { paddedToSquare, resampled } from "../datasets/resample.ts";
import { dicomBytes, type DicomFile, niftiBytes, withFolder } from "./datasets_files.ts";
// Made by dicom.py with pydicom, nibabel, Pillow and libjpeg-turbo, which says how.
import golden from "./golden/dicom.json" with { type: "json" };
import { sharedExists, sharedFolder } from "./tree.ts";

const ignore = !sharedExists;
const asStored = { stream: "test", simulate: false };
const options = { stream: "test" };

Deno.test(
  { name: "the chest's slices are handed out from feet to head, as pydicom sorts them", ignore },
  async () => {
    const dataset = await openData(ctKinds, [`${sharedFolder}/ct/chest_lidc0314`], asStored);
    const { kind, subjects, unit, holds, pixelSizeMm, notes } = dataset.contents;
    assert.deepEqual([kind, unit, holds, pixelSizeMm], ["dicom-ct", "HU", "images", [0.78125, 0.78125]]);
    assert.equal(subjects[0].id, "LIDC-IDRI-0314");
    assert.match(notes.join(), /slices are 7 mm apart, but 12 mm between slice_158\.dcm and slice_150\.dcm/);
    const found: string[] = [];
    for await (const { image } of samples(dataset)) found.push(hashOfValues(image!.data));
    assert.deepEqual(found, golden.chest);
  },
);

Deno.test(
  { name: "the abdomen is sliced along the body, whichever axis has the fewest samples", ignore },
  async () => {
    const dataset = await openData(ctKinds, [`${sharedFolder}/ct/nifti`], asStored);
    const [{ id, samples, shape }] = dataset.contents.subjects;
    assert.deepEqual([samples.length, shape], [golden.abdomen.count, [101, 122, 1]]);
    for (const [slice, sha256] of Object.entries(golden.abdomen.sha256)) {
      const { image } = await dataset.sample(id, samples[Number(slice)]);
      assert.equal(hashOfValues(image!.data), sha256);
    }
  },
);

Deno.test({ name: "data tells CT from MRI, in DICOM and in NIfTI", ignore }, async () => {
  const folders = { "ct/nifti": "nifti-ct", "mri/fruit_dicom": "dicom-mr", "ct/phantom_pairs": "dicom-ct" };
  for (const [folder, kind] of Object.entries(folders)) {
    const { datasets, refused } = await survey([`${sharedFolder}/${folder}`], {});
    assert.deepEqual([datasets.map(({ contents }) => contents.kind), refused], [[kind], []]);
  }
});

Deno.test(
  { name: "a DICOM series of MRI gets a phase and a banner, as a NIfTI volume does", ignore },
  async () => {
    const dataset = await openData(mriKinds, [`${sharedFolder}/mri/fruit_dicom`], {
      stream: "test",
      matrix: 64,
    });
    const [{ id, samples, shape }] = dataset.contents.subjects;
    assert.deepEqual([id, samples.length, shape], ["FRUIT", 11, [64, 64, 2]]);
    assert.match(dataset.contents.banners.join(), /k-space was simulated from magnitude images/);
    const { image } = await dataset.sample(id, samples[5]);
    assert.ok(image!.data.some((value, i) => i % 2 === 1 && Math.abs(value) > 10));
  },
);

for (const [name, expected] of Object.entries(golden.resampled)) {
  Deno.test(`an image resampled from ${name} pixels is what Pillow makes of it`, () => {
    const [side, matrix] = name.split(" to ").map(Number);
    const image = Float32Array.from({ length: side * side }, (_, i) => (i * 7919) % 997 - 500);
    const { data, shape } = resampled(image, side, matrix);
    assert.deepEqual(shape, [matrix, matrix, 1]);
    data.forEach((value, i) =>
      assert.ok(Math.abs(value - expected[i]) < 1e-3, `${i}: ${value}, not ${expected[i]}`)
    );
  });
}

Deno.test("a padded image keeps its centre, and an odd row more is at the end", () => {
  assert.deepEqual([...paddedToSquare(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3, 9)], [
    1,
    2,
    3,
    4,
    5,
    6,
    9,
    9,
    9,
  ]);
});

/** A file of 4 x 4 pixels of air, but for one whose stored value is given. */
function slice(value: number, elements: DicomFile["elements"] = {}, [rows, columns] = [4, 4]): Uint8Array {
  const stored = new Array(rows * columns).fill(24);
  stored[0] = value;
  return dicomBytes({ rows, columns, stored, elements });
}

const at = (z: number, more: DicomFile["elements"] = {}) => ({ "00200032": `0\\0\\${z}`, ...more });

async function withFiles(
  files: Readonly<Record<string, Uint8Array>>,
  test: (folder: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    for (const [name, bytes] of Object.entries(files)) {
      await Deno.mkdir(`${folder}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeFile(`${folder}/${name}`, bytes);
    }
    await test(folder);
  });
}

async function firstPixels(folder: string): Promise<number[]> {
  const dataset = await openData(ctKinds, [folder], asStored);
  const found: number[] = [];
  for await (const { image } of samples(dataset)) found.push(image!.data[0]);
  return found;
}

Deno.test("slices come in the order of their positions along their normal, not of their names or numbers", async () => {
  const axial = {
    "c.dcm": slice(1100, at(-5, { "00200013": "9" })),
    "b.dcm": slice(1300, at(5)),
    "a.dcm": slice(1200, at(0)),
  };
  await withFiles(axial, async (folder) => assert.deepEqual(await firstPixels(folder), [76, 176, 276]));
  // Rows to the back and columns down: the normal points to the right, against x.
  const sagittal = (x: number) => ({ "00200037": "0\\1\\0\\0\\0\\-1", "00200032": `${x}\\0\\0` });
  await withFiles(
    { "a.dcm": slice(1100, sagittal(1)), "b.dcm": slice(1200, sagittal(3)) },
    async (folder) => assert.deepEqual(await firstPixels(folder), [176, 76]),
  );
  const nowhere = (instance: string) => ({ "00200032": undefined, "00200013": instance });
  await withFiles(
    { "a.dcm": slice(1100, nowhere("2")), "b.dcm": slice(1200, nowhere("1")) },
    async (folder) => {
      assert.deepEqual(await firstPixels(folder), [176, 76]);
      const { notes } = (await openData(ctKinds, [folder], options)).contents;
      assert.match(notes.join(), /without a position, so ordered by instance number: b\.dcm, a\.dcm/);
    },
  );
});

Deno.test("gaps and images at one position are named, and a copy is used once", () =>
  withFiles({
    "a.dcm": slice(1100, at(0)),
    "b.dcm": slice(1200, at(2)),
    "c.dcm": slice(1200, at(2)),
    "d.dcm": slice(1300, at(4)),
    "e.dcm": slice(1400, at(10)),
  }, async (folder) => {
    const { subjects, notes } = (await openData(ctKinds, [folder], options)).contents;
    assert.deepEqual(subjects[0].samples, ["00", "01", "03", "04"]);
    assert.match(notes.join("\n"), /2 images share their position with another: b\.dcm, c\.dcm/);
    assert.match(notes.join("\n"), /slices are 2 mm apart, but 6 mm between d\.dcm and e\.dcm/);
    assert.match(notes.join("\n"), /1 of 5 slices of somebody were left out, copies of the one before/);
    assert.equal((await firstPixels(folder)).length, 5);
  }));

Deno.test("the subject is PatientID, else the folder; series of one patient are told apart by their numbers", () =>
  withFiles({
    "x/a.dcm": slice(1100, { "00100020": "Ann 1", "0020000e": "1.1", "00200011": "7" }),
    "x/b.dcm": slice(1200, { "00100020": "Ann 1", "0020000e": "1.2", "00200011": "3" }),
    "y/DICOM/c.dcm": slice(1300, { "00100020": undefined, "0020000e": "1.3" }),
    "z/DICOM/d.dcm": slice(1400, { "00100020": " ", "0020000e": undefined }),
  }, async (folder) => {
    const { subjects } = (await openData(ctKinds, [folder], options)).contents;
    assert.deepEqual(subjects.map(({ id, samples }) => [id, samples]), [
      ["Ann_1-c46f53", ["Ann_1-c46f53_s3-00", "Ann_1-c46f53_s7-00"]],
      ["y_DICOM", ["00"]],
      ["z_DICOM", ["00"]],
    ]);
    assert.deepEqual(await firstPixels(folder), [176, 76, 276, 376]);
  }));

Deno.test("patients whose identifiers look alike as names are not taken for one", () =>
  withFiles({
    "full_3mm/P8/a.dcm": slice(1100, at(0, { "00100020": "A/B" })),
    "quarter_3mm/P9/b.dcm": slice(1200, at(0, { "00100020": "A?B" })),
    "full_3mm/P7/c.dcm": slice(1300, at(0, { "00100020": "C" })),
    "quarter_3mm/P7/d.dcm": slice(1400, at(0, { "00100020": "C" })),
  }, async (folder) => {
    const { subjects, notes } = (await openData(ctKinds, [folder], options)).contents;
    assert.deepEqual(subjects.map(({ id }) => id), ["C"]);
    assert.match(notes.join("\n"), /A_B-[0-9a-f]{6}/);
  }));

Deno.test("a series that mixes sizes is told apart, and the note names the files", () =>
  withFiles({
    "a.dcm": slice(1100, at(0)),
    "b.dcm": slice(1200, at(1)),
    "c.dcm": slice(1300, at(2), [4, 6]),
  }, async (folder) => {
    const { subjects, notes } = (await openData(ctKinds, [folder], options)).contents;
    assert.match(
      notes.join(),
      /mixes 2 images of 4 x 4 .*\(a\.dcm, b\.dcm\) and 1 image of 4 x 6 .*\(c\.dcm\)/,
    );
    assert.deepEqual(subjects[0].shape, [4, 4, 1]);
    assert.deepEqual(subjects[0].otherShapes, { "somebody_s1_2-00": [4, 6, 1] });
    const square = await openData(ctKinds, [folder], { ...options, matrix: 2 });
    assert.deepEqual(square.contents.subjects[0].otherShapes, undefined);
    assert.equal(square.contents.pixelSizeMm, undefined);
  }));

Deno.test("localizers and slices of air are left out, and said", () =>
  withFiles({
    "a.dcm": slice(1100, at(0)),
    "b.dcm": slice(24, at(1)),
    "scout.dcm": slice(1300, at(2, { "00080008": "ORIGINAL\\PRIMARY\\LOCALIZER" })),
  }, async (folder) => {
    const { subjects, notes } = (await openData(ctKinds, [folder], options)).contents;
    assert.deepEqual(subjects[0].samples, ["00"]);
    assert.match(
      notes.join(),
      /localizers were left out: scout\.dcm,.*1 of 2 slices were left out: nothing in them/,
    );
  }));

Deno.test("for a benchmark what is below -1024 HU becomes that; who looks sees what the file has", () =>
  withFiles({ "a.dcm": slice(60000, { "00280103": 1, "00281052": "2000" }) }, async (folder) => {
    const dataset = await openData(ctKinds, [folder], options);
    assert.equal((await dataset.sample("somebody", "00")).image!.data[0], -1024);
    assert.match(dataset.contents.notes.join(), /6\.3 % of the pixels are below -1024 HU.*set to -1024/);
    assert.deepEqual(await firstPixels(folder), [60000 - 65536 + 2000]);
  }));

Deno.test("a matrix pads to a square with air and averages, and pixels grow with it", () =>
  withFiles({ "a.dcm": slice(1400, {}, [4, 8]) }, async (folder) => {
    const dataset = await openData(ctKinds, [folder], { ...options, matrix: 4 });
    const { image } = await dataset.sample("somebody", "00");
    assert.deepEqual([image!.shape, dataset.contents.pixelSizeMm], [[4, 4, 1], [1, 1]]);
    assert.deepEqual([...image!.data.slice(0, 5)], [-1024, -1024, -1024, -1024, (376 - 3000) / 4]);
    assert.match(dataset.contents.banners.join(), /brought to 4 x 4 by averaging over areas/);
    assert.match(dataset.contents.notes.join(), /slices of 4 x 8 were padded to squares with -1024 HU/);
  }));

Deno.test("the samples of a CT dataset are the same in any order, and when its contents are known", () =>
  withFiles({ "a.dcm": slice(1100, at(3)), "b.dcm": slice(1200, at(0)) }, async (folder) => {
    const first = await openData(ctKinds, [folder], options);
    const inSequence: Sample[] = [];
    for await (const sample of samples(first)) inSequence.push(sample);
    const again = await openData(ctKinds, [folder], options, first.contents);
    for (const sample of inSequence.reverse()) {
      assert.deepEqual(await again.sample(sample.subject, sample.id), sample);
    }
  }));

const refusals: Readonly<Record<string, [Uint8Array, string, RegExp]>> = {
  "a CT image without rescale slope": [
    slice(1100, { "00281052": undefined, "00281053": undefined }),
    "a.dcm",
    /no rescale slope and intercept, without which/,
  ],
  "values that are not in HU": [
    slice(1100, { "00281054": "MGML" }),
    "a.dcm",
    /values are in "MGML", not in HU/,
  ],
  "another modality": [slice(1100, { "00080060": "PT" }), "a.dcm", /its modality is PT, not CT/],
  "a localizer alone": [
    slice(1100, { "00080008": "ORIGINAL\\PRIMARY\\LOCALIZER" }),
    "a.dcm",
    /is a localizer/,
  ],
  "air alone": [slice(24), "a.dcm", /nothing in it is denser than -500 HU/],
  "MRI in NIfTI": [
    niftiBytes({ shape: [4, 4, 2], data: new Float32Array(32).fill(700) }),
    "a.nii",
    /none of its values is below -500 \(the least is 700\), as air is in HU/,
  ],
};
for (const [what, [bytes, name, message]] of Object.entries(refusals)) {
  Deno.test(`the CT loaders refuse ${what}`, () =>
    withFiles({ [name]: bytes }, async (folder) => {
      await assert.rejects(openData(ctKinds, [folder], options), (error: Error) => {
        assert.match(error.message, message);
        assert.match(error.message, /\n {2}where: .*a\.(dcm|nii)\n {2}fix: /);
        return true;
      });
    }));
}
