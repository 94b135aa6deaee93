import assert from "node:assert/strict";
import { hashOfValues, survey } from "../commands/data.ts";
import { samples } from "../datasets/dataset.ts";
import { ctKinds } from "../datasets/kinds.ts";
import { openData } from "../datasets/open.ts";
import { dicomBytes, withFolder, withPatient } from "./datasets_files.ts";
import golden from "./golden/dicom.json" with { type: "json" };
import { sharedExists, sharedFolder } from "./tree.ts";

const ignore = !sharedExists;
const options = { stream: "test" };

/** A real slice of the plastic head at either dose. */
function real(dose: "smooth_idose" | "sharp_noisy", position: string): Uint8Array {
  return Deno.readFileSync(`${sharedFolder}/ct/phantom_pairs/${dose}_${position}.dcm`);
}

async function withTree(
  files: Readonly<Record<string, Uint8Array>>,
  test: (folder: string) => Promise<void>,
) {
  await withFolder(async (folder) => {
    for (const [path, bytes] of Object.entries(files)) {
      await Deno.mkdir(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeFile(`${folder}/${path}`, bytes);
    }
    await test(folder);
  });
}

/** Three patients with two real slices each, at both doses, under the paths that `path` makes. */
function patients(
  path: (patient: string, dose: "full" | "low", name: string) => string,
  names: readonly string[],
) {
  const files: Record<string, Uint8Array> = {};
  for (const [i, patient] of names.entries()) {
    // Names go against the positions, and differ between the doses as they do in the collections.
    for (const [n, position] of ["0100", ["0200", "0300", "0500"][i]].entries()) {
      files[path(patient, "full", `${9 - n}_FD`)] = withPatient(real("smooth_idose", position), patient);
      files[path(patient, "low", `${n}_QD`)] = withPatient(real("sharp_noisy", position), patient);
    }
  }
  return files;
}

const aapm = { full: "full_3mm", low: "quarter_3mm" };
const layouts: Readonly<Record<string, Parameters<typeof patients>[0]>> = {
  "full_3mm/L067": (patient, dose, name) => `${aapm[dose]}/${patient}/${name}.IMA`,
  "L067/full_3mm": (patient, dose, name) => `${patient}/${aapm[dose]}/${name}.IMA`,
  "full_3mm/L067/full_3mm": (patient, dose, name) => `${aapm[dose]}/${patient}/${aapm[dose]}/${name}.IMA`,
};
for (const [layout, path] of Object.entries(layouts)) {
  Deno.test({
    name: `the challenge's layout ${layout} gives pairs of patients, and L506 for the test`,
    ignore,
    fn: () =>
      withTree(patients(path, ["L067", "L096", "L506"]), async (folder) => {
        const dataset = await openData(ctKinds, [folder], options);
        const { kind, holds, unit, subjects, pixelSizeMm } = dataset.contents;
        assert.deepEqual([kind, holds, unit], ["low-dose-pairs", "pairs", "HU"]);
        assert.deepEqual(subjects.map(({ id, role, samples }) => [id, role, samples]), [
          ["L067", undefined, ["00", "01"]],
          ["L096", undefined, ["00", "01"]],
          ["L506", "test", ["00", "01"]],
        ]);
        assert.deepEqual(pixelSizeMm, [0.451171875, 0.451171875]);
        const { image, measurement } = await dataset.sample("L096", "01");
        assert.equal(
          hashOfValues(image!.data),
          golden.slices["ct/phantom_pairs/smooth_idose_0300.dcm"].sha256,
        );
        assert.equal(
          hashOfValues(measurement!.data),
          golden.slices["ct/phantom_pairs/sharp_noisy_0300.dcm"].sha256,
        );
        // Every patient has the first slice of the same head: copies are known by the hash of the volume only.
        assert.equal(new Set(subjects.flatMap(({ volumes }) => volumes)).size, 6);

        const again = await openData(ctKinds, [folder], options, dataset.contents);
        assert.deepEqual(await again.sample("L096", "01"), await dataset.sample("L096", "01"));
      }),
  });
}

Deno.test({
  name: "the archive's layout gives strata of regions, and leaves projections out",
  ignore,
  fn: () => {
    const path: Parameters<typeof patients>[0] = (patient, dose, name) =>
      `LDCT/${patient}/08-30-2018-44220/1.000000-${dose === "full" ? "Full" : "Low"} Dose Images-${
        name[0]
      }/1-${name}.dcm`
        .replace(/-\d\//, "-77/");
    const files: Record<string, Uint8Array> = {
      ...patients(path, ["C002", "L004", "N005"]),
      "LDCT/C002/08-30-2018-44220/2.000000-Low Dose Projections-12/1-0001.dcm": real("sharp_noisy", "0700"),
    };
    return withTree(files, async (folder) => {
      const { subjects, notes, holds } = (await openData(ctKinds, [folder], options)).contents;
      assert.equal(holds, "pairs");
      assert.deepEqual(
        subjects.map(({ id, stratum, role, samples }) => [id, stratum, role, samples.length]),
        [
          ["C002", "chest", undefined, 2],
          ["L004", "liver", undefined, 2],
          ["N005", "head", undefined, 2],
        ],
      );
      assert.match(notes.join(), /1 files of projections were left out/);
    });
  },
});

/** A small slice with one pixel of tissue. */
function slice(
  stored: number,
  z: number,
  columns = 2,
  ...patient: readonly (string | undefined)[]
): Uint8Array {
  const more = patient.length === 0 ? {} : { "00100020": patient[0] };
  return dicomBytes({
    rows: 2,
    columns,
    stored: [stored, ...new Array(2 * columns - 1).fill(24)],
    elements: { "00200032": `0\\0\\${z}`, ...more },
  });
}

Deno.test("slices are paired by position; those without a partner are named and left out", () =>
  withTree({
    "full_3mm/L067/a.IMA": slice(1100, 0),
    "full_3mm/L067/b.IMA": slice(1200, 3),
    "full_3mm/L067/c.IMA": slice(1300, 6),
    "full_3mm/L096/a.IMA": slice(1350, 0),
    "full_3mm/L096/b.IMA": slice(1360, 3),
    // From head to feet, one missing, one elsewhere, one of another size.
    "quarter_3mm/L067/a.IMA": slice(1310, 6.04),
    "quarter_3mm/L067/b.IMA": slice(1400, 4.5),
    "quarter_3mm/L067/c.IMA": slice(1110, 0),
    "quarter_3mm/L096/a.IMA": slice(1500, 0, 4),
    "quarter_3mm/L096/b.IMA": slice(1361, 3),
  }, async (folder) => {
    const dataset = await openData(ctKinds, [folder], options);
    const found: [string, string, number, number][] = [];
    for await (const { subject, id, image, measurement } of samples(dataset)) {
      found.push([subject, id, image!.data[0], measurement!.data[0]]);
    }
    assert.deepEqual(found, [
      ["L067", "00", 76, 86],
      ["L067", "01", 276, 286],
      ["L096", "00", 336, 337],
    ]);
    const notes = dataset.contents.notes.join("\n");
    assert.match(
      notes,
      /L067 3mm: 1 of 3 full-dose slices were left out, without a low-dose slice .*: b\.IMA/,
    );
    assert.match(
      notes,
      /L067 3mm: 1 of 3 low-dose slices were left out, without a full-dose slice .*: b\.IMA/,
    );
    assert.match(notes, /L096 3mm: 1 of 2 full-dose slices were left out/);
  }));

Deno.test("thicknesses and kernels of one patient are not mixed", () =>
  withTree({
    "full_1mm_sharp/L067/a.IMA": slice(1100, 0),
    "full_3mm/L067/a.IMA": slice(1200, 0),
    "quarter_1mm_sharp/L067/a.IMA": slice(1110, 0),
    "quarter_3mm/L067/a.IMA": slice(1210, 0),
  }, async (folder) => {
    const dataset = await openData(ctKinds, [folder], options);
    assert.deepEqual(dataset.contents.subjects[0].samples, ["L067_1mm_sharp-00", "L067_3mm-00"]);
    const { image, measurement } = await dataset.sample("L067", "L067_3mm-00");
    assert.deepEqual([image!.data[0], measurement!.data[0]], [176, 186]);
  }));

Deno.test("without a patient's folder the file's name says who it is, and without PatientID the folder above", () =>
  withTree({
    "study/full_3mm/L067_FD_3_1.CT.0001.IMA": slice(1100, 0),
    "study/quarter_3mm/L067_QD_3_1.CT.0001.IMA": slice(1110, 0),
    "other/full_3mm/a.IMA": slice(1100, 0, 2, undefined),
    "other/quarter_3mm/a.IMA": slice(1110, 0, 2, undefined),
  }, async (folder) => {
    const { subjects, holds } = (await openData(ctKinds, [folder], options)).contents;
    assert.deepEqual([subjects.map(({ id }) => id), holds], [["L067", "other"], "pairs"]);
  }));

Deno.test("without a patient's folder PatientID says who it is, whatever it says of the dose", () =>
  withTree({
    "full_3mm/a.IMA": withPatient(slice(1100, 0), "A1_FD_3"),
    "quarter_3mm/a.IMA": withPatient(slice(1110, 0), "A1_QD_3"),
  }, async (folder) => {
    const { subjects, holds } = (await openData(ctKinds, [folder], options)).contents;
    assert.deepEqual([subjects.map(({ id }) => id), holds], [["A1"], "pairs"]);
  }));

Deno.test("one dose alone is what it is: images, or measurements without a truth", () =>
  withTree(
    { "full_3mm/L067/a.IMA": slice(1100, 0), "quarter_3mm/L096/a.IMA": slice(1110, 0) },
    async (folder) => {
      const full = await openData(ctKinds, [`${folder}/full_3mm`], options);
      assert.equal(full.contents.holds, "images");
      assert.equal((await full.sample("L067", "00")).measurement, undefined);
      const low = await openData(ctKinds, [`${folder}/quarter_3mm`], options);
      assert.equal(low.contents.holds, "measurements");
      assert.equal((await low.sample("L096", "00")).image, undefined);
      await assert.rejects(
        openData(ctKinds, [folder], options),
        /no full-dose slice has a low-dose slice of the same/,
      );
    },
  ));

Deno.test("data looks at every file of a pair alone, and then at the pairs", () =>
  withTree({
    "full_3mm/L067/a.IMA": slice(1100, 0),
    "quarter_3mm/L067/a.IMA": slice(1110, 0),
    "quarter_3mm/L067/broken.IMA": slice(1110, 3).slice(0, -2),
  }, async (folder) => {
    const { datasets, refused, hashes } = await survey([folder], { hash: true });
    assert.deepEqual(datasets.map(({ contents: { kind, holds } }) => [kind, holds]), [[
      "low-dose-pairs",
      "pairs",
    ]]);
    assert.match(refused[0].path, /broken\.IMA/);
    assert.match(refused[0].reason, /cut short/);
    assert.deepEqual(hashes.map(({ subject, sample }) => [subject, sample]), [
      ["L067", "00"],
      ["L067", "00, measured"],
    ]);
  }));

Deno.test("a matrix brings both doses to it", () =>
  withTree(
    { "full_3mm/L067/a.IMA": slice(1100, 0, 4), "quarter_3mm/L067/a.IMA": slice(1140, 0, 4) },
    async (folder) => {
      const dataset = await openData(ctKinds, [folder], { ...options, matrix: 2 });
      const { image, measurement } = await dataset.sample("L067", "00");
      assert.deepEqual([image!.shape, measurement!.shape], [[2, 2, 1], [2, 2, 1]]);
      assert.deepEqual([image!.data[0], measurement!.data[0]], [
        (76 - 1000 - 2048) / 4,
        (116 - 1000 - 2048) / 4,
      ]);
      assert.deepEqual(dataset.contents.pixelSizeMm, [1, 1]);
      assert.match(dataset.contents.banners.join(), /brought to 2 x 2 by averaging/);
    },
  ));
