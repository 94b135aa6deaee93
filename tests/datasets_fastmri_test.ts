import assert from "node:assert/strict";
import { centreCrop, magnitude } from "../core/image.ts";
import { type Dataset, type Sample, samples } from "../datasets/dataset.ts";
import { mriKinds } from "../datasets/kinds.ts";
import { openData } from "../datasets/open.ts";
import { type FastmriFile, withFolder, writeFastmri } from "./datasets_files.ts";
// Made by datasets.py with h5py, nibabel and numpy, which says how.
import golden from "./golden/datasets.json" with { type: "json" };
import { sharedExists, sharedFolder } from "./tree.ts";

const layout = `${sharedFolder}/mri/fastmri_layout`;
const ignore = !sharedExists;
const open = (paths: readonly string[], matrix?: number) =>
  openData(mriKinds, paths, { matrix, stream: "test" });

async function withDataset(dataset: Dataset, test: (dataset: Dataset) => Promise<void>): Promise<void> {
  try {
    await test(dataset);
  } finally {
    dataset.close();
  }
}

/** Writes files by name, in folders where the names have some. */
async function write(folder: string, files: Readonly<Record<string, FastmriFile>>): Promise<void> {
  for (const [name, file] of Object.entries(files)) {
    await Deno.mkdir(`${folder}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await writeFastmri(`${folder}/${name}`, file);
  }
}

for (const [name, expected] of Object.entries(golden.fastmri)) {
  for (const size of ["native", "matrix64"] as const) {
    Deno.test(
      { name: `the coil images of ${name} (${size}) are those of h5py and numpy`, ignore },
      async () => {
        const { shape, norm, points } = expected[size];
        const dataset = await open([`${layout}/${name}.h5`], size === "native" ? undefined : 64);
        await withDataset(dataset, async () => {
          for await (const { image, measurement, acquisition } of samples(dataset)) {
            const values = expected.lines === null ? image! : measurement!;
            assert.equal(expected.lines === null, measurement === undefined);
            assert.deepEqual(values.shape, shape);
            assert.deepEqual(dataset.contents.subjects[0].shape, shape);
            const squares = values.data.reduce((sum, value) => sum + value * value, 0);
            assert.ok(Math.abs(Math.sqrt(squares) / norm - 1) < 1e-6);
            const unit = norm / Math.sqrt(shape[0] * shape[1]);
            for (const [coil, row, column, ...parts] of points) {
              const at = (row * shape[1] + column) * shape[2] + 2 * coil;
              parts.forEach((part, i) => assert.ok(Math.abs(values.data[at + i] - part) < 1e-6 * unit));
            }
            if (expected.lines !== null && size === "native") {
              assert.deepEqual(acquisition!.lines, expected.lines);
            }
          }
        });
      },
    );
  }
}

Deno.test(
  { name: "the stored reconstruction is the magnitude of the native coil images", ignore },
  async () => {
    for (const name of ["brain_8coil", "brain_t1_singlecoil_gzip"]) {
      await withDataset(await open([`${layout}/${name}.h5`]), async (dataset) => {
        for await (const { image, reference } of samples(dataset)) {
          const { data } = magnitude(image!);
          const peak = Math.max(...reference!.data);
          assert.deepEqual(reference!.shape, [...image!.shape.slice(0, 2), 1]);
          assert.ok(data.every((value, i) => Math.abs(value - reference!.data[i]) < 1e-5 * peak));
        }
      });
    }
  },
);

Deno.test({ name: "fastMRI files of different coils are refused together, by name", ignore }, async () => {
  await assert.rejects(open([layout], 64), (error: Error) => {
    assert.ok(error instanceof TypeError);
    assert.match(
      error.message,
      /1 coils? here, 8 in .*brain_8coil\.h5[^]*where: .*brain_t1_singlecoil_gzip\.h5/,
    );
    return true;
  });
});

Deno.test("the official folders are the split, patient_id is the subject, and the acquisition its stratum", () =>
  withFolder(async (folder) => {
    const shape = [2, 12, 10];
    await write(folder, {
      "singlecoil_train/file1.h5": { shape, attributes: { patient_id: "p1", acquisition: "CORPD_FBK" } },
      "singlecoil_train/file2.h5": { shape, attributes: { patient_id: "p1", acquisition: "CORPDFS_FBK" } },
      "singlecoil_val/file3.h5": { shape, attributes: { patient_id: "p2", acquisition: "CORPD_FBK" } },
      "singlecoil_test/file4.h5": { shape },
    });
    await withDataset(await open([folder], 8), async (dataset) => {
      const { contents } = dataset;
      const rows = contents.subjects.map(({ id, samples, role, stratum }) => ({
        id,
        samples,
        role,
        stratum,
      }));
      assert.deepEqual(rows, [
        { id: "file4", samples: ["00", "01"], role: "test", stratum: undefined },
        {
          id: "p1",
          samples: ["file1-00", "file1-01", "file2-00", "file2-01"],
          role: "train",
          stratum: "CORPDFS_FBK + CORPD_FBK",
        },
        { id: "p2", samples: ["file3-00", "file3-01"], role: "validation", stratum: "CORPD_FBK" },
      ]);
      assert.match(contents.notes.join(), /4 files are of 3 subjects/);
      assert.equal((await dataset.sample("p2", "file3-01")).acquisition!.file, "file3.h5");
    });
  }));

Deno.test("a patient in two parts of the official split is refused", () =>
  withFolder(async (folder) => {
    const file: FastmriFile = { shape: [1, 8, 8], attributes: { patient_id: "p1" } };
    await write(folder, { "multicoil_train/a.h5": file, "multicoil_test/b.h5": file });
    await assert.rejects(open([folder]), /patient "p1" is in two parts of the split/);
  }));

Deno.test("a masked file is a measurement with its lines; a mask over full k-space is no mask", () =>
  withFolder(async (folder) => {
    const shape = [2, 6, 8];
    const mask = [0, 0, 1, 1, 1, 0, 1, 0];
    const kspace = Float32Array.from({ length: 2 * 96 }, (_, i) => (mask[(i >> 1) % 8] ? Math.cos(i) : 0));
    await write(folder, { "masked/a.h5": { shape, kspace, mask }, "full/a.h5": { shape, mask } });
    await withDataset(await open([`${folder}/masked`]), async (dataset) => {
      assert.equal(dataset.contents.holds, "measurements");
      assert.equal(dataset.contents.subjects[0].role, "test");
      const sample = await dataset.sample("a", "01");
      assert.equal(sample.image, undefined);
      assert.deepEqual(sample.measurement!.shape, [6, 8, 2]);
      assert.deepEqual(sample.acquisition!.lines, [2, 3, 4, 6]);
    });
    await withDataset(await open([`${folder}/full`]), async (dataset) => {
      assert.equal(dataset.contents.holds, "images");
      assert.notEqual((await dataset.sample("a", "00")).image, undefined);
    });
  }));

Deno.test("the samples of a fastMRI dataset are the same in any order, and when its contents are known", () =>
  withFolder(async (folder) => {
    const attributes = { patient_id: "someone" };
    const shape = [3, 2, 10, 12];
    await write(folder, { "a.h5": { shape }, "b.h5": { shape, attributes }, "c.h5": { shape, attributes } });
    const options = { matrix: 8, stream: "test" };
    const first = await openData(mriKinds, [folder], options);
    await withDataset(first, async () => {
      const inSequence: Sample[] = [];
      for await (const sample of samples(first)) inSequence.push(sample);
      assert.equal(inSequence.length, 9);
      const again = await openData(mriKinds, [folder], options, first.contents);
      await withDataset(again, async () => {
        assert.deepEqual(again.contents, first.contents);
        for (const sample of inSequence.reverse()) {
          assert.deepEqual(await again.sample(sample.subject, sample.id), sample);
        }
      });
    });
  }));

Deno.test("the hash of a dataset changes with one of its bytes, and not with where it is", () =>
  withFolder(async (folder) => {
    const kspace = new Float32Array(2 * 64).fill(1);
    const hash = async (name: string) => {
      const dataset = await open([`${folder}/${name}`]);
      dataset.close();
      return dataset.contents.hash;
    };
    await write(folder, {
      "here/a.h5": { shape: [1, 8, 8], kspace },
      "there/a.h5": { shape: [1, 8, 8], kspace },
    });
    const before = await hash("here");
    assert.equal(await hash("there"), before);
    kspace[17] = 2;
    await write(folder, { "here/a.h5": { shape: [1, 8, 8], kspace } });
    assert.notEqual(await hash("here"), before);
  }));

Deno.test("the hash of a dataset changes with a name, a mask, a reconstruction and a header", () =>
  withFolder(async (folder) => {
    const shape = [1, 4, 4];
    const kspace = new Float32Array(32).fill(1);
    const reconstruction = { name: "reconstruction_esc", shape, data: new Float32Array(16).fill(1) };
    const brighter = { ...reconstruction, data: new Float32Array(16).fill(2) };
    await write(folder, {
      "0/a.h5": { shape, kspace, reconstruction },
      "1/b.h5": { shape, kspace, reconstruction },
      "2/a.h5": { shape, kspace, reconstruction: brighter },
      "3/a.h5": { shape, kspace },
      "4/a.h5": { shape, kspace, reconstruction, reconSpace: [4, 2] },
      "5/a.h5": { shape, kspace, reconstruction, attributes: { acquisition: "T1" } },
    });
    const hashes: string[] = [];
    for (let i = 0; i < 6; i++) {
      const dataset = await open([`${folder}/${i}`]);
      dataset.close();
      hashes.push(dataset.contents.hash);
    }
    assert.equal(new Set(hashes).size, 6);
  }));

Deno.test("a copy of a volume is known by its k-space, whatever its name, patient and reconstruction", () =>
  withFolder(async (folder) => {
    const shape = [2, 4, 6];
    const kspace = Float32Array.from({ length: 96 }, (_, i) => Math.cos(i * i));
    const reconstruction = { name: "reconstruction_esc", shape, data: new Float32Array(48).fill(1) };
    await write(folder, {
      "a.h5": { shape, kspace, reconstruction },
      "b.h5": { shape, kspace, attributes: { patient_id: "p" } },
      "c.h5": { shape, attributes: { patient_id: "p" } },
    });
    await withDataset(await open([folder]), ({ contents: { subjects: [a, p] } }) => {
      assert.deepEqual([a.id, p.id, a.volumes!.length, p.volumes!.length], ["a", "p", 1, 2]);
      assert.equal(p.volumes![0], a.volumes![0]);
      assert.notEqual(p.volumes![1], a.volumes![0]);
      return Promise.resolve();
    });
  }));

Deno.test("a slice of zeros is left out and counted; faint ones stay, since published scores count them", () =>
  withFolder(async (folder) => {
    const kspace = new Float32Array(3 * 128);
    kspace.fill(1, 0, 128);
    kspace.fill(1e-6, 256);
    await write(folder, { "a.h5": { shape: [3, 8, 8], kspace } });
    await withDataset(await open([folder]), ({ contents }) => {
      assert.deepEqual(contents.subjects[0].samples, ["00", "02"]);
      assert.match(contents.notes.join(), /1 slices? were left out/);
      return Promise.resolve();
    });
  }));

const refusals: Readonly<Record<string, [FastmriFile, RegExp]>> = {
  "NaN in k-space": [
    { shape: [2, 4, 4], kspace: new Float32Array(64).fill(1).fill(NaN, 40, 41) },
    /"kspace" holds NaN in slice 1[^]*where: .*bad\.h5/,
  ],
  "an infinite reconstruction": [
    {
      shape: [1, 4, 4],
      reconstruction: {
        name: "reconstruction_esc",
        shape: [1, 2, 2],
        data: Float32Array.of(1, Infinity, 1, 1),
      },
    },
    /"reconstruction_esc" holds Infinity in slice 0/,
  ],
  "a mask of another width": [{ shape: [1, 4, 4], mask: [1, 0, 1] }, /"mask" is \[3\][^]*4 columns/],
  "a mask without a line": [{ shape: [1, 4, 4], mask: [0, 0, 0, 0] }, /no measured column/],
  "k-space of zeros": [{ shape: [1, 4, 4], kspace: new Float32Array(32) }, /zero throughout/],
  "k-space of two axes": [{ shape: [4, 4] }, /"kspace" is \[4, 4\]/],
  "a reconstruction of other slices": [
    {
      shape: [1, 4, 4],
      reconstruction: { name: "reconstruction_esc", shape: [2, 2, 2], data: new Float32Array(8).fill(1) },
    },
    /2 slices and "kspace" 1/,
  ],
};
for (const [what, [file, message]] of Object.entries(refusals)) {
  Deno.test(`the fastMRI loader refuses ${what}, in words`, () =>
    withFolder(async (folder) => {
      await write(folder, { "bad.h5": file });
      await assert.rejects(open([folder]), (error: Error) => {
        assert.match(error.message, message);
        assert.match(error.message, /\n {2}fix: /);
        return true;
      });
    }));
}

Deno.test("the header says how large the scanner's image is, and a pixel of it", () =>
  withFolder(async (folder) => {
    // The readout is oversampled twice, as in every fastMRI file.
    await write(folder, { "a.h5": { shape: [1, 16, 8], reconSpace: [8, 8] } });
    await withDataset(await open([folder]), async (native) => {
      assert.deepEqual(native.contents.pixelSizeMm, [0.5, 0.5]);
      const whole = (await native.sample("a", "00")).image!;
      await withDataset(await open([folder], 8), async (dataset) => {
        const { data } = (await dataset.sample("a", "00")).image!;
        assert.ok(centreCrop(whole, 8, 8).data.every((value, i) => Math.abs(value - data[i]) < 1e-6));
      });
    });
  }));

Deno.test("without a matrix files keep their sizes, each its own; with one they are all of it", () =>
  withFolder(async (folder) => {
    await write(folder, { "a.h5": { shape: [1, 8, 8] }, "b.h5": { shape: [1, 8, 10] } });
    await withDataset(await open([folder]), async (dataset) => {
      assert.deepEqual(dataset.contents.subjects.map(({ shape }) => shape), [[8, 8, 2], [8, 10, 2]]);
      assert.deepEqual((await dataset.sample("a", "00")).image!.shape, [8, 8, 2]);
      assert.deepEqual((await dataset.sample("b", "00")).image!.shape, [8, 10, 2]);
    });
    await withDataset(await open([folder], 6), async (dataset) => {
      for await (const { image } of samples(dataset)) assert.deepEqual(image!.shape, [6, 6, 2]);
      assert.match(dataset.contents.banners.join(), /brought to 6 x 6/);
    });
  }));

Deno.test("a patient may have volumes of several sizes, and the contents say which", () =>
  withFolder(async (folder) => {
    const attributes = { patient_id: "p" };
    await write(folder, {
      "a.h5": { shape: [1, 8, 8], attributes },
      "b.h5": { shape: [2, 8, 10], attributes },
    });
    await withDataset(await open([folder]), async (dataset) => {
      const [{ shape, otherShapes, samples }] = dataset.contents.subjects;
      for (const id of samples) {
        const { image } = await dataset.sample("p", id);
        assert.deepEqual(image!.shape, otherShapes![id] ?? shape);
      }
      assert.deepEqual(Object.keys(otherShapes!), ["b-00", "b-01"]);
    });
  }));

Deno.test("single-coil and multi-coil files are refused together, also where the multi-coil one has one coil", () =>
  withFolder(async (folder) => {
    await write(folder, { "a.h5": { shape: [1, 8, 8] }, "b.h5": { shape: [1, 1, 8, 8] } });
    await assert.rejects(
      open([folder]),
      /multi-coil k-space here, single-coil in .*a\.h5[^]*where: .*b\.h5/,
    );
  }));

Deno.test({ name: "a masked file is refused beside the full one of the same head", ignore }, async () => {
  const files = ["brain_t1_singlecoil_gzip", "brain_t1_singlecoil_masked_test"];
  await assert.rejects(
    open(files.map((name) => `${layout}/${name}.h5`)),
    /patient "anonymous" is in two parts of the split: test here, none in .*gzip\.h5[^]*where: .*masked_test\.h5/,
  );
});
