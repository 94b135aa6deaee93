/**
 * NIfTI volumes: magnitude images, for which a smooth phase is simulated, or complex ones, taken as they are.
 *
 * A volume is sliced along the axis that its header names, else along the one with the fewest samples, else as
 * `sliceAxis` says. A slice is `[height, width, 2]`, its rows along the slower of the two axes that remain.
 */

import { explain, UsageError } from "../core/errors.ts";
import { sameShape } from "../core/image.ts";
import { sha256 } from "../core/json.ts";
import { stream } from "../core/random.ts";
import type { Contents, Dataset, DatasetKind, OpenOptions, Sample, Subject } from "./dataset.ts";
import {
  bytesOf,
  findSlice,
  hashOfVolumes,
  labelled,
  type LabelledFile,
  nameOfAll,
  plainName,
  type ReadVolume,
  roleOf,
  sampleIds,
} from "./files.ts";
import { niftiLayout, type NiftiVolume, readNifti } from "./formats/nifti.ts";
import { type ComplexImages, resized, withSmoothPhase } from "./kspace.ts";

/** Volumes of MRI in NIfTI-1 or NIfTI-2 files. */
export const niftiKind: DatasetKind = {
  kind: "nifti",
  about: "NIfTI volumes (.nii, .nii.gz), magnitude or complex; k-space is simulated",
  recognises: ({ head }) => niftiLayout(head) !== undefined,
  async open(files, options, contents) {
    const volumes = labelled(files);
    const reader = new VolumeReader(volumes, options);
    return new NiftiDataset(contents ?? await contentsOf(volumes, reader, options), reader, options);
  },
};

// A slice is left out whose root mean square is below these shares of the volume's strongest slice. Oblique slabs
// have slices that are empty, and slices at their faces that are partly interpolated with nothing.
const emptyBelow = 0.01;
const grazingBelow = 0.5;

// Volumes that stay decoded; training asks for slices of many subjects in random order.
const keptBytes = 96 * 2 ** 20;

/** A volume cut into slices. */
interface SlicedVolume {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly isComplex: boolean;
  /** `[row, column]`, where the header says it. */
  readonly pixelSizeMm?: readonly number[];
  /** The values of a slice, `[height, width]`, complex ones as two. */
  slice(index: number): Float32Array;
  /** All of them, in the file's order. */
  readonly values: Float32Array;
}

/** Reads volumes, and keeps the last few. */
class VolumeReader {
  readonly #kept = new Map<string, SlicedVolume>();

  constructor(readonly files: readonly LabelledFile[], readonly options: OpenOptions) {}

  async volume(file: LabelledFile): Promise<SlicedVolume> {
    let volume = this.#kept.get(file.path);
    this.#kept.delete(file.path);
    volume ??= sliced(await readNifti(file.path), file.path, this.options.sliceAxis);
    this.#kept.set(file.path, volume);
    let bytes = 0;
    for (const { values } of this.#kept.values()) bytes += values.byteLength;
    for (const [path, oldest] of this.#kept) {
      if (bytes <= keptBytes || path === file.path) break;
      this.#kept.delete(path);
      bytes -= oldest.values.byteLength;
    }
    return volume;
  }

  forget(): void {
    this.#kept.clear();
  }
}

class NiftiDataset implements Dataset {
  constructor(readonly contents: Contents, readonly reader: VolumeReader, readonly options: OpenOptions) {}

  async sample(subject: string, id: string): Promise<Sample> {
    const { file, slice } = findSlice(this.reader.files, this.contents.subjects, subject, id);
    const { height, width, isComplex, ...volume } = await this.reader.volume(file);
    const values = volume.slice(slice);
    if (this.options.simulate === false && !isComplex) {
      return { id, subject, image: { shape: [height, width, 1], data: values } };
    }
    const image: ComplexImages = isComplex
      ? { height, width, coils: [Float64Array.from(values)] }
      : withSmoothPhase(values, height, width, stream(`${this.options.stream}/phase/${file.label}/${slice}`));
    return { id, subject, image: resized(image, this.options.matrix) };
  }

