/**
 * Series of DICOM images: files that belong together, in the order in which they lie in the body.
 *
 * A file's name says nothing. Its patient, series, size and orientation say where it belongs, and its position along
 * the normal of the slices says where it comes; only without positions its instance number does.
 */

import { explain } from "../core/errors.ts";
import type { FileProbe } from "./dataset.ts";
import { fileName, labelled, plainPatient } from "./files.ts";
import { type DicomHeader, readDicomHeader } from "./formats/dicom.ts";

/** One file of a series. */
export interface SeriesFile {
  readonly path: string;
  readonly header: DicomHeader;
  /** Millimetres along the normal of the slices, where the header has position and orientation. */
  readonly place?: number;
}

/** Images of one series, of one size and orientation, in order. */
export interface Series {
  /** PatientID, else the folder's name, else what the reader was told. */
  readonly subject: string;
  /** A name for it among the series of its subject. */
  readonly name: string;
  readonly files: readonly SeriesFile[];
}

/** Which headers are welcome; throws where one is not. */
export type Check = (header: DicomHeader, path: string) => void;

// Positions are written with about six digits: what differs by less is the same place.
const samePlaceMm = 0.01;
// A step between slices that is this much longer than the usual one leaves something out.
const gapFrom = 1.5;

/**
 * Reads the headers of files, and sorts the files into series; in notes, what is odd about these.
 *
 * @throws {TypeError} where `check` throws, and where there are localizers only.
 */
export async function readSeries(
  files: readonly FileProbe[],
  check: Check,
  subjectOf?: (file: SeriesFile) => string,
): Promise<{ series: Series[]; notes: string[] }> {
  const found: SeriesFile[] = [];
  const scouts: string[] = [];
  for (const { path } of files) {
    const header = await readDicomHeader(path);
    check(header, path);
    if (header.imageType.includes("LOCALIZER")) scouts.push(path);
    else found.push({ path, header, place: placeOf(header) });
  }
  if (found.length === 0) {
    throw new TypeError(explain({
      what: "it is a localizer, a projection through the body: there is no other image",
      where: scouts[0],
      fix: "leave it out, and give the slices",
    }));
  }
  const notes = scouts.length === 0 ? [] : [`localizers were left out: ${listed(scouts)}`];

  const series: Series[] = [];
  const subjects = Map.groupBy(found, subjectOf ?? patientOf(found));
  for (const [subject, own] of [...subjects].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const names = new Set<string>();
    const numberOf = ([{ header }]: SeriesFile[]) => header.seriesNumber ?? Infinity;
    const grouped = [...Map.groupBy(own, seriesKey).values()];
    // Without numbers the difference is not one, and the order stays that of the files.
    for (const together of grouped.sort((a, b) => numberOf(a) - numberOf(b) || 0)) {
      const parts = [...Map.groupBy(together, geometryKey).values()];
      for (const part of parts) {
        const { seriesNumber } = part[0].header;
        let name = seriesNumber === undefined ? "series" : `s${seriesNumber}`;
        for (let n = 2; names.has(name); n++) name = `${name.replace(/_\d+$/, "")}_${n}`;
        names.add(name);
        series.push({ subject, name, files: inOrder(part) });
      }
      if (parts.length > 1) {
        notes.push(`${subject}: one series mixes ${parts.map(geometryInWords).join(" and ")}`);
      }
    }
  }
  for (const one of series) notes.push(...oddities(one));
  return { series, notes };
}

/** PatientID, else the name of the folder, and as much of its path as tells it from others. */
function patientOf(files: readonly SeriesFile[]): (file: SeriesFile) => string {
  const folders = new Set(files.map(({ path }) => folderOf(path)));
  const names = new Map(
    labelled([...folders].map((path) => ({ path }))).map(({ path, label }) => [path, label]),
  );
  return ({ path, header: { patient } }) =>
    patient === undefined ? names.get(folderOf(path))! : plainPatient(patient);
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.length - fileName(path).length - 1));
}

