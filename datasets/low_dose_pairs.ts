/**
 * Low-dose CT beside full-dose CT of the same patient, in the layouts of public collections (`dose_layouts.ts`).
 *
 * A sample's image is the full-dose slice in HU, its measurement the low-dose slice at the same position.
 */

import { createHash } from "node:crypto";
import { explain } from "../core/errors.ts";
import type { Contents, Dataset, DatasetKind, FileProbe, OpenOptions, Sample } from "./dataset.ts";
import { isInHu } from "./dicom.ts";
import { geometryKey, listed, readSeries, type Series, type SeriesFile } from "./dicom_series.ts";
import { aboutPatient, type DoseLayout, doseLayout, patientAt } from "./dose_layouts.ts";
import { bytesOf, findSlice, hashOfVolumes, nameOfFolder, plainName } from "./files.ts";
import { dicomClass, isDicomOf, readDicom } from "./formats/dicom.ts";
import { huGeometry, huImage, HuSurvey, outside, simulatedDose } from "./hounsfield.ts";
import { Inventory, type VolumeFile } from "./volumes.ts";

/** Full-dose and low-dose CT of the same patients. */
export const lowDosePairsKind: DatasetKind = {
  kind: "low-dose-pairs",
  about:
    "full- and low-dose CT in folders like full_3mm and quarter_3mm, or “Full Dose Images” and “Low Dose Images”",
  recognises({ path, head }) {
    const dose = doseLayout(path)?.dose;
    return dose === "none" ? dicomClass(head) !== undefined : dose !== undefined && isDicomOf("CT", head);
  },
  async open(files, options, contents) {
    const { stacks, notes } = await stacksOf(files);
    return new LowDosePairs(contents ?? await contentsOf(files, stacks, notes, options), stacks, options);
  },
};

/** A slice at both doses, or at the only one that there is. */
interface Pair {
  readonly full?: SeriesFile;
  readonly low?: SeriesFile;
}

/** The pairs of one series of one patient, in the order of their positions. */
interface Stack extends VolumeFile {
  readonly collection: DoseLayout["collection"];
  readonly pairs: readonly Pair[];
}

/** The series of one reconstruction of one patient. */
interface Doses {
  readonly patient: string;
  readonly layout: DoseLayout;
  readonly full: Series[];
  readonly low: Series[];
}

async function stacksOf(files: readonly FileProbe[]): Promise<{ stacks: Stack[]; notes: string[] }> {
  const images = files.filter(({ path }) => doseLayout(path)!.dose !== "none");
  if (images.length === 0) {
    throw new TypeError(explain({
      what: "it holds projections, not images",
      where: files[0].path,
      fix: "give the folders of full-dose and low-dose images",
    }));
  }
  // Doses and reconstructions are kept apart by making subjects of them.
  const { series, notes } = await readSeries(images, isInHu, ({ path, header }) => {
    const { variant, dose } = doseLayout(path)!;
    return [patientAt(path, header.patient), variant, dose].filter((part) => part !== "").join(" ");
  });
  if (images.length < files.length) {
    notes.push(`${files.length - images.length} files of projections were left out: they are no images`);
  }

  const all = new Map<string, Doses>();
  for (const one of series) {
    const [{ path, header }] = one.files;
    const layout = doseLayout(path)!;
    const patient = patientAt(path, header.patient);
    const key = `${patient} ${layout.variant}`.trim();
    if (!all.has(key)) all.set(key, { patient, layout, full: [], low: [] });
    all.get(key)![layout.dose as "full" | "low"].push(one);
  }
  const doses = [...all.values()];
  const isOneDose = doses.every(({ low }) => low.length === 0) ||
    doses.every(({ full }) => full.length === 0);
  const found = doses.flatMap((one) => isOneDose ? unpaired(one) : paired(one, notes));
  if (found.length === 0) {
    throw new RangeError(explain({
      what: "no full-dose slice has a low-dose slice of the same patient at its position",
      where: nameOfFolder(images.map(({ path }) => path)),
      fix: "check that both folders hold the same patients and the same reconstruction, e.g. 3 mm",
    }));
  }
  return { stacks: named(found), notes };
}

type Unnamed = Omit<Stack, "label"> & { readonly variant: string };

function unpaired({ patient, layout: { collection, variant }, full, low }: Doses): Unnamed[] {
  const stack = (files: readonly SeriesFile[], pairs: readonly Pair[]) => ({
    subject: patient,
    path: files[0].path,
    collection,
    variant,
    pairs,
  });
  return [
    ...full.map(({ files }) => stack(files, files.map((full) => ({ full })))),
    ...low.map(({ files }) => stack(files, files.map((low) => ({ low })))),
  ];
}