  close(): void {
    this.reader.forget();
  }
}

async function contentsOf(
  files: readonly LabelledFile[],
  reader: VolumeReader,
  { matrix, sliceAxis, simulate = true }: OpenOptions,
): Promise<Contents> {
  const subjects = new Map<string, Subject & { samples: string[]; volumes: string[] }>();
  const read: ReadVolume[] = [];
  const counts = { magnitude: 0, complex: 0, slices: 0, empty: 0, grazing: 0 };
  const pixelSizes: (readonly number[] | undefined)[] = [];
  let first: { file: LabelledFile; shape: readonly number[] } | undefined;
  for (const file of files) {
    const volume = await reader.volume(file);
    const channels = simulate || volume.isComplex ? 2 : 1;
    const shape = [matrix ?? volume.height, matrix ?? volume.width, channels];
    first ??= { file, shape };
    if (!sameShape(shape, first.shape)) {
      throw new TypeError(explain({
        what: `slices of different sizes: ${shape.join(" x ")} here, ${first.shape.join(" x ")} in ` +
          first.file.path,
        where: file.path,
        fix: "give files of one size, or a matrix size that all are brought to",
      }));
    }
    const { kept, empty, grazing } = slicesWithSignal(volume);
    if (kept.length === 0) {
      throw new RangeError(explain({
        what: "the volume is zero throughout",
        where: file.path,
        fix: "leave the file out",
      }));
    }
    counts[volume.isComplex ? "complex" : "magnitude"]++;
    counts.slices += volume.count;
    counts.empty += empty;
    counts.grazing += grazing;
    // The field of view is the longer side's, and so is the new pixel.
    const zoom = matrix === undefined ? 1 : Math.max(volume.height, volume.width) / matrix;
    pixelSizes.push(volume.pixelSizeMm?.map((size) => size * zoom));

    const id = subjectOf(file);
    const samples = sampleIds({ file, subject: id, slices: kept, count: volume.count });
    const { count, height, width, isComplex, pixelSizeMm = null } = volume;
    const values = sha256(bytesOf(volume.values));
    read.push({ file, about: { count, height, width, isComplex, pixelSizeMm }, values });
    const known = subjects.get(id);
    if (known === undefined) {
      const [role, source] = [roleOf(file.path), file.path];
      subjects.set(id, { id, samples, shape, role, source, volumes: [values] });
    } else {
      known.samples.push(...samples);
      known.volumes.push(values);
    }
  }

  const banners: string[] = [];
  if (counts.magnitude > 0) {
    banners.push(
      "k-space was simulated from magnitude images, with a smooth phase of second order: " +
        "scores on simulated k-space are not scores on measured k-space",
    );
  }
  if (matrix !== undefined) {
    banners.push(`images were brought to ${matrix} x ${matrix} by cropping or zero-padding their k-space`);
  }
  const notes = [];
  const { slices, empty, grazing } = counts;
  if (empty + grazing > 0) {
    notes.push(
      `${
        empty + grazing
      } of ${slices} slices were left out: ${empty} without signal and ${grazing} that graze the ` +
        `slab's edge (root mean square below 1 % and below half of the volume's strongest slice)`,
    );
  }
  const reading = sliceAxis === undefined ? "nifti" : `nifti along axis ${sliceAxis}`;
  return {
    kind: niftiKind.kind,
    name: nameOfAll(files),
    subjects: [...subjects.values()],
    unit: "arbitrary",
    pixelSizeMm: oneSize(pixelSizes),
    holds: "images",
    banners,
    notes,
    hash: hashOfVolumes(reading, read),
  };
}

/** The subject of a file: BIDS names it (`sub-01_ses-2_T1w.nii.gz`), else the file is one. */
function subjectOf({ path, label }: LabelledFile): string {
  const bids = /(?:^|[/\\])(sub-[A-Za-z0-9]+)_[^/\\]*$/.exec(path)?.[1];
  return bids === undefined ? label : plainName(bids);
}

function oneSize(sizes: readonly (readonly number[] | undefined)[]): readonly number[] | undefined {
  const [size] = sizes;
  const isShared = size !== undefined &&
    sizes.every((other) => other?.every((mm, i) => Math.abs(mm - size[i]) < 1e-3));
  return isShared ? size : undefined;
}

function sliced({ header, values }: NiftiVolume, path: string, sliceAxis?: number): SlicedVolume {
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
  if (!isComplex) {
    let least = 0;
    for (let i = 0; i < values.length; i++) if (values[i] < least) least = values[i];
    if (least < 0) {
      refuse(
        `it has negative values (down to ${Number(least.toPrecision(4))}); magnitude images have none`,
        "give magnitude or complex images: difference maps, field maps and CT have no k-space here",
      );
    }
  }

  const volume = shape.length === 2 ? [...shape, 1] : shape;
  const asked = shape.length === 2 ? 2 : sliceAxis ?? header.sliceAxis;
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
    values,
    slice(index) {
      const output = new Float32Array(height * width * parts);
      let to = 0;
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
          const from = parts * (index * steps[axis] + row * steps[rowAxis] + column * steps[columnAxis]);
          for (let part = 0; part < parts; part++) output[to++] = values[from + part];
        }
      }
      return output;
    },
  };
}

function slicesWithSignal(volume: SlicedVolume): { kept: number[]; empty: number; grazing: number } {
  const strengths = Array.from({ length: volume.count }, (_, index) => {
    const values = volume.slice(index);
    let squares = 0;
    for (let i = 0; i < values.length; i++) squares += values[i] * values[i];
    return Math.sqrt(squares / (volume.height * volume.width));
  });
  const strongest = Math.max(...strengths);
  const kept: number[] = [];
  let empty = 0;
  strengths.forEach((strength, index) => {
    if (strength === 0 || strength < emptyBelow * strongest) empty++;
    else if (strength >= grazingBelow * strongest) kept.push(index);
  });
  return { kept, empty, grazing: volume.count - empty - kept.length };
}
