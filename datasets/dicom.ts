/** Series of DICOM images as volumes: CT in HU, and magnitude images of MRI. */

import { createHash } from "node:crypto";
import { explain } from "../core/errors.ts";
import { openCtVolumes } from "./ct_volumes.ts";
import type { DatasetKind, FileProbe } from "./dataset.ts";
import { type Check, readSeries, type Series, type SeriesFile } from "./dicom_series.ts";
import { bytesOf } from "./files.ts";
import { type DicomHeader, isDicomOf, readDicom } from "./formats/dicom.ts";
import { outside } from "./hounsfield.ts";
import { openMriVolumes } from "./mri_volumes.ts";
import type { Volume, VolumeFile, Volumes } from "./volumes.ts";

/** Series of CT in DICOM files, of normal dose. */
export const dicomCtKind: DatasetKind = {
  kind: "dicom-ct",
  about: "DICOM series of CT, one slice a file",
  recognises: ({ head }) => isDicomOf("CT", head),
  open: async (files, options, contents) =>
    openCtVolumes("dicom-ct", await DicomVolumes.of(files, ct), options, contents),
};

/** Series of MRI in DICOM files: magnitude images. */
export const dicomMrKind: DatasetKind = {
  kind: "dicom-mr",
  about: "DICOM series of MRI magnitude images, one slice a file; k-space is simulated",
  recognises: ({ head }) => isDicomOf("MR", head),
  open: async (files, options, contents) =>
    openMriVolumes("dicom-mr", await DicomVolumes.of(files, mr), options, contents),
};

/** Refuses images of another modality. */
function isOf(modality: string): Check {
  return (header, path) => {
    if (header.modality === modality) return;
    throw new TypeError(explain({
      what: `its modality is ${header.modality}, not ${modality}`,
      where: path,
      fix: "leave it out",
    }));
  };
}

/** Refuses images that are not CT, or whose header does not say how to get HU. */
export function isInHu(header: DicomHeader, path: string): void {
  isOf("CT")(header, path);
  const { rescale } = header;
  if (rescale !== undefined && (rescale.unit ?? "HU") === "HU") return;
  throw new TypeError(explain({
    what: rescale === undefined
      ? "it has no rescale slope and intercept, without which stored values are not HU"
      : `its values are in "${rescale.unit}", not in HU`,
    where: path,
    fix: "give the reconstructed images of the scanner",
  }));
}

/** What a modality asks of its files, and what stands for their padding. */
interface Modality {
  readonly check: Check;
  readonly padding: number;
  readonly areInHu: boolean;
}

const ct: Modality = { check: isInHu, padding: outside, areInHu: true };
const mr: Modality = { check: isOf("MR"), padding: 0, areInHu: false };

/** A series as a volume that is not read yet. */
interface SeriesVolume extends VolumeFile {
  readonly files: readonly SeriesFile[];
}

class DicomVolumes implements Volumes<SeriesVolume> {
  readonly areInHu: boolean;

  constructor(
    readonly files: readonly SeriesVolume[],
    readonly notes: readonly string[],
    readonly modality: Modality,
  ) {
    this.areInHu = modality.areInHu;
  }

  static async of(files: readonly FileProbe[], modality: Modality): Promise<DicomVolumes> {
    const { series, notes } = await readSeries(files, modality.check);
    return new DicomVolumes(named(series), notes, modality);
  }

  open({ files }: SeriesVolume): Promise<Volume> {
    const { height, width, pixelSizeMm } = files[0].header;
    const slice = async (index: number) => (await readDicom(files[index].path, this.modality.padding)).values;
    return Promise.resolve({
      count: files.length,
      height,
      width,
      isComplex: false,
      pixelSizeMm,
      slice,
      async survey(see) {
        const hash = createHash("sha256");
        for (let index = 0; index < files.length; index++) {
          const values = await slice(index);
          see(values, index);
          hash.update(bytesOf(values));
        }
        return hash.digest("hex");
      },
    });
  }

  close(): void {}
}

/** A series is labelled as its subject where that has no other, else by its number, too; no two have one label. */
function named(series: readonly Series[]): SeriesVolume[] {
  const labels = new Set(series.map(({ subject }) => subject));
  return series.map(({ subject, name, files }) => {
    const isOnly = series.filter((other) => other.subject === subject).length === 1;
    let label = isOnly ? subject : `${subject}_${name}`;
    for (let n = 2; !isOnly && labels.has(label); n++) label = `${subject}_${name}_${n}`;
    labels.add(label);
    return { subject, label, path: files[0].path, files };
  });
}
