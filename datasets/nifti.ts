/**
 * NIfTI volumes of MRI and of CT.
 *
 * A volume is sliced along the axis that its header names, else, for CT, along the body, else along the axis with the
 * fewest samples; or as `sliceAxis` says. A slice is `[height, width]`, its rows along the slower of the two axes that remain.
 */

import { explain, UsageError } from "../core/errors.ts";
import { sha256 } from "../core/json.ts";
import { openCtVolumes } from "./ct_volumes.ts";
import type { DatasetKind, FileProbe, OpenOptions } from "./dataset.ts";
import { bytesOf, labelled, type LabelledFile, plainName } from "./files.ts";
import { niftiLayout, type NiftiVolume, readNifti } from "./formats/nifti.ts";
import { openMriVolumes } from "./mri_volumes.ts";
import type { Volume, VolumeFile, Volumes } from "./volumes.ts";

const recognises = ({ head }: FileProbe) => niftiLayout(head) !== undefined;

/** Volumes of MRI in NIfTI-1 or NIfTI-2 files. */
export const niftiKind: DatasetKind = {
  kind: "nifti",
  about: "NIfTI volumes (.nii, .nii.gz), magnitude or complex; k-space is simulated",
  recognises,
  open: (files, options, contents) =>
    openMriVolumes("nifti", new NiftiVolumes(files, options, "fewest"), options, contents),
};

/** Volumes of CT in NIfTI-1 or NIfTI-2 files, in HU. */
export const niftiCtKind: DatasetKind = {
  kind: "nifti-ct",
  about: "NIfTI volumes of CT (.nii, .nii.gz) in HU",
  recognises,
  open: (files, options, contents) =>
    openCtVolumes("nifti-ct", new NiftiVolumes(files, options, "body"), options, contents),
};

// Volumes that stay decoded; training asks for slices of many subjects in random order.
const keptBytes = 96 * 2 ** 20;

type NiftiFile = LabelledFile & VolumeFile;

/** Reads volumes, and keeps the last few. */
class NiftiVolumes implements Volumes<NiftiFile> {
  readonly files: readonly NiftiFile[];
  readonly notes: readonly string[] = [];
  readonly #kept = new Map<string, { volume: Volume; bytes: number }>();

  constructor(files: readonly FileProbe[], readonly options: OpenOptions, readonly along: "body" | "fewest") {
    this.files = labelled(files).map((file) => ({ ...file, subject: subjectOf(file) }));
  }

  async open({ path }: NiftiFile): Promise<Volume> {
    let one = this.#kept.get(path);
    this.#kept.delete(path);
    if (one === undefined) {
      const read = await readNifti(path);
      one = { volume: sliced(read, path, this.along, this.options.sliceAxis), bytes: read.values.byteLength };
    }
    this.#kept.set(path, one);
    let sum = 0;
    for (const { bytes } of this.#kept.values()) sum += bytes;
    for (const [oldest, { bytes }] of this.#kept) {
      if (sum <= keptBytes || oldest === path) break;
      this.#kept.delete(oldest);
      sum -= bytes;
    }
    return one.volume;
  }

  close(): void {
    this.#kept.clear();
  }
}

/** The subject of a file: BIDS names it (`sub-01_ses-2_T1w.nii.gz`), else the file is one. */
function subjectOf({ path, label }: LabelledFile): string {
  const bids = /(?:^|[/\\])(sub-[A-Za-z0-9]+)_[^/\\]*$/.exec(path)?.[1];
  return bids === undefined ? label : plainName(bids);
}

function sliced(
  { header, values }: NiftiVolume,
  path: string,
  along: "body" | "fewest",
  sliceAxis?: number,
): Volume {
  const { shape, type } = header;
  const refuse = (what: string, fix: string): never => {
    throw new TypeError(explain({ what, where: path, fix }));
  };
  if (shape.length > 3) {
    refuse(
      `it has ${shape.length} dimensions (${
        shape.join(" x ")
      }): a series of volumes or vectors, not one volume`,
      "take out the volumes wanted, e.g. with fslroi or nibabel's four_to_three",
    );
  }
  const isComplex = type.kind === "complex";

  const volume = shape.length === 2 ? [...shape, 1] : shape;
  const said = header.sliceAxis ?? (along === "body" ? header.bodyAxis : undefined);
  const asked = shape.length === 2 ? 2 : sliceAxis ?? said;
  if (asked !== undefined && !(Number.isInteger(asked) && asked >= 0 && asked <= 2)) {
    throw new UsageError({
      what: `there is no axis ${asked} to slice along`,
      where: "--slice-axis",
      fix: "give 0, 1 or 2; 0 is the fastest in the file",
    });
  }
  // Of axes of the same length the slowest, along which slices lie one after the other in most files.
  const axis = asked ?? volume.lastIndexOf(Math.min(...volume));
  const [columnAxis, rowAxis] = [0, 1, 2].filter((other) => other !== axis);
  const steps = [1, volume[0], volume[0] * volume[1]];
  const parts = isComplex ? 2 : 1;
  const [height, width, count] = [volume[rowAxis], volume[columnAxis], volume[axis]];
  const sizes = header.pixelSizeMm;
  return {
    count,
    height,
    width,
    isComplex,
    pixelSizeMm: sizes === undefined ? undefined : [sizes[rowAxis], sizes[columnAxis]],
    slice: (index) => Promise.resolve(slice(index)),
    survey(see) {
      for (let index = 0; index < count; index++) see(slice(index), index);
      return Promise.resolve(sha256(bytesOf(values)));
    },
  };

  function slice(index: number): Float32Array {
    const output = new Float32Array(height * width * parts);
    let to = 0;
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const from = parts * (index * steps[axis] + row * steps[rowAxis] + column * steps[columnAxis]);
        for (let part = 0; part < parts; part++) output[to++] = values[from + part];
      }
    }
    return output;
  }
}
