/** What loaders of volumes have in common: names of files and of their slices, where a file stands, and hashes. */

import { canonicalJson, type Json, sha256 } from "../core/json.ts";
import type { FileProbe, Subject } from "./dataset.ts";

/** A file, or a folder that holds one volume, with its name among the others. */
export interface Named {
  readonly path: string;
  /** Its name without folder and ending where that is unique, else as much of its path as is needed. */
  readonly label: string;
}

/** A file with its name among the others. */
export interface LabelledFile extends FileProbe, Named {}

const endings = /(\.nii\.gz|\.[A-Za-z][A-Za-z0-9]{0,5})$/;

/** Files sorted by path, each with a label that no other has. */
export function labelled<F extends { readonly path: string }>(files: readonly F[]): (F & Named)[] {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const parts = sorted.map(({ path }) => path.replace(endings, "").split(/[/\\]/));
  const used = new Set<string>();
  return sorted.map((file, i) => {
    const same = parts.filter((other) => other.at(-1) === parts[i].at(-1));
    let depth = 1;
    const tail = (path: readonly string[]) => path.slice(-depth).join("_");
    while (depth < parts[i].length && same.filter((other) => tail(other) === tail(parts[i])).length > 1) {
      depth++;
    }
    let label = plainName(tail(parts[i]));
    for (let n = 2; used.has(label); n++) label = `${plainName(tail(parts[i]))}_${n}`;
    used.add(label);
    return { ...file, label };
  });
}

/** A foreign name as one that can stand in a table and in a path: letters, digits, `.`, `_`, `-` and `+`. */
export function plainName(name: string): string {
  const plain = name.normalize("NFC").replace(/[^\p{L}\p{N}._+-]+/gu, "_").replace(/^\.+/, "_").slice(0, 120);
  return plain === "" ? "_" : plain;
}

/** A patient's identifier as a name; one that had to be changed for it is told apart by a hash, so that no two are taken for one. */
export function plainPatient(id: string): string {
  const plain = plainName(id);
  return plain === id ? id : `${plain}-${sha256(id).slice(0, 6)}`;
}

/** A name for all of them: the folder that they are in, or the only file's own. */
export function nameOfAll(files: readonly Named[]): string {
  return files.length === 1 ? files[0].label : nameOfFolder(files.map(({ path }) => path));
}

/** A name for the folder that all of these paths are in. */
export function nameOfFolder(paths: readonly string[]): string {
  const folders = paths.map((path) => path.split(/[/\\]/).slice(0, -1));
  let depth = 0;
  while (depth < folders[0].length && folders.every((folder) => folder[depth] === folders[0][depth])) depth++;
  const name = folders[0][depth - 1];
  return name === undefined || name === "" || name === "." || name === ".." ? "files" : plainName(name);
}

/** Slices of one file, as its subject has them. */
export interface VolumeSlices {
  readonly file: Named;
  readonly subject: string;
  /** Indices of the slices that are handed out. */
  readonly slices: readonly number[];
  /** How many the file has, with those left out. */
  readonly count: number;
}

/** Sample ids of a file's slices: the number where the file is its subject, else the file's label before it. */
export function sampleIds({ file, subject, slices, count }: VolumeSlices): string[] {
  const digits = Math.max(2, String(count - 1).length);
  const prefix = subject === file.label ? "" : `${file.label}-`;
  return slices.map((slice) => prefix + String(slice).padStart(digits, "0"));
}

/** The file and slice of a sample: what {@linkcode sampleIds} made its id of. */
export function findSlice<F extends Named>(
  files: readonly F[],
  subjects: readonly Subject[],
  subject: string,
  id: string,
): { file: F; slice: number } {
  const known = subjects.find((one) => one.id === subject)?.samples.includes(id);
  const [, prefix, digits] = /^(?:(.*)-)?(\d+)$/s.exec(id) ?? [];
  const file = files.find(({ label }) => label === (prefix ?? subject));
  if (!known || file === undefined) {
    throw new RangeError(`there is no sample "${id}" of subject "${subject}"`);
  }
  return { file, slice: Number(digits) };
}

/** The part of an official split that a folder above the file is named for, e.g. `singlecoil_val`. */
export function roleOf(path: string): Subject["role"] {
  for (const folder of path.split(/[/\\]/).slice(0, -1).reverse()) {
    const part = /^(?:single|multi)coil_(train|val|test)/i.exec(folder)?.[1].toLowerCase();
    if (part !== undefined) return part === "train" ? "train" : part === "val" ? "validation" : "test";
  }
  return undefined;
}

/** A volume, read to its end. */
export interface ReadVolume {
  readonly file: Named;
  /** What else than its values decides its samples, e.g. sizes and what its header says. */
  readonly about: Json;
  /** SHA-256 of all its values. */
  readonly values: string;
}

/** SHA-256 over what makes the data these data: how they are read, and every volume's file name, header and values. */
export function hashOfVolumes(reading: string, volumes: readonly ReadVolume[]): string {
  return sha256(canonicalJson([
    reading,
    ...volumes.map(({ file: { path, label }, about, values }) => [label, fileName(path), about, values]),
  ]));
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.split(/[/\\]/).at(-1)!;
}

/** An array's bytes, as they lie in memory. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
