/**
 * Low-dose CT beside full-dose CT of the same patient, in the layouts of two public collections.
 *
 * - AAPM Low Dose CT Grand Challenge 2016 (McCollough et al., Med. Phys. 44, 2017): `full_3mm/L067/*.IMA` and
 *   `quarter_3mm/L067/*.IMA`, or `L067/full_3mm/*.IMA`. L506 is the usual test patient.
 * - LDCT-and-Projection-data of The Cancer Imaging Archive (Moen et al., Med. Phys. 48, 2021): `C002/…Full Dose
 *   Images…/*.dcm` and `C002/…Low Dose Images…/*.dcm`; patients C are chests at a tenth of the dose, L livers and N
 *   heads at a quarter. Projections beside them are left out.
 *
 * A sample's image is the full-dose slice in HU, its measurement the low-dose slice at the same position.
 */

import { createHash } from "node:crypto";
import { explain } from "../core/errors.ts";
import type { Contents, Dataset, DatasetKind, FileProbe, OpenOptions, Sample, Subject } from "./dataset.ts";
import { isInHu } from "./dicom.ts";
import { geometryKey, listed, readSeries, type SeriesFile } from "./dicom_series.ts";
import { bytesOf, hashOfVolumes, nameOfFolder, plainName, type ReadVolume } from "./files.ts";
import { dicomClass, isDicomOf, readDicom } from "./formats/dicom.ts";
import { huGeometry, huImage, HuSurvey, outside, simulatedDose } from "./hounsfield.ts";

/** Full-dose and low-dose CT of the same patients. */
export const lowDosePairsKind: DatasetKind = {
  kind: "low-dose-pairs",
  about:
    "full- and low-dose CT in folders like full_3mm and quarter_3mm, or “Full Dose Images” and “Low Dose Images”",
  recognises: ({ path, head }) => {
    const layout = layoutOf(path);
    return layout !== undefined &&
      (layout.dose === "none" ? dicomClass(head) !== undefined : isDicomOf("CT", head));
  },
  open: async (files, options, contents) => {
    const { groups, notes } = await pairsOf(files);
    return new LowDosePairs(contents ?? await contentsOf(files, groups, notes, options), groups, options);
  },
};

/** Where a path puts its file. */
interface Layout {
  readonly patient?: string;
  /** `"none"`: projections, which are no images. */
  readonly dose: "full" | "low" | "none";
  /** Which reconstruction, e.g. `"3mm"` or `"1mm_sharp"`. */
  readonly variant: string;
  readonly collection: "AAPM" | "TCIA";
}

const regions: Readonly<Record<string, string>> = { C: "chest", L: "liver", N: "head" };

const testPatient = "L506";

/** What the folders above a file say of it, the nearest first; undefined where none names a dose. */
function layoutOf(path: string): Layout | undefined {
  const [name, ...folders] = path.split(/[/\\]/).reverse();
  const patient = folders.find((folder) => /^[CLN]\d{3,4}$/i.test(folder)) ??
    /^([CLN]\d{3,4})_[FQ]D/i.exec(name)?.[1];
  for (const folder of folders) {
    const named = doseOf(folder);
    if (named !== undefined) return { patient: patient?.toUpperCase(), ...named };
  }
  return undefined;
}

/** What a folder of this name holds; undefined where it names no dose. */
function doseOf(folder: string): Omit<Layout, "patient"> | undefined {
  const aapm = /^(full|quarter)(?:_dose)?(?:_(\w+))?$/i.exec(folder);
  if (aapm !== null) {
    const dose = aapm[1].toLowerCase() === "full" ? "full" : "low";
    return { dose, variant: aapm[2]?.toLowerCase() ?? "", collection: "AAPM" };
  }
  const tcia = /(full|low)[ _-]?dose[ _-]?(images|projections)/i.exec(folder);
  if (tcia === null) return undefined;
  const dose = tcia[2].toLowerCase() === "projections"
    ? "none"
    : tcia[1].toLowerCase() === "full"
    ? "full"
    : "low";
  return { dose, variant: "", collection: "TCIA" };
}

/** Where no folder is named for a patient: PatientID, whatever it says of the dose, else the folder above the dose's. */
function patientOf({ path, header: { patient } }: SeriesFile): string {
  if (patient !== undefined) {
    return plainName(patient.replace(/[_-](fd|qd|ld|full|quarter|low)([_-].*)?$/i, ""));
  }
  const folders = path.split(/[/\\]/).slice(0, -1).reverse();
  return plainName(folders.find((folder) => folder !== "" && doseOf(folder) === undefined) ?? "somebody");
}

/** A slice at both doses, or at the only one that there is. */
interface Pair {
  readonly full?: SeriesFile;
  readonly low?: SeriesFile;
}

