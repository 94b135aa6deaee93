import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { hashOfValues } from "../commands/data.ts";
import { magnitude } from "../core/image.ts";
import { type Sample, samples } from "../datasets/dataset.ts";
import { mriKinds } from "../datasets/kinds.ts";
import { openData } from "../datasets/open.ts";
import { assertNoLeak, splitFromFile } from "../harness/split.ts";
import { niftiBytes, type NiftiFile, withFolder } from "./datasets_files.ts";
// Made by datasets.py with h5py, nibabel and numpy, which says how.
import golden from "./golden/datasets.json" with { type: "json" };
import { sharedExists, sharedFolder } from "./tree.ts";

const ignore = !sharedExists;
const asStored = { stream: "test", simulate: false };

for (const [path, { slices, count, hashes }] of Object.entries(golden.nifti)) {
  Deno.test({ name: `${path} has the values and slices that nibabel finds`, ignore }, async () => {
    const dataset = await openData(mriKinds, [`${sharedFolder}/${path}`], asStored);
    const [subject] = dataset.contents.subjects;
    assert.deepEqual(subject.samples.map(Number), slices);
    if (slices.length < count) {
      assert.match(dataset.contents.notes.join(), new RegExp(`${count - slices.length} of ${count} slices`));
    }
    for (const [slice, hash] of Object.entries(hashes)) {
      const id = subject.samples[slices.indexOf(Number(slice))];
      const { image } = await dataset.sample(subject.id, id);
      assert.equal(hashOfValues(image!.data), hash, `slice ${slice}`);
    }
    dataset.close();
  });
}

Deno.test(
  { name: "a magnitude volume gets a phase and a banner, and keeps its magnitude", ignore },
  async () => {
    const path = `${sharedFolder}/mri/t1_axial_ptbp/subject05.nii.gz`;
    const stored = await openData(mriKinds, [path], asStored);
    const simulated = await openData(mriKinds, [path], { stream: "test" });
    assert.match(simulated.contents.banners.join(), /k-space was simulated/);
    const plain = (await stored.sample("subject05", "08")).image!;
    const complex = (await simulated.sample("subject05", "08")).image!;
    assert.deepEqual(complex.shape, [182, 217, 2]);
    assert.ok(magnitude(complex).data.every((value, i) => Math.abs(value - plain.data[i]) < 1e-6));
    assert.ok(complex.data.some((value, i) => i % 2 === 1 && Math.abs(value) > 0.01));
  },
);

Deno.test(
  { name: "the children come at 64 x 64 with eight slices each, whole heads all", ignore },
  async () => {
    const dataset = await openData(mriKinds, [`${sharedFolder}/mri/t1_axial_ptbp`], {
      matrix: 64,
      stream: "test",
    });
    const { subjects, notes, name } = dataset.contents;
    assert.equal(name, "t1_axial_ptbp");
    assert.equal(subjects.length, 14);
    for (const { samples, shape } of subjects) assert.deepEqual([samples.length, shape], [8, [64, 64, 2]]);
    assert.match(notes.join(), /140 of 252 slices were left out: 112 without signal and 28 that graze/);
  },
);

/** A volume whose value says where it is, and that is nowhere zero. */
function numbered(shape: readonly number[]): Float32Array {
  return Float32Array.from(
    { length: shape.reduce((product, extent) => product * extent, 1) },
    (_, i) => 100 + i,
  );
}

async function withVolumes(
  files: Readonly<Record<string, NiftiFile | Uint8Array>>,
  test: (folder: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    for (const [name, file] of Object.entries(files)) {
      await Deno.writeFile(`${folder}/${name}`, file instanceof Uint8Array ? file : niftiBytes(file));
    }
    await test(folder);
  });
}

Deno.test("a volume is sliced along the header's axis, else the shortest, else the one that is asked for", () => {
  const shape = [4, 3, 5];
  const data = numbered(shape);
  const cases: [string, number | undefined, number[], number, number][] = [
    // file, --slice-axis, shape of a slice, number of slices, value at row 1, column 0 of slice 0
    ["plain.nii", undefined, [5, 4, 1], 3, 112],
    ["header.nii", undefined, [3, 4, 1], 5, 104],
    ["header.nii", 0, [5, 3, 1], 4, 112],
    ["plain.nii", 2, [3, 4, 1], 5, 104],
  ];
  // dim_info, byte 39, has the slice's axis, counted from 1, in bits 4 and 5.
  const header = { 38: 3 << 12 };
  return withVolumes(
    { "plain.nii": { shape, data }, "header.nii": { shape, data, header } },
    async (folder) => {
      for (const [name, sliceAxis, expected, count, value] of cases) {
        const dataset = await openData(mriKinds, [`${folder}/${name}`], { ...asStored, sliceAxis });
        const [{ id, samples, shape }] = dataset.contents.subjects;
        assert.deepEqual([shape, samples.length], [expected, count], `${name} ${sliceAxis}`);
        const { image } = await dataset.sample(id, samples[0]);
        assert.equal(image!.data[expected[1]], value);
      }
      await assert.rejects(
        openData(mriKinds, [`${folder}/plain.nii`], { ...asStored, sliceAxis: 3 }),
        /there is no axis 3/,
      );
    },
  );
});

Deno.test("a slope of zero means no scaling, another one scales", () => {
  const [shape, data] = [[2, 2], Float32Array.of(1, 2, 3, 4)];
  return withVolumes(
    { "zero.nii": { shape, data }, "half.nii": { shape, data, slope: 0.5 } },
    async (folder) => {
      const values = async (name: string) => {
        const dataset = await openData(mriKinds, [`${folder}/${name}.nii`], asStored);
        return [...(await dataset.sample(name, "00")).image!.data];
      };
      assert.deepEqual(await values("zero"), [1, 2, 3, 4]);
      assert.deepEqual(await values("half"), [0.5, 1, 1.5, 2]);
    },
  );
});

