/** From paths to a dataset: finds the files, recognises each by its content, and opens them together. */

import { UsageError } from "../core/errors.ts";
import type { Contents, Dataset, DatasetKind, FileProbe, OpenOptions } from "./dataset.ts";
import { isHdf5 } from "./fastmri.ts";
import { dicomClass } from "./formats/dicom.ts";

/** A file, and what it is. */
export type FoundFile =
  | { readonly file: FileProbe; readonly kind: DatasetKind }
  | { readonly file: FileProbe; readonly refusal: string; readonly isMisplaced?: boolean };

/** What is at some paths. */
export interface Found {
  /** Sorted by path. */
  readonly files: readonly FoundFile[];
  /** Side files that tell people something and hold no data. */
  readonly ignored: readonly string[];
}

/**
 * Opens the data at `paths`, files and folders.
 *
 * @param contents what an earlier opening of the same paths with the same options found.
 * @throws {UsageError} where there is nothing, where files are of no kind or of several; each named.
 * @throws {TypeError | RangeError | SyntaxError} where a file cannot be used, as its loader says.
 */
export async function openData(
  kinds: readonly DatasetKind[],
  paths: readonly string[],
  options: OpenOptions,
  contents?: Contents,
): Promise<Dataset> {
  const where = `--data ${paths.join(" ")}`;
  if (kinds.length === 0) {
    throw new UsageError({ what: "this benchmark takes no data from files", where, fix: "leave --data out" });
  }
  const { files, ignored } = await findFiles(kinds, paths);
  if (files.length === 0) {
    throw new UsageError({ what: "there are no data files", where, fix: `give ${listOf(kinds)}` });
  }
  const strange = files.flatMap((found) => "refusal" in found ? [found] : []);
  if (strange.length > 0) {
    throw new UsageError({
      what: `${strange.length} of ${files.length} files cannot be used:\n` +
        some(strange.map(({ file, refusal }) => `  ${file.path}: ${refusal}`)).join("\n"),
      where,
      fix: `leave them out; what is read here: ${listOf(kinds)}`,
    });
  }
  const recognised = files as readonly { file: FileProbe; kind: DatasetKind }[];
  const [{ kind }] = recognised;
  const other = recognised.find((found) => found.kind !== kind);
  if (other !== undefined) {
    throw new UsageError({
      what: `the files are of several kinds: ${recognised[0].file.path} is ${kind.kind}, ` +
        `${other.file.path} is ${other.kind.kind}`,
      where,
      fix: "give files of one kind; see `deno task data` for what is there",
    });
  }
  const dataset = await kind.open(recognised.map(({ file }) => file), options, contents);
  if (contents !== undefined || ignored.length === 0) return dataset;
  const note = `not samples themselves: ${some(ignored).join(", ")}`;
  return {
    contents: { ...dataset.contents, notes: [...dataset.contents.notes, note] },
    sample: (subject, id) => dataset.sample(subject, id),
    close: () => dataset.close(),
  };
}

/**
 * Finds the files at `paths` and recognises each by its content. Folders are searched to their ends, hidden files
 * skipped.
 *
 * @throws {UsageError} for a path where there is nothing, or that cannot be read.
 */
export async function findFiles(kinds: readonly DatasetKind[], paths: readonly string[]): Promise<Found> {
  const files = new Map<string, FoundFile>();
  const ignored: string[] = [];
  const visited = new Set<string>();

  const visit = async (path: string, isNamed: boolean): Promise<void> => {
    const real = await reading(path, () => Deno.realPath(path));
    if (visited.has(real)) return;
    visited.add(real);
    const stat = await reading(path, () => Deno.stat(path));
    if (stat.isDirectory) {
      const names: string[] = [];
      await reading(path, async () => {
        for await (const { name } of Deno.readDir(path)) if (!name.startsWith(".")) names.push(name);
      });
      for (const name of names.sort()) {
        const inside = `${path.replace(/[/\\]+$/, "")}/${name}`;
        try {
          await visit(inside, false);
        } catch (error) {
          if (!(error instanceof UsageError)) throw error;
          // A broken link or a closed folder among others is refused as a file is.
          files.set(inside, { file: unread(inside), refusal: error.message.split("\n")[0] });
        }
      }
    } else if (!isNamed && isSideFile(path)) {
      ignored.push(path);
    } else if (!stat.isFile) {
      // Opening a pipe would wait for somebody to write to it.
      files.set(path, { file: unread(path), refusal: "it is no regular file" });
    } else {
      files.set(path, recognised(kinds, await probe(path, stat.size)));
    }
  };
  for (const path of paths) await visit(path, true);
  const all = [...files.values()].sort((a, b) => (a.file.path < b.file.path ? -1 : 1));
  // Tables lie beside their data, and somebody's results, as MATLAB left them; alone, they are told how they are given.
  const isBeside = (found: FoundFile) =>
    "refusal" in found && (found.isMisplaced || /\.mat$/i.test(found.file.path)) &&
    !paths.includes(found.file.path);
  const hasData = all.some((found) => "kind" in found);
  ignored.push(...all.filter((found) => hasData && isBeside(found)).map(({ file }) => file.path));
  return { files: all.filter((found) => !(hasData && isBeside(found))), ignored: ignored.sort() };
}