/** The pairs of one reconstruction of one patient, in the order of their positions. */
interface Group {
  readonly subject: string;
  /** Before the number in sample ids, where a patient has several reconstructions. */
  readonly prefix: string;
  readonly collection: Layout["collection"];
  readonly pairs: readonly Pair[];
}

async function pairsOf(files: readonly FileProbe[]): Promise<{ groups: Group[]; notes: string[] }> {
  const images = files.filter(({ path }) => layoutOf(path)!.dose !== "none");
  if (images.length === 0) {
    throw new TypeError(explain({
      what: "it holds projections, not images",
      where: files[0].path,
      fix: "give the folders of full-dose and low-dose images",
    }));
  }
  // The series of a patient's two doses are kept apart by making subjects of them.
  const apart = new Map<string, { subject: string; layout: Layout }>();
  const { series, notes } = await readSeries(images, isInHu, (file) => {
    const layout = layoutOf(file.path)!;
    const subject = layout.patient ??
      patientOf(file).replace(/[_-](fd|qd|ld|full|quarter|low)([_-].*)?$/i, "");
    const key = [subject, layout.variant, layout.dose].filter((part) => part !== "").join(" ");
    apart.set(key, { subject, layout });
    return key;
  });
  if (images.length < files.length) {
    notes.push(`${files.length - images.length} files of projections were left out: they are no images`);
  }

  const groups: Group[] = [];
  const subjects = Map.groupBy(apart.values(), ({ subject }) => subject);
  for (const [subject, parts] of [...subjects].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const variants = [...new Set(parts.map(({ layout }) => layout.variant))].sort();
    for (const variant of variants) {
      const of = (dose: Layout["dose"]) =>
        series.filter(({ subject: key }) => {
          const part = apart.get(key)!;
          return part.subject === subject && part.layout.variant === variant && part.layout.dose === dose;
        }).flatMap(({ files }) => files);
      const { pairs, alone } = paired(of("full"), of("low"));
      const prefix = variants.length > 1 ? `${variant === "" ? "plain" : plainName(variant)}-` : "";
      groups.push({ subject, prefix, collection: parts[0].layout.collection, pairs: [...pairs, ...alone] });
    }
  }
  return { groups: withoutLeftovers(groups, notes), notes };
}

// Both doses are reconstructed from one scan onto the same planes: what is further apart is another plane.
const partnersWithinMm = 0.1;

/** Partners lie in the same place; what has none stays alone. */
function paired(full: readonly SeriesFile[], low: readonly SeriesFile[]): { pairs: Pair[]; alone: Pair[] } {
  const left = new Set(low);
  const pairs: Pair[] = [];
  const alone: Pair[] = [];
  for (const one of full) {
    let partner: SeriesFile | undefined;
    let nearest = partnersWithinMm;
    for (const other of left) {
      const distance = one.place !== undefined && other.place !== undefined
        ? Math.abs(one.place - other.place)
        : one.header.instance !== undefined && one.header.instance === other.header.instance
        ? 0
        : Infinity;
      if (distance <= nearest && (partner === undefined || distance < nearest)) {
        if (geometryKey(one) !== geometryKey(other)) continue;
        [partner, nearest] = [other, distance];
      }
    }
    if (partner === undefined) {
      alone.push({ full: one });
    } else {
      left.delete(partner);
      pairs.push({ full: one, low: partner });
    }
  }
  return { pairs, alone: [...alone, ...[...left].map((one) => ({ low: one }))] };
}

/** Without slices that have no partner, unless none has: then all are of one dose, and are what they are. */
function withoutLeftovers(groups: readonly Group[], notes: string[]): Group[] {
  const all = groups.flatMap(({ pairs }) => pairs);
  const lacking = { full: "low", low: "full" } as const;
  if (all.every(({ low }) => low === undefined) || all.every(({ full }) => full === undefined)) {
    return [...groups];
  }
  const kept: Group[] = [];
  for (const group of groups) {
    const pairs = group.pairs.filter(({ full, low }) => full !== undefined && low !== undefined);
    for (const dose of ["full", "low"] as const) {
      const alone = group.pairs.filter((pair) => pair[lacking[dose]] === undefined).map((pair) =>
        pair[dose]!.path
      );
      if (alone.length === 0) continue;
      const name = [group.subject, group.prefix.replace(/-$/, "")].filter((part) => part !== "").join(" ");
      notes.push(
        `${name}: ${alone.length} ${dose}-dose slices were left out, without a ${
          lacking[dose]
        }-dose slice at their ` +
          `position: ${listed(alone)}`,
      );
    }
    if (pairs.length > 0) kept.push({ ...group, pairs });
  }
  if (kept.length === 0) {
    throw new RangeError(explain({
      what: "no full-dose slice has a low-dose slice of the same patient at its position",
      where: nameOfFolder(all.map(({ full, low }) => (full ?? low)!.path)),
      fix: "check that both folders hold the same patients and the same reconstruction, e.g. 3 mm",
    }));
  }
  return kept;
}