Deno.test("a gzipped volume gives what the plain one gives", () => {
  const file = { shape: [3, 4, 2], data: numbered([3, 4, 2]) };
  return withVolumes(
    { "a.nii": file, "b.nii.gz": new Uint8Array(gzipSync(niftiBytes(file))) },
    async (folder) => {
      const dataset = await openData(mriKinds, [folder], asStored);
      const [a, b] = [await dataset.sample("a", "01"), await dataset.sample("b", "01")];
      assert.deepEqual(a.image, b.image);
    },
  );
});

Deno.test("a copy of a volume under another name is known, gzipped or not", () =>
  withFolder(async (folder) => {
    const values = (first: number) => Float32Array.from({ length: 64 }, (_, i) => first + (i % 7));
    const volume = (first: number) => niftiBytes({ shape: [4, 4, 4], data: values(first) });
    await Deno.writeFile(`${folder}/a.nii`, volume(1));
    await Deno.writeFile(`${folder}/b.nii`, volume(2));
    await Deno.writeFile(`${folder}/c.nii.gz`, gzipSync(volume(1)));
    const { contents } = await openData(mriKinds, [folder], { stream: "test" });
    const [a, b, c] = contents.subjects.map(({ volumes }) => volumes!);
    assert.deepEqual(a, c);
    assert.notDeepEqual(a, b);
    const split = splitFromFile(contents, { x: ["a"], y: ["b"], test: ["c"] }, "planted");
    assert.throws(
      () => assertNoLeak(split, contents.subjects),
      /"a" and "c" hold the same volume, and are in the parts "x" and "test"/,
    );
  }));

Deno.test("volumes of one person, as BIDS names them, are one subject", () => {
  const file = { shape: [4, 4, 2], data: numbered([4, 4, 2]) };
  const names = ["sub-01_ses-1_T1w.nii", "sub-01_ses-2_T1w.nii", "sub-02_ses-1_T1w.nii"];
  return withVolumes(Object.fromEntries(names.map((name) => [name, file])), async (folder) => {
    const dataset = await openData(mriKinds, [folder], { matrix: 8, stream: "test" });
    assert.deepEqual(dataset.contents.subjects.map(({ id, samples }) => [id, samples.length]), [
      ["sub-01", 4],
      ["sub-02", 2],
    ]);
    const seen = new Set<string>();
    for await (const { image } of samples(dataset)) seen.add(hashOfValues(image!.data));
    assert.equal(seen.size, 6);
  });
});

Deno.test("the samples of a NIfTI dataset are the same in any order, and when its contents are known", () => {
  const file = (offset: number) => ({
    shape: [6, 5, 3],
    data: numbered([6, 5, 3]).map((value) => value + offset),
  });
  return withVolumes({ "a.nii": file(0), "b.nii": file(50) }, async (folder) => {
    const options = { matrix: 4, stream: "test" };
    const first = await openData(mriKinds, [folder], options);
    const inSequence: Sample[] = [];
    for await (const sample of samples(first)) inSequence.push(sample);
    const again = await openData(mriKinds, [folder], options, first.contents);
    for (const sample of inSequence.reverse()) {
      assert.deepEqual(await again.sample(sample.subject, sample.id), sample);
    }
    const other = await openData(mriKinds, [folder], { ...options, stream: "other" });
    assert.notDeepEqual(await other.sample("a", "00"), await first.sample("a", "00"));
  });
});

const volume = { shape: [4, 4, 2], data: numbered([4, 4, 2]) };
const refusals: Readonly<Record<string, [NiftiFile | Uint8Array, RegExp]>> = {
  "a series of volumes": [{ shape: [2, 2, 2, 3], data: numbered([24]) }, /4 dimensions \(2 x 2 x 2 x 3\)/],
  "negative values": [
    { ...volume, data: volume.data.map((value) => value - 110) },
    /negative values \(down to -10\)/,
  ],
  "NaN, saying where": [
    { ...volume, data: volume.data.map((value, i) => (i === 21 ? NaN : value)) },
    /voxel at \(1, 1, 1\) is NaN/,
  ],
  "colours": [{ ...volume, header: { 70: 128, 72: 24 } }, /RGB colours/],
  "an unknown datatype": [{ ...volume, header: { 70: 77 } }, /unknown datatype 77/],
  "zeros": [{ ...volume, data: new Float32Array(32) }, /zero throughout/],
  "a header that is larger than its file": [{ ...volume, header: { 42: 400 } }, /cut short/],
  "a header of terabytes": [
    { ...volume, header: { 42: 32767, 44: 32767, 46: 32767 } },
    /more than the 832 MB/,
  ],
  "an empty axis": [{ ...volume, header: { 44: 0 } }, /0 voxels along axis 1/],
  "a gzip file that is cut short": [
    new Uint8Array(gzipSync(niftiBytes(volume))).slice(0, -20),
    /cannot decompress/,
  ],
  "a gzip file that cannot hold what it says": [
    new Uint8Array(gzipSync(niftiBytes({ ...volume, header: { 42: 400, 44: 400, 46: 400 } }))),
    /no gzip file of \d+ bytes can hold/,
  ],
};
for (const [what, [file, message]] of Object.entries(refusals)) {
  Deno.test(`the NIfTI loader refuses ${what}`, () =>
    withVolumes({ "bad.nii": file }, async (folder) => {
      await assert.rejects(openData(mriKinds, [folder], { stream: "test" }), (error: Error) => {
        assert.match(error.message, message);
        assert.match(error.message, /where: .*bad\.nii\n {2}fix: /);
        return true;
      });
    }));
}
