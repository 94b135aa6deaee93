/** Volumes of CT in HU as a dataset: normal-dose images, from which a lower dose is to be simulated. */

import { explain } from "../core/errors.ts";
import type { Contents, Dataset, OpenOptions, Sample } from "./dataset.ts";
import { findSlice, hashOfVolumes, nameOfAll } from "./files.ts";
import { huGeometry, huImage, HuSurvey, simulatedDose } from "./hounsfield.ts";
import { Inventory, type Volume, type VolumeFile, type Volumes } from "./volumes.ts";

// A slice without a pixel above this is air, the table at most; a volume without one below it is not in HU.
const bodyAbove = -500;

/** Volumes of CT, opened as files of the kind of this name. A sample's image is `[height, width, 1]` in HU. */
export async function openCtVolumes(
  kind: string,
  volumes: Volumes,
  options: OpenOptions,
  contents?: Contents,
): Promise<Dataset> {
  return new CtVolumes(contents ?? await contentsOf(kind, volumes, options), volumes, options);
}

class CtVolumes implements Dataset {
  constructor(readonly contents: Contents, readonly volumes: Volumes, readonly options: OpenOptions) {}

  async sample(subject: string, id: string): Promise<Sample> {
    const { file, slice } = findSlice(this.volumes.files, this.contents.subjects, subject, id);
    const volume = await this.volumes.open(file);
    const image = huImage(await volume.slice(slice), volume.height, volume.width, this.options);
    return { id, subject, image };
  }

  close(): void {
    this.volumes.close();
  }
}

async function contentsOf(kind: string, volumes: Volumes, options: OpenOptions): Promise<Contents> {
  const inventory = new Inventory();
  const seen = new HuSurvey(options);
  const notes = [...volumes.notes];
  let [slices, empty] = [0, 0];
  for (const file of volumes.files) {
    const volume = await volumes.open(file);
    const { kept, values, repeated } = await slicesOf(volume, file, seen, options, volumes.areInHu);
    slices += volume.count;
    empty += volume.count - kept.length - repeated;
    if (repeated > 0) {
      notes.push(
        `${repeated} of ${volume.count} slices of ${file.label} were left out, copies of the one before`,
      );
    }
    inventory.add(
      file,
      volume,
      { kept, values: [values], ...huGeometry(volume, options) },
    );
  }
  if (empty > 0) {
    notes.push(`${empty} of ${slices} slices were left out: nothing in them is denser than ${bodyAbove} HU`);
  }
  const { sliceAxis } = options;
  return {
    kind,
    name: nameOfAll(volumes.files),
    subjects: inventory.subjects,
    unit: "HU",
    pixelSizeMm: inventory.pixelSizeMm,
    holds: "images",
    banners: [simulatedDose, ...seen.banners],
    notes: [...notes, ...seen.notes],
    hash: hashOfVolumes(sliceAxis === undefined ? kind : `${kind} along axis ${sliceAxis}`, inventory.read),
  };
}

async function slicesOf(
  volume: Volume,
  { path }: VolumeFile,
  seen: HuSurvey,
  { simulate = true }: OpenOptions,
  areInHu = false,
) {
  if (volume.isComplex) {
    throw new TypeError(
      explain({ what: "its voxels are complex", where: path, fix: "give CT volumes in HU" }),
    );
  }
  const kept: number[] = [];
  let [thinnest, repeated] = [Infinity, 0];
  let before: Float32Array | undefined;
  const values = await volume.survey((values, index) => {
    const { least, greatest } = seen.see(values, volume.height, volume.width);
    thinnest = Math.min(thinnest, least);
    const isCopy = before?.every((value, i) => value === values[i]) ?? false;
    before = values;
    if (greatest <= bodyAbove) return;
    if (isCopy && simulate) repeated++;
    else kept.push(index);
  });
  if (!(thinnest < bodyAbove || areInHu)) {
    throw new TypeError(explain({
      what: `none of its values is below ${bodyAbove} (the least is ${
        Number(thinnest.toPrecision(4))
      }), as air is in HU`,
      where: path,
      fix: "give CT in Hounsfield units, in which air is -1000 and water 0",
    }));
  }
  if (kept.length === 0) {
    throw new RangeError(explain({
      what: `nothing in it is denser than ${bodyAbove} HU`,
      where: path,
      fix: "leave it out, or check its rescale slope and intercept: air is -1000 HU, water 0",
    }));
  }
  return { kept, values, repeated };
}
