import assert from "node:assert/strict";
import { survey } from "../commands/data.ts";
import { allKinds } from "../datasets/kinds.ts";
import { findFiles } from "../datasets/open.ts";
import { HdfReader } from "../datasets/formats/hdf5.ts";
import { stream } from "../core/random.ts";
import { alone } from "./alone.ts";
import { niftiBytes, withFolder, writeFastmri } from "./datasets_files.ts";
import type { Surveyed } from "./survey_alone.ts";
import { sharedExists, sharedFolder } from "./tree.ts";

const gigabyte = 2 ** 30;

for (const folder of ["hdf5", "nifti", "dicom", "tiff", "truncated"]) {
  Deno.test({
    name: `every file of malformed/${folder} is refused in words, within 5 s and a gigabyte`,
    ignore: !sharedExists,
  }, async () => {
    const { files } = await findFiles(allKinds, [`${sharedFolder}/malformed/${folder}`]);
    assert.ok(files.length >= 4);
    const paths = files.map(({ file }) => file.path);
    const found = await alone<Surveyed>("survey_alone.ts", ...paths);
    assert.deepEqual(found.files.map(({ path }) => path), paths);
    for (const { path, seconds, datasets, refused } of found.files) {
      assert.ok(seconds < 5, path);
      assert.equal(datasets, 0, path);
      assert.equal(refused[0].path, path);
      assert.ok(
        refused[0].reason.length > 10 && !/undefined|\bat .*:\d+:\d+/.test(refused[0].reason),
        refused[0].reason,
      );
    }
    assert.ok(found.peak < gigabyte, `${found.peak} bytes`);
  });
}

Deno.test({
  name: "what else is beside the fastMRI files is refused in words, each file for its own reason",
  ignore: !sharedExists,
}, async () => {
  const reasons: Readonly<Record<string, RegExp>> = {
    "mri/ismrmrd": /no dataset "kspace"[^]*as ISMRMRD raw data do/,
    "mri/hdf5_variants": /no dataset "kspace"|already open for write/,
    "mri/raw": /NumPy array|MATLAB/,
  };
  for (const [folder, reason] of Object.entries(reasons)) {
    const { datasets, refused } = await survey([`${sharedFolder}/${folder}`], {});
    assert.equal(datasets.length, 0);
    for (const one of refused) assert.match(one.reason, reason, one.path);
  }
});

Deno.test("mutations of sound files end in data or in a worded error, never in a hang or NaN", () =>
  withFolder(async (folder) => {
    await writeFastmri(`${folder}/sound.h5`, { shape: [2, 6, 8], mask: [1, 1, 1, 1, 1, 1, 1, 0] });
    const sound = [
      { name: "mutant.h5", rounds: 15, bytes: await Deno.readFile(`${folder}/sound.h5`) },
      {
        name: "mutant.nii",
        rounds: 200,
        bytes: niftiBytes({ shape: [4, 4, 3], data: new Float32Array(48).fill(2) }),
      },
    ];
    const rng = stream("test/mutations");
    let loaded = 0;
    for (const { name, rounds, bytes } of sound) {
      for (let round = 0; round < rounds; round++) {
        const mutant = bytes.slice(0, rng.uniform() < 0.2 ? rng.integer(bytes.length) + 1 : bytes.length);
        for (let n = rng.integer(6); n >= 0; n--) {
          mutant[rng.integer(Math.min(mutant.length, 2400))] = rng.integer(256);
        }
        await Deno.writeFile(`${folder}/${name}`, mutant);
        const before = performance.now();
        const { datasets, refused } = await survey([`${folder}/${name}`], { hash: true });
        assert.ok(performance.now() - before < 5000);
        assert.equal(datasets.length + refused.length, 1);
        loaded += datasets.length;
      }
    }
    // Most bytes are pixels or unused, so that many mutants still load: both ways out were taken.
    assert.ok(loaded > 10 && loaded < 205, `${loaded} of 215 loaded`);
  }));

Deno.test("after a file that libhdf5 fails on, the next one is read rightly", () =>
  withFolder(async (folder) => {
    const kspace = Float32Array.from({ length: 32 }, (_, i) => i);
    await writeFastmri(`${folder}/a.h5`, { shape: [1, 4, 4], kspace });
    const bytes = await Deno.readFile(`${folder}/a.h5`);
    await Deno.writeFile(`${folder}/cut.h5`, bytes.slice(0, bytes.length / 2));
    using reader = new HdfReader();
    await assert.rejects(reader.inspect(`${folder}/cut.h5`, ["kspace"], []), /truncated file/);
    assert.deepEqual(await reader.read(`${folder}/a.h5`, "kspace", [0, 0, 0], [1, 4, 4]), kspace);
    assert.deepEqual(
      await reader.read(`${folder}/a.h5`, "kspace", [0, 1, 2], [1, 1, 2]),
      kspace.slice(12, 16),
    );
    await assert.rejects(reader.read(`${folder}/a.h5`, "kspace", [1, 0, 0], [1, 4, 4]), /no such part/);
    await assert.rejects(reader.read(`${folder}/a.h5`, "other", [0], [1]), SyntaxError);
  }));