/** Partners lie in the same place; what has none is named in the notes. */
function paired({ patient, layout: { collection, variant }, full, low }: Doses, notes: string[]): Unnamed[] {
  const left = new Set(low.flatMap(({ files }) => files));
  const alone: SeriesFile[] = [];
  const stacks: Unnamed[] = [];
  for (const { files } of full) {
    const pairs: Pair[] = [];
    for (const one of files) {
      const partner = partnerOf(one, left);
      if (partner === undefined) {
        alone.push(one);
      } else {
        left.delete(partner);
        pairs.push({ full: one, low: partner });
      }
    }
    if (pairs.length > 0) stacks.push({ subject: patient, path: files[0].path, collection, variant, pairs });
  }
  const note = (files: readonly SeriesFile[], dose: "full" | "low", of: readonly Series[]) => {
    if (files.length === 0) return;
    const count = of.reduce((sum, { files }) => sum + files.length, 0);
    const other = dose === "full" ? "low" : "full";
    notes.push(
      `${
        `${patient} ${variant}`.trim()
      }: ${files.length} of ${count} ${dose}-dose slices were left out, without a ` +
        `${other}-dose slice at their position: ${listed(files.map(({ path }) => path))}`,
    );
  };
  note(alone, "full", full);
  note([...left], "low", low);
  return stacks;
}

// Both doses are reconstructed from one scan onto the same planes: what is further apart is another plane.
const partnersWithinMm = 0.1;

/** The nearest of `others` in the plane of `one`; where neither has a position, that of the same instance number. */
function partnerOf(one: SeriesFile, others: Iterable<SeriesFile>): SeriesFile | undefined {
  const geometry = geometryKey(one);
  let partner: SeriesFile | undefined;
  let nearest = partnersWithinMm;
  for (const other of others) {
    const distance = one.place !== undefined && other.place !== undefined
      ? Math.abs(one.place - other.place)
      : one.place === other.place && one.header.instance !== undefined &&
          one.header.instance === other.header.instance
      ? 0
      : Infinity;
    const isNearer = partner === undefined ? distance <= nearest : distance < nearest;
    if (isNearer && geometryKey(other) === geometry) [partner, nearest] = [other, distance];
  }
  return partner;
}

/** A stack is labelled as its patient where that has no other, else by its reconstruction, too. */
function named(stacks: readonly Unnamed[]): Stack[] {
  const labels = new Set<string>();
  return stacks.map(({ variant, ...stack }) => {
    const isOnly = stacks.filter(({ subject }) => subject === stack.subject).length === 1;
    const base = isOnly ? stack.subject : `${stack.subject}_${plainName(variant === "" ? "plain" : variant)}`;
    let label = base;
    for (let n = 2; labels.has(label); n++) label = `${base}_${n}`;
    labels.add(label);
    return { ...stack, label };
  });
}

class LowDosePairs implements Dataset {
  constructor(
    readonly contents: Contents,
    readonly stacks: readonly Stack[],
    readonly options: OpenOptions,
  ) {}

  async sample(subject: string, id: string): Promise<Sample> {
    const { file: { pairs }, slice } = findSlice(this.stacks, this.contents.subjects, subject, id);
    const { full, low } = pairs[slice];
    return { id, subject, image: await this.#image(full), measurement: await this.#image(low) };
  }

  async #image(file?: SeriesFile) {
    if (file === undefined) return undefined;
    const { values, header: { height, width } } = await readDicom(file.path, outside);
    return huImage(values, height, width, this.options);
  }

  close(): void {}
}

async function contentsOf(
  files: readonly FileProbe[],
  stacks: readonly Stack[],
  notes: readonly string[],
  options: OpenOptions,
): Promise<Contents> {
  const seen = new HuSurvey(options);
  const inventory = new Inventory();
  const isOnly = new Set(stacks.map(({ subject }) => subject)).size === 1;
  for (const stack of stacks) {
    const { pairs, subject, collection } = stack;
    const { header: { height, width, pixelSizeMm } } = (pairs[0].full ?? pairs[0].low)!;
    const slices = { count: pairs.length, height, width, isComplex: false, pixelSizeMm };
    const values: string[] = [];
    for (const dose of ["full", "low"] as const) {
      const own = pairs.flatMap((pair) => pair[dose] ?? []);
      if (own.length > 0) values.push(await hashOf(own, seen));
    }
    const { role, ...more } = aboutPatient(subject, collection);
    // Where there is nobody else, nobody would be left to learn from.
    inventory.add(stack, slices, {
      kept: pairs.map((_, index) => index),
      ...huGeometry(slices, options),
      values,
      more: isOnly ? more : { role, ...more },
    });
  }
  const [{ full, low }] = stacks[0].pairs;
  const holds = low === undefined ? "images" : full === undefined ? "measurements" : "pairs";
  return {
    kind: lowDosePairsKind.kind,
    name: nameOfFolder(files.map(({ path }) => path)),
    subjects: inventory.subjects,
    unit: "HU",
    pixelSizeMm: inventory.pixelSizeMm,
    holds,
    banners: [...(holds === "images" ? [simulatedDose] : []), ...seen.banners],
    notes: [...notes, ...seen.notes],
    hash: hashOfVolumes(lowDosePairsKind.kind, inventory.read),
  };
}

/** SHA-256 of the values of all these slices, which are looked at on the way. */
async function hashOf(files: readonly SeriesFile[], seen: HuSurvey): Promise<string> {
  const hash = createHash("sha256");
  for (const { path, header: { height, width } } of files) {
    const { values } = await readDicom(path, outside);
    seen.see(values, height, width);
    hash.update(bytesOf(values));
  }
  return hash.digest("hex");
}