const unread = (path: string): FileProbe => ({ path, head: new Uint8Array(), sizeBytes: 0 });

function recognised(kinds: readonly DatasetKind[], file: FileProbe): FoundFile {
  const kind = kinds.find((kind) => kind.recognises(file));
  if (kind !== undefined) return { file, kind };
  const misplaced = kinds.map((one) => one.misplaced?.(file)).find((reason) => reason !== undefined);
  return { file, refusal: misplaced ?? describe(file), isMisplaced: misplaced !== undefined };
}

async function probe(path: string, sizeBytes: number): Promise<FileProbe> {
  const buffer = new Uint8Array(1024);
  let length = 0;
  await reading(path, async () => {
    using file = await Deno.open(path);
    for (
      let read = await file.read(buffer);
      read !== null && read > 0;
      read = await file.read(buffer.subarray(length))
    ) {
      length += read;
    }
  });
  return { path, head: buffer.subarray(0, length), sizeBytes };
}

async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const isMissing = cause instanceof Deno.errors.NotFound;
    throw new UsageError({
      what: isMissing ? `there is nothing at ${path}` : `cannot read ${path}: ${(cause as Error).message}`,
      where: "the data's path",
      fix: isMissing
        ? "check the path; it is relative to the current folder"
        : "check the permissions of the path",
    }, { cause });
  }
}

const sideNames = /^(readme|licen[cs]e|copying|citation|changes|dataset_description|participants)(\.|$)/i;
const sideEndings = /\.(md|txt|json|tsv|csv|bval|bvec|pdf)$/i;

function isSideFile(path: string): boolean {
  const name = path.split(/[/\\]/).at(-1)!;
  return sideNames.test(name) || sideEndings.test(name);
}

/** Storage classes of DICOM (PS3.4, Annex B.5) that lie beside CT and MR images. */
const classNames: Readonly<Record<string, string>> = {
  "1.2.840.10008.1.3.10": "a directory (DICOMDIR)",
  "1.2.840.10008.5.1.4.1.1.2": "CT image",
  "1.2.840.10008.5.1.4.1.1.4": "MR image",
  "1.2.840.10008.5.1.4.1.1.7": "secondary capture, which is no measurement",
  "1.2.840.10008.5.1.4.1.1.66": "raw data",
  "1.2.840.10008.5.1.4.1.1.66.4": "segmentation",
  "1.2.840.10008.5.1.4.1.1.128": "PET image",
  "1.2.840.10008.5.1.4.1.1.481.2": "radiotherapy dose",
  "1.2.840.10008.5.1.4.1.1.481.3": "radiotherapy structures",
  "1.2.840.10008.5.1.4.1.1.481.5": "radiotherapy plan",
};

/** In words, what a file is that no kind recognises. */
function describe({ path, head, sizeBytes }: FileProbe): string {
  const starts = (text: string, at = 0) =>
    text.split("").every((character, i) => head[at + i] === character.charCodeAt(0));
  if (sizeBytes === 0) return "it is empty";
  const sopClass = dicomClass(head);
  if (sopClass !== undefined) {
    return `it is DICOM, but not of what is read here: its class is ${classNames[sopClass] ?? sopClass}`;
  }
  if (/\.(dcm|ima)$/i.test(path)) {
    return 'it has no "DICM" behind a preamble of 128 bytes in spite of its name: write it anew, e.g. with dcmconv';
  }
  if (starts("\x93NUMPY")) return "it is a NumPy array: store k-space as fastMRI's HDF5, images as NIfTI";
  if (starts("MATLAB 5.0")) return "it is a MATLAB file: store k-space as fastMRI's HDF5, images as NIfTI";
  if (starts("II*\0") || starts("MM\0*") || starts("II+\0") || starts("MM\0+")) return "it is a TIFF image";
  if (isHdf5(head)) return "it is HDF5, which holds no data of the kinds that are read here";
  if (starts("\x89PNG") || starts("\xff\xd8\xff")) {
    return "it is a picture, whose grey values are no measurement";
  }
  if (starts("PK\x03\x04")) return "it is a ZIP archive: unpack it first";
  if (starts("\x1f\x8b")) return "it is compressed, and what is in it is no NIfTI volume";
  if (/\.img$/i.test(path)) return "it is the image of a detached pair: make one .nii of it and its .hdr";
  if (/\.(nii|hdr)(\.gz)?$/i.test(path)) return "it has no NIfTI header in spite of its name";
  if (/\.(h5|hdf5)$/i.test(path)) return "it has no HDF5 signature in spite of its name";
  return "it is of no known kind";
}

function listOf(kinds: readonly DatasetKind[]): string {
  return kinds.map(({ about }) => about).join("; ");
}

/** The first few of many lines. */
function some(lines: readonly string[]): string[] {
  return lines.length <= 8 ? [...lines] : [...lines.slice(0, 7), `  … and ${lines.length - 7} more`];
}
