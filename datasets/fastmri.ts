/**
 * fastMRI's HDF5 files (J. Zbontar et al., "fastMRI: an open dataset and benchmarks for accelerated MRI",
 * arXiv:1811.08839): `kspace` `[slices, (coils,) rows, columns]`, the reconstruction that scores are computed against,
 * and in the test set a `mask` over the columns instead of it.
 *
 * Files are read in place, one slice at a time. Fully sampled slices become coil images `[height, width, 2·coils]`;
 * undersampled ones become aliased coil images as a measurement, and the lines that were measured.
 */

import { createHash } from "node:crypto";
import { explain } from "../core/errors.ts";
import { type Image, sameShape } from "../core/image.ts";
import { type Json, sha256 } from "../core/json.ts";
import type { Contents, Dataset, DatasetKind, OpenOptions, Sample, Subject } from "./dataset.ts";
import {
  bytesOf,
  fileName,
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
import { type HdfDataset, type HdfFile, HdfReader } from "./formats/hdf5.ts";
import { firstNonFinite } from "./formats/numbers.ts";
import { aliasedImagesOf, type ComplexImages, imagesOf, linesInMatrix } from "./kspace.ts";

/** fastMRI's files, single-coil and multi-coil, with and without truth. */
export const fastmriKind: DatasetKind = {
  kind: "fastmri",
  about: "fastMRI's HDF5 layout: kspace, reconstruction_esc or _rss, mask",
  recognises: ({ head }) => isHdf5(head),
  async open(files, options, contents) {
    const reader = new HdfReader();
    try {
      const volumes: Volume[] = [];
      for (const file of labelled(files)) volumes.push(await volumeOf(file, reader));
      const fieldOfView = commonFieldOfView(volumes);
      contents ??= await contentsOf(volumes, reader, options);
      return new FastmriDataset(contents, volumes, reader, fieldOfView, options.matrix);
    } catch (error) {
      reader.close();
      throw error;
    }
  },
};

// A malformed header can claim anything. Deflate cannot do better than 1032:1 (zlib's technical notes), and no scanner
// makes volumes of more slices; a slice of 32 coils of 768 x 396 has 78 MB.
const mostCompression = 1032;
const mostSlices = 10000;
const mostSliceBytes = 128 * 2 ** 20;

const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** Whether HDF5's signature is where the format allows it: at 0, or behind a user block of 512 bytes. */
export function isHdf5(head: Uint8Array): boolean {
  return [0, 512].some((at) => signature.every((byte, i) => head[at + i] === byte));
}

/** A file, looked into. */
interface Volume extends LabelledFile {
  readonly slices: number;
  readonly coils: number;
  readonly height: number;
  readonly width: number;
  /** Whether `kspace` has an axis for coils. */
  readonly hasCoilAxis: boolean;
  /** Which columns were measured, where not all were. */
  readonly measured?: readonly boolean[];
  /** What the scanner reconstructed: name, and size of a slice. */
  readonly reconstruction?: { readonly name: string; readonly height: number; readonly width: number };
  /** Rows and columns of an image as the scanner gives it. */
  readonly matrix: readonly [number, number];
  readonly pixelSizeMm?: readonly [number, number];
  readonly acquisition?: string;
  readonly patient?: string;
}

class FastmriDataset implements Dataset {
  constructor(
    readonly contents: Contents,
    readonly volumes: readonly Volume[],
    readonly reader: HdfReader,
    readonly fieldOfView: number,
    readonly matrix?: number,
  ) {}

  async sample(subject: string, id: string): Promise<Sample> {
    const { file: volume, slice } = findSlice(this.volumes, this.contents.subjects, subject, id);
    const kspace = await readKspace(this.reader, volume, slice);
    // A simulation by fastMRI's own masks is seeded by the file's name.
    const file = fileName(volume.path);
    const reference = this.matrix === undefined ? await readReference(this.reader, volume, slice) : undefined;
    if (volume.measured !== undefined) {
      const measurement = aliasedImagesOf(kspace, this.matrix);
      const lines = linesInMatrix(volume.measured, this.matrix ?? volume.width);
      return { id, subject, measurement, reference, acquisition: { file, lines } };
    }
    const { matrix, fieldOfView } = this;
    const image = imagesOf(kspace, matrix === undefined ? undefined : { fieldOfView, matrix });
    return { id, subject, image, reference, acquisition: { file } };
  }

  close(): void {
    this.reader.close();
  }
}

async function volumeOf(file: LabelledFile, reader: HdfReader): Promise<Volume> {
  const names = ["kspace", "mask", "reconstruction_esc", "reconstruction_rss"];
  const { datasets, attributes, header = "", ...found } = await reader.inspect(file.path, names, [
    "acquisition",
    "patient_id",
  ]);
  const refuse = (what: string, fix: string): never => {
    throw new TypeError(explain({ what, where: file.path, fix }));
  };
  const { kspace, mask } = datasets;
  if (kspace === undefined) throw new TypeError(explain(withoutKspace(found, file.path)));
  if (kspace.type?.kind !== "complex") {
    refuse(
      'its "kspace" does not hold complex numbers',
      "store it as pairs of 32- or 64-bit floats, r and i",
    );
  }
  const { shape } = kspace;
  if ((shape.length !== 3 && shape.length !== 4) || shape.some((extent) => extent < 1)) {
    refuse(
      `its "kspace" is [${shape.join(", ")}]`,
      "give [slices, rows, columns] or [slices, coils, rows, columns]",
    );
  }
  const bytes = shape.reduce((product, extent) => product * extent, kspace.bytesPerElement);
  if (shape[0] > mostSlices || bytes > file.sizeBytes * mostCompression) {
    refuse(
      `its "kspace" is said to be [${shape.join(", ")}], which a file of ${file.sizeBytes} bytes cannot hold`,
      "get the file again, or leave it out",
    );
  }
  if (bytes / shape[0] > mostSliceBytes) {
    refuse(
      `a slice of its "kspace" has ${Math.round(bytes / shape[0] / 2 ** 20)} MB, more than ` +
        `${mostSliceBytes / 2 ** 20} MB are read at once`,
      "compress the coils, or crop the readout's oversampling",
    );
  }
  const hasCoilAxis = shape.length === 4;
  const [slices, coils, height, width] = hasCoilAxis ? shape : [shape[0], 1, shape[1], shape[2]];

  const name = hasCoilAxis ? "reconstruction_rss" : "reconstruction_esc";
  const stored = datasets[name];
  const reconstruction = stored === undefined ? undefined : reconstructionOf(stored, name, refuse);
  if (stored !== undefined && stored.shape[0] !== slices) {
    refuse(`"${name}" has ${stored.shape[0]} slices and "kspace" ${slices}`, "give both of the same slices");
  }
  const scanner = scannerHeader(header);
  const size = reconstruction ?? scanner.matrix ?? { height, width };
  const volume: Volume = {
    ...file,
    slices,
    coils,
    height,
    width,
    hasCoilAxis,
    reconstruction,
    matrix: [size.height, size.width],
    pixelSizeMm: scanner.pixelSizeMm,
    acquisition: attributes.acquisition?.trim() || undefined,
    patient: attributes.patient_id?.trim() || undefined,
  };
  const measured = mask === undefined ? undefined : await measuredColumns(volume, mask, reader, refuse);
  return { ...volume, measured };
}

function withoutKspace({ names }: Pick<HdfFile, "names">, path: string) {
  const held = names.length === 0
    ? "it holds nothing"
    : `it holds ${names.slice(0, 6).map((name) => JSON.stringify(name)).join(", ")}${
      names.length > 6 ? ", …" : ""
    }`;
  const isIsmrmrd = names.includes("dataset");
  return {
    what: `it has no dataset "kspace": ${held}${isIsmrmrd ? ", as ISMRMRD raw data do" : ""}`,
    where: path,
    fix: isIsmrmrd
      ? "sort the acquisitions into fastMRI's layout, kspace [slices, coils, rows, columns]"
      : "give files in fastMRI's layout, kspace [slices, (coils,) rows, columns] at the root",
  };
}

function reconstructionOf(
  { shape, type }: HdfDataset,
  name: string,
  refuse: (what: string, fix: string) => never,
): NonNullable<Volume["reconstruction"]> {
  if (shape.length !== 3 || type?.kind !== "float" || shape.some((extent) => extent < 1)) {
    refuse(`its "${name}" is [${shape.join(", ")}]`, "give real numbers, [slices, rows, columns]");
  }
  return { name, height: shape[1], width: shape[2] };
}

/** Which columns were measured; undefined where the k-space has values in all of them in spite of a mask. */
async function measuredColumns(
  volume: Volume,
  mask: HdfDataset,
  reader: HdfReader,
  refuse: (what: string, fix: string) => never,
): Promise<readonly boolean[] | undefined> {
  const entries = mask.shape.reduce((product, extent) => product * extent, 1);
  if (entries !== volume.width || mask.type === undefined || mask.type.kind === "complex") {
    refuse(
      `its "mask" is [${mask.shape.join(", ")}]`,
      `give one entry for each of the ${volume.width} columns`,
    );
  }
  const values = await reader.read(volume.path, "mask", mask.shape.map(() => 0), mask.shape);
  const measured = Array.from(values, (value) => value !== 0);
  if (!measured.includes(true)) {
    refuse('its "mask" has no measured column', "give the columns that were measured");
  }
  if (!measured.includes(false)) return undefined;
  const kspace = await readKspace(reader, volume, Math.floor(volume.slices / 2));
  const isMasked = kspace.coils.every((coil) => {
    for (let i = 0; i < coil.length; i++) {
      if (coil[i] !== 0 && !measured[(i >> 1) % volume.width]) return false;
    }
    return true;
  });
  return isMasked ? measured : undefined;
}

async function readSlice(reader: HdfReader, volume: Volume, slice: number): Promise<Float32Array> {
  const { path, coils, height, width, hasCoilAxis } = volume;
  const count = hasCoilAxis ? [1, coils, height, width] : [1, height, width];
  const values = await reader.read(path, "kspace", [slice, ...count.slice(1).map(() => 0)], count);
  assertFinite(values, "kspace", path, slice);
  return values;
}

async function readKspace(reader: HdfReader, volume: Volume, slice: number): Promise<ComplexImages> {
  const { coils, height, width } = volume;
  const values = await readSlice(reader, volume, slice);
  const size = 2 * height * width;
  return {
    height,
    width,
    coils: Array.from(
      { length: coils },
      (_, c) => Float64Array.from(values.subarray(c * size, (c + 1) * size)),
    ),
  };
}

async function readReference(reader: HdfReader, volume: Volume, slice: number): Promise<Image | undefined> {
  if (volume.reconstruction === undefined) return undefined;
  const { name, height, width } = volume.reconstruction;
  const data = await reader.read(volume.path, name, [slice, 0, 0], [1, height, width]);
  assertFinite(data, name, volume.path, slice);
  return { shape: [height, width, 1], data };
}

function assertFinite(values: Float32Array, name: string, path: string, slice: number): void {
  const bad = firstNonFinite(values);
  if (bad < 0) return;
  throw new RangeError(explain({
    what: `"${name}" holds ${values[bad]} in slice ${slice}`,
    where: path,
    fix: "leave the file out, or replace values that are not numbers",
  }));
}

/**
 * The side of the square field of view, in samples, that images are brought to before their matrix: the scanner's
 * own, or the columns' of undersampled data, whose field of view cannot be changed. Without a matrix files keep their
 * sizes, which differ among real ones; they need not agree in more than their coils.
 *
 * @throws {TypeError} where coils differ, naming two files.
 */
function commonFieldOfView(volumes: readonly Volume[]): number {
  const [first] = volumes;
  const side = (volume: Volume) => Math.max(...volume.matrix);
  for (const volume of volumes) {
    const differs = (what: string, here: string | number, there: string | number): never => {
      throw new TypeError(explain({
        what: `${here} ${what} here, ${there} in ${first.path}`,
        where: volume.path,
        fix: "give files that were measured alike; each of these loads without the other",
      }));
    };
    if (volume.coils !== first.coils) differs("coils", volume.coils, first.coils);
    const layout = ({ hasCoilAxis }: Volume) => hasCoilAxis ? "multi-coil" : "single-coil";
    if (layout(volume) !== layout(first)) differs("k-space", layout(volume), layout(first));
  }
  return Math.max(
    ...volumes.map((volume) => volumes.some(({ measured }) => measured) ? volume.width : side(volume)),
  );
}

async function contentsOf(
  volumes: readonly Volume[],
  reader: HdfReader,
  options: OpenOptions,
): Promise<Contents> {
  const { matrix } = options;
  const subjects = new Map<string, FoundSubject>();
  const read: ReadVolume[] = [];
  const notes: string[] = [];
  let empty = 0;
  for (const volume of volumes) {
    const { label, path, coils, height, width, acquisition, measured } = volume;
    const { slices, kspace, reconstruction } = await readWhole(reader, volume);
    read.push({ file: volume, about: headerOf(volume), values: sha256(kspace, reconstruction) });
    empty += volume.slices - slices.length;
    if (slices.length === 0) {
      const fix = "leave the file out";
      throw new RangeError(explain({ what: "its k-space is zero throughout", where: path, fix }));
    }
    const subject = volume.patient === undefined ? label : plainName(volume.patient);
    const samples = sampleIds({ file: volume, subject, slices, count: volume.slices });
    const role = roleOf(path) ?? (measured === undefined ? undefined : "test");
    const known = subjects.get(subject);
    const shape = [matrix ?? height, matrix ?? width, 2 * coils];
    if (known === undefined) {
      const volumes = [kspace];
      subjects.set(subject, {
        id: subject,
        samples,
        shape,
        stratum: acquisition,
        role,
        source: path,
        volumes,
      });
      continue;
    }
    if (known.role !== role) {
      throw new TypeError(explain({
        what:
          `patient "${subject}" is in two parts of the split: ${role ?? "none"} here, ${
            known.role ?? "none"
          } in ` +
          known.source,
        where: path,
        fix: "give files of different patients for training and for testing, or each file alone",
      }));
    }
    known.samples.push(...samples);
    known.volumes.push(kspace);
    if (!sameShape(shape, known.shape)) {
      const others = Object.fromEntries(samples.map((sample) => [sample, shape]));
      known.otherShapes = { ...known.otherShapes, ...others };
    }
    const strata = new Set(
      [...(known.stratum ?? "").split(" + "), acquisition ?? ""].filter((one) => one !== ""),
    );
    known.stratum = strata.size === 0 ? undefined : [...strata].sort().join(" + ");
  }

  const grouped = volumes.length - subjects.size;
  if (grouped > 0) {
    notes.push(`${volumes.length} files are of ${subjects.size} subjects, as their patient_id says`);
  }
  if (empty > 0) notes.push(`${empty} slices were left out: their k-space is zero throughout`);
  const masked = volumes.filter(({ measured }) => measured !== undefined);
  if (masked.length > 0) {
    notes.push(
      `${masked.length} of ${volumes.length} files hold undersampled k-space and no truth: they are reconstructed, and ` +
        "only what needs no truth is scored",
    );
  }
  const sizes = volumes.map(({ pixelSizeMm }) => pixelSizeMm);
  return {
    kind: fastmriKind.kind,
    name: nameOfAll(volumes),
    subjects: [...subjects.values()],
    unit: "arbitrary",
    pixelSizeMm: matrix === undefined && sizes.every((size) => size && sizes[0] && sameShape(size, sizes[0]))
      ? sizes[0]
      : undefined,
    holds: masked.length === volumes.length ? "measurements" : "images",
    banners: matrix === undefined
      ? []
      : [`measured k-space was brought to ${matrix} x ${matrix} by cropping or zero-padding it`],
    notes,
    hash: hashOfVolumes("fastmri", read),
  };
}

/** A subject while its files are still being found. */
type FoundSubject = { -readonly [K in keyof Subject]: Subject[K] } & { samples: string[]; volumes: string[] };

/**
 * Reads a volume once, to its end: the slices whose k-space has a value that is not zero, and the SHA-256 of its k-space
 * and of its reconstruction, which must be finite. Published scores count every slice of a volume, the faint ones at its
 * ends too, so only slices that were not measured are left out.
 */
async function readWhole(
  reader: HdfReader,
  volume: Volume,
): Promise<{ slices: number[]; kspace: string; reconstruction: string }> {
  const [kspace, reconstruction] = [createHash("sha256"), createHash("sha256")];
  const slices: number[] = [];
  for (let slice = 0; slice < volume.slices; slice++) {
    const reference = await readReference(reader, volume, slice);
    if (reference !== undefined) reconstruction.update(bytesOf(reference.data));
    const values = await readSlice(reader, volume, slice);
    kspace.update(bytesOf(values));
    if (values.some((value) => value !== 0)) slices.push(slice);
  }
  return { slices, kspace: kspace.digest("hex"), reconstruction: reconstruction.digest("hex") };
}

/** All that is known of a volume but its values and where its file is. */
function headerOf(
  { path: _path, label: _label, head: _head, sizeBytes: _sizeBytes, ...known }: Volume,
): Json {
  return known as unknown as Json;
}

/** What is needed of ISMRMRD's XML header: the reconstructed matrix and its pixel size. */
function scannerHeader(
  xml: string,
): { matrix?: { height: number; width: number }; pixelSizeMm?: readonly [number, number] } {
  const space = /<(?:\w+:)?reconSpace>(.*?)<\/(?:\w+:)?reconSpace>/s.exec(xml)?.[1] ?? "";
  const number = (group: string, axis: string): number => {
    const inside = new RegExp(`<(?:\\w+:)?${group}>(.*?)</(?:\\w+:)?${group}>`, "s").exec(space)?.[1] ?? "";
    return Number(new RegExp(`<(?:\\w+:)?${axis}>\\s*([\\d.eE+-]+)\\s*</`).exec(inside)?.[1] ?? NaN);
  };
  const [height, width] = [number("matrixSize", "x"), number("matrixSize", "y")];
  if (![height, width].every((extent) => Number.isInteger(extent) && extent > 0 && extent <= 8192)) return {};
  const pixel: [number, number] = [
    number("fieldOfView_mm", "x") / height,
    number("fieldOfView_mm", "y") / width,
  ];
  return { matrix: { height, width }, pixelSizeMm: pixel.every((mm) => mm > 0) ? pixel : undefined };
}