function seriesKey({ path, header: { series } }: SeriesFile): string {
  return series ?? folderOf(path);
}

/** The same for two images whose pixels lie alike in their planes. */
export function geometryKey({ header: { height, width, orientation, pixelSizeMm } }: SeriesFile): string {
  const rounded = (values?: readonly number[]) => values?.map((value) => Math.round(value * 1e3)).join();
  return [height, width, rounded(orientation), rounded(pixelSizeMm)].join("/");
}

function geometryInWords(part: readonly SeriesFile[]): string {
  const { height, width, pixelSizeMm } = part[0].header;
  const pixels = pixelSizeMm === undefined ? "" : ` at ${pixelSizeMm.join(" x ")} mm`;
  return `${part.length} image${part.length === 1 ? "" : "s"} of ${height} x ${width}${pixels} (${
    listed(part.map(({ path }) => path))
  })`;
}

/** Millimetres along the normal, which is the cross product of the directions of rows and columns. */
function placeOf({ position, orientation }: DicomHeader): number | undefined {
  if (position === undefined || orientation === undefined) return undefined;
  const [a, b, c, d, e, f] = orientation;
  const normal = [b * f - c * e, c * d - a * f, a * e - b * d];
  return position.reduce((sum, along, axis) => sum + along * normal[axis], 0);
}

/** By position where every file has one, else by instance number; the same ones by path. */
function inOrder(files: readonly SeriesFile[]): SeriesFile[] {
  const havePlaces = files.every(({ place }) => place !== undefined);
  const rank = ({ place, header: { instance } }: SeriesFile) =>
    havePlaces ? [place!, instance ?? 0] : [instance ?? 0];
  return [...files].sort((a, b) => {
    const [ofA, ofB] = [rank(a), rank(b)];
    const first = ofA.findIndex((value, i) => value !== ofB[i]);
    return first >= 0 ? ofA[first] - ofB[first] : a.path < b.path ? -1 : 1;
  });
}

/** Gaps, duplicates and missing positions of a series, in words. */
function oddities({ subject, name, files }: Series): string[] {
  const where = `${subject} ${name}`;
  const placed = files.filter(({ place }) => place !== undefined);
  if (placed.length < files.length && files.length > 1) {
    const lacking = files.filter(({ place }) => place === undefined).map(({ path }) => path);
    return [`${where}: without a position, so ordered by instance number: ${listed(lacking)}`];
  }
  const steps = placed.slice(1).map((file, i) => ({
    between: [placed[i], file],
    mm: file.place! - placed[i].place!,
  }));
  const notes: string[] = [];
  const repeated = new Set(steps.filter(({ mm }) => mm < samePlaceMm).flatMap(({ between }) => between));
  if (repeated.size > 0) {
    const paths = [...repeated].map(({ path }) => path);
    notes.push(`${where}: ${repeated.size} images share their position with another: ${listed(paths)}`);
  }
  const regular = steps.filter(({ mm }) => mm >= samePlaceMm).map(({ mm }) => mm).sort((a, b) => a - b);
  const usual = regular[Math.floor((regular.length - 1) / 2)];
  const gaps = steps.filter(({ mm }) => mm > gapFrom * usual);
  if (gaps.length > 0) {
    const shown = gaps.map(({ between: [a, b], mm }) =>
      `${millimetres(mm)} between ${fileName(a.path)} and ${fileName(b.path)}`
    );
    notes.push(`${where}: slices are ${millimetres(usual)} apart, but ${some(shown)}`);
  }
  return notes;
}

const millimetres = (mm: number) => `${Number(mm.toFixed(2))} mm`;

/** The names of the first few of many files. */
export function listed(paths: readonly string[]): string {
  return some(paths.map(fileName));
}

function some(names: readonly string[]): string {
  return names.length <= 4
    ? names.join(", ")
    : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
}