class LowDosePairs implements Dataset {
  readonly #pairs = new Map<string, Pair>();

  constructor(readonly contents: Contents, groups: readonly Group[], readonly options: OpenOptions) {
    for (const group of groups) {
      idsOf(group).forEach((id, i) => this.#pairs.set(`${group.subject}/${id}`, group.pairs[i]));
    }
  }

  async sample(subject: string, id: string): Promise<Sample> {
    const pair = this.#pairs.get(`${subject}/${id}`);
    if (pair === undefined) throw new RangeError(`there is no sample "${id}" of subject "${subject}"`);
    const image = async (file?: SeriesFile) => {
      if (file === undefined) return undefined;
      const { values, header } = await readDicom(file.path, outside);
      return huImage(values, header.height, header.width, this.options);
    };
    return { id, subject, image: await image(pair.full), measurement: await image(pair.low) };
  }

  close(): void {}
}

function idsOf({ prefix, pairs }: Group): string[] {
  const digits = Math.max(2, String(pairs.length - 1).length);
  return pairs.map((_, i) => prefix + String(i).padStart(digits, "0"));
}

async function contentsOf(
  files: readonly FileProbe[],
  groups: readonly Group[],
  notes: readonly string[],
  options: OpenOptions,
): Promise<Contents> {
  const seen = new HuSurvey(options);
  const read: ReadVolume[] = [];
  const subjects = new Map<string, Subject & { samples: string[]; volumes: string[] }>();
  const sizes = new Set<string>();
  let pixelSizeMm: readonly number[] | undefined;
  const count = new Set(groups.map(({ subject }) => subject)).size;
  for (const group of groups) {
    const { subject: id, prefix, pairs, collection } = group;
    const ids = idsOf(group);
    const { header, path } = (pairs[0].full ?? pairs[0].low)!;
    const { shape } = huGeometry(header, options);
    const known = subjects.get(id) ?? {
      id,
      samples: [],
      shape,
      stratum: collection === "TCIA" ? regions[id[0]] : undefined,
      role: collection === "AAPM" && id === testPatient && count > 1 ? "test" as const : undefined,
      source: path,
      volumes: [],
    };
    subjects.set(id, { ...known, otherShapes: withOthers(known, ids, pairs, options) });
    known.samples.push(...ids);
    for (const pair of pairs) {
      const geometry = huGeometry((pair.full ?? pair.low)!.header, options);
      pixelSizeMm = geometry.pixelSizeMm;
      sizes.add(JSON.stringify(pixelSizeMm?.map((mm) => mm.toFixed(3)) ?? null));
    }
    for (const dose of ["full", "low"] as const) {
      const own = pairs.flatMap((pair) => pair[dose] ?? []);
      if (own.length === 0) continue;
      const hash = createHash("sha256");
      for (const { path, header } of own) {
        const { values } = await readDicom(path, outside);
        seen.see(values, header.height, header.width);
        hash.update(bytesOf(values));
      }
      const values = hash.digest("hex");
      known.volumes.push(values);
      read.push({ file: { path: `${prefix}${dose}`, label: id }, about: own.length, values });
    }
  }
  const all = groups.flatMap(({ pairs }) => pairs);
  const holds = all[0].low === undefined ? "images" : all[0].full === undefined ? "measurements" : "pairs";
  return {
    kind: lowDosePairsKind.kind,
    name: nameOfFolder(files.map(({ path }) => path)),
    subjects: [...subjects.values()],
    unit: "HU",
    pixelSizeMm: sizes.size === 1 ? pixelSizeMm : undefined,
    holds,
    banners: [...(holds === "images" ? [simulatedDose] : []), ...seen.banners],
    notes: [...notes, ...seen.notes],
    hash: hashOfVolumes(lowDosePairsKind.kind, read),
  };
}

/** By id, the shapes of samples that have another one than their subject. */
function withOthers(
  { shape, otherShapes }: Subject,
  ids: readonly string[],
  pairs: readonly Pair[],
  options: OpenOptions,
): Subject["otherShapes"] {
  const others = { ...otherShapes };
  pairs.forEach(({ full, low }, i) => {
    const own = huGeometry((full ?? low)!.header, options).shape;
    if (own.some((extent, axis) => extent !== shape[axis])) others[ids[i]] = own;
  });
  return Object.keys(others).length > 0 ? others : undefined;
}
