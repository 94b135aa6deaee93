/**
 * Volumes of MRI as a dataset: magnitude images, for which a smooth phase is simulated, or complex ones, taken as they
 * are. A sample is `[height, width, 2]`.
 */

import { explain } from "../core/errors.ts";
import { sameShape } from "../core/image.ts";
import { stream } from "../core/random.ts";
import type { Contents, Dataset, OpenOptions, Sample } from "./dataset.ts";
import { findSlice, hashOfVolumes, nameOfAll, roleOf } from "./files.ts";
import { type ComplexImages, resized, withSmoothPhase } from "./kspace.ts";
import { Inventory, type Volume, type VolumeFile, type Volumes } from "./volumes.ts";

// A slice is left out whose root mean square is below these shares of the volume's strongest slice. Oblique slabs
// have slices that are empty, and slices at their faces that are partly interpolated with nothing.
const emptyBelow = 0.01;
const grazingBelow = 0.5;

/** Volumes of MRI, opened as files of the kind of this name. */
export async function openMriVolumes(
  kind: string,
  volumes: Volumes,
  options: OpenOptions,
  contents?: Contents,
): Promise<Dataset> {
  return new MriVolumes(contents ?? await contentsOf(kind, volumes, options), volumes, options);
}

class MriVolumes implements Dataset {
  constructor(readonly contents: Contents, readonly volumes: Volumes, readonly options: OpenOptions) {}

  async sample(subject: string, id: string): Promise<Sample> {
    const { file, slice } = findSlice(this.volumes.files, this.contents.subjects, subject, id);
    const volume = await this.volumes.open(file);
    const { height, width, isComplex } = volume;
    const values = await volume.slice(slice);
    if (this.options.simulate === false && !isComplex) {
      return { id, subject, image: { shape: [height, width, 1], data: values } };
    }
    const image: ComplexImages = isComplex
      ? { height, width, coils: [Float64Array.from(values)] }
      : withSmoothPhase(values, height, width, stream(`${this.options.stream}/phase/${file.label}/${slice}`));
    return { id, subject, image: resized(image, this.options.matrix) };
  }

  close(): void {
    this.volumes.close();
  }
}

async function contentsOf(
  kind: string,
  volumes: Volumes,
  { matrix, sliceAxis, simulate = true }: OpenOptions,
): Promise<Contents> {
  const inventory = new Inventory();
  const counts = { magnitude: 0, complex: 0, slices: 0, empty: 0, grazing: 0 };
  let first: { file: VolumeFile; shape: readonly number[] } | undefined;
  for (const file of volumes.files) {
    const volume = await volumes.open(file);
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
    const { kept, empty, grazing, values } = await slicesWithSignal(volume, file);
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
    const pixelSizeMm = volume.pixelSizeMm?.map((size) => size * zoom);
    inventory.add(file, volume, {
      kept,
      shape,
      pixelSizeMm,
      values: [values],
      more: { role: roleOf(file.path) },
    });
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
  const notes = [...volumes.notes];
  const { slices, empty, grazing } = counts;
  if (empty + grazing > 0) {
    notes.push(
      `${
        empty + grazing
      } of ${slices} slices were left out: ${empty} without signal and ${grazing} that graze the ` +
        `slab's edge (root mean square below 1 % and below half of the volume's strongest slice)`,
    );
  }
  const reading = sliceAxis === undefined ? kind : `${kind} along axis ${sliceAxis}`;
  return {
    kind,
    name: nameOfAll(volumes.files),
    subjects: inventory.subjects,
    unit: "arbitrary",
    pixelSizeMm: inventory.pixelSizeMm,
    holds: "images",
    banners,
    notes,
    hash: hashOfVolumes(reading, inventory.read),
  };
}

async function slicesWithSignal(volume: Volume, { path }: VolumeFile) {
  const strengths: number[] = [];
  let least = 0;
  const values = await volume.survey((values) => {
    let squares = 0;
    for (let i = 0; i < values.length; i++) {
      squares += values[i] * values[i];
      if (values[i] < least) least = values[i];
    }
    strengths.push(Math.sqrt(squares / (volume.height * volume.width)));
  });
  if (least < 0 && !volume.isComplex) {
    throw new TypeError(explain({
      what: `it has negative values (down to ${Number(least.toPrecision(4))}); magnitude images have none`,
      where: path,
      fix: "give magnitude or complex images: difference maps, field maps and CT have no k-space here",
    }));
  }
  const strongest = Math.max(...strengths);
  const kept: number[] = [];
  let empty = 0;
  strengths.forEach((strength, index) => {
    if (strength === 0 || strength < emptyBelow * strongest) empty++;
    else if (strength >= grazingBelow * strongest) kept.push(index);
  });
  return { kept, empty, grazing: volume.count - empty - kept.length, values };
}
