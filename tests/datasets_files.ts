/** Small files for the tests of loaders. */

import dicomParser from "dicom-parser";
import * as h5wasm from "h5wasm/node";

/** A folder for one test, removed after it. */
export async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "datasets-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What is written into a file of fastMRI's layout. */
export interface FastmriFile {
  /** `[slices, (coils,) rows, columns]`, without the parts of a complex number. */
  readonly shape: readonly number[];
  /** Real and imaginary part in turn; otherwise pseudo-random values. */
  readonly kspace?: Float32Array;
  readonly reconstruction?: {
    readonly name: string;
    readonly shape: readonly number[];
    readonly data: Float32Array;
  };
  readonly mask?: readonly number[];
  /** The matrix that the scanner reconstructs, `[rows, columns]`, for the header. */
  readonly reconSpace?: readonly [number, number];
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Writes a file of fastMRI's layout. Only sound files are ever opened on this side of the fence. */
export async function writeFastmri(path: string, file: FastmriFile): Promise<void> {
  await h5wasm.ready;
  const h5 = new h5wasm.File(path, "w");
  const { shape, reconstruction, mask, attributes = {} } = file;
  const size = shape.reduce((product, extent) => product * extent, 2);
  const kspace = file.kspace ?? Float32Array.from({ length: size }, (_, i) => Math.sin(1 + 12.9898 * i));
  // Records of two floats called r and i, as h5py stores complex numbers.
  const part = { type: 1, size: 4, littleEndian: true, signed: false, vlen: false, shape: [] };
  const { module, pointer } = await rawValues(kspace);
  module.create_dataset(h5.file_id, "kspace", BigInt(pointer), {
    type: 6,
    size: 8,
    total_size: size / 2,
    littleEndian: true,
    signed: false,
    vlen: false,
    shape: shape.map(BigInt),
    maxshape: shape.map(BigInt),
    chunks: null,
    compound_type: {
      nmembers: 2,
      members: [{ ...part, name: "r", offset: 0 }, { ...part, name: "i", offset: 4 }],
    },
    // deno-lint-ignore no-explicit-any -- the declared type has no compound members' metadata
  } as any);
  module._free(pointer);
  if (reconstruction !== undefined) {
    h5.create_dataset({
      name: reconstruction.name,
      data: reconstruction.data,
      shape: [...reconstruction.shape],
    });
  }
  if (mask !== undefined) {
    h5.create_dataset({ name: "mask", data: Uint8Array.from(mask), shape: [mask.length] });
  }
  if (file.reconSpace !== undefined) {
    const [x, y] = file.reconSpace;
    const size = (name: string, scale: number) =>
      `<${name}><x>${x * scale}</x><y>${y * scale}</y><z>1</z></${name}>`;
    const space = `${size("matrixSize", 1)}${size("fieldOfView_mm", 0.5)}`;
    const xml = `<ismrmrdHeader><encoding><encodedSpace>${size("matrixSize", 9)}</encodedSpace>` +
      `<reconSpace>${space}</reconSpace></encoding></ismrmrdHeader>`;
    h5.create_dataset({ name: "ismrmrd_header", data: xml });
  }
  for (const [name, value] of Object.entries(attributes)) h5.create_attribute(name, value);
  h5.close();
}

async function rawValues(values: Float32Array) {
  const module = await h5wasm.ready;
  const pointer = module._malloc(values.byteLength);
  module.HEAPU8.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), pointer);
  return { module, pointer };
}

/** What is written into a NIfTI-1 file of float32 voxels. */
export interface NiftiFile {
  readonly shape: readonly number[];
  readonly data: Float32Array;
  /** Offsets into the header and int16 values to put there. */
  readonly header?: Readonly<Record<number, number>>;
  readonly slope?: number;
}

/** The bytes of a little-endian NIfTI-1 file. */
export function niftiBytes({ shape, data, header = {}, slope = 0 }: NiftiFile): Uint8Array {
  const bytes = new Uint8Array(352 + data.byteLength);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 348, true);
  view.setInt16(40, shape.length, true);
  for (let axis = 0; axis < 7; axis++) view.setInt16(42 + 2 * axis, shape[axis] ?? 1, true);
  view.setInt16(70, 16, true);
  view.setInt16(72, 32, true);
  for (let axis = 0; axis < 8; axis++) view.setFloat32(76 + 4 * axis, 1, true);
  view.setFloat32(108, 352, true);
  view.setFloat32(112, slope, true);
  bytes.set(new TextEncoder().encode("n+1\0"), 344);
  for (const [at, value] of Object.entries(header)) view.setInt16(Number(at), value, true);
  data.forEach((value, i) => view.setFloat32(352 + 4 * i, value, true));
  return bytes;
}

/** What is written into a BigTIFF stack. */
export interface TiffFile {
  /** `[pages, height, width]`. */
  readonly shape: readonly [number, number, number];
  /** Its values, float32 or uint16; absent: a hole in the file, which reads as zeros of uint16. */
  readonly data?: Float32Array | Uint16Array;
  /** The first page's description. */
  readonly description?: string;
  /** Pixels a unit. */
  readonly resolution?: number;
  /** Directories that are written; the pages behind the last one lie there without. */
  readonly directories?: number;
  /** 0 where values count down from white, 1, if absent, where they count up from black. */
  readonly photometric?: number;
}

/** Writes a little-endian BigTIFF stack, each page's directory before its values. */
export async function writeTiff(path: string, file: TiffFile): Promise<void> {
  const { shape: [pages, height, width], data, description = "", resolution = 1 } = file;
  const bytesPerValue = data instanceof Float32Array ? 4 : 2;
  const text = new TextEncoder().encode(`${description}\0`);
  const pageBytes = height * width * bytesPerValue;
  const directories = file.directories ?? pages;
  // Tag, type, number of values, and the value or where it is.
  const rational = Math.round(resolution * 1e6) + 1e6 * 2 ** 32;
  const tags = (at: number, isFirst: boolean): [number, number, number, number][] => [
    [256, 4, 1, width],
    [257, 4, 1, height],
    [258, 3, 1, 8 * bytesPerValue],
    [259, 3, 1, 1],
    [262, 3, 1, file.photometric ?? 1],
    ...(isFirst && description !== "" ? [[270, 2, text.length, 16] as [number, number, number, number]] : []),
    [273, 16, 1, at],
    [277, 3, 1, 1],
    [278, 4, 1, height],
    [279, 16, 1, pageBytes],
    [282, 5, 1, rational],
    [283, 5, 1, rational],
    [339, 3, 1, bytesPerValue === 4 ? 3 : 1],
  ];
  using out = await Deno.open(path, { write: true, create: true, truncate: true });
  const write = (offset: number, bytes: Uint8Array): void => {
    out.seekSync(offset, Deno.SeekMode.Start);
    for (let at = 0; at < bytes.length;) at += out.writeSync(bytes.subarray(at));
  };
  const header = new DataView(new ArrayBuffer(16));
  header.setUint32(0, 0x002b4949, true);
  header.setUint16(4, 8, true);
  let at = 16 + text.length;
  header.setBigUint64(8, BigInt(at), true);
  write(0, new Uint8Array(header.buffer));
  write(16, text);
  for (let page = 0; page < pages; page++) {
    if (page < directories) {
      const entries = tags(0, page === 0);
      const size = 16 + 20 * entries.length;
      const next = page === directories - 1 ? 0 : at + size + pageBytes;
      const view = new DataView(new ArrayBuffer(size));
      view.setBigUint64(0, BigInt(entries.length), true);
      tags(at + size, page === 0).forEach(([tag, type, count, value], i) => {
        const entry = 8 + 20 * i;
        view.setUint16(entry, tag, true);
        view.setUint16(entry + 2, type, true);
        view.setBigUint64(entry + 4, BigInt(count), true);
        view.setBigUint64(entry + 12, BigInt(value), true);
      });
      view.setBigUint64(size - 8, BigInt(next), true);
      write(at, new Uint8Array(view.buffer));
      at += size;
    }
    const { buffer, byteOffset } = data ?? new Uint16Array();
    if (data !== undefined) write(at, new Uint8Array(buffer, byteOffset + page * pageBytes, pageBytes));
    at += pageBytes;
  }
  out.truncateSync(at);
}

/** What is written into a DICOM file; what is left out is as a CT scanner writes it. */
export interface DicomFile {
  readonly rows: number;
  readonly columns: number;
  /** Stored values, 16 bits each. */
  readonly stored: readonly number[];
  /** Elements by tag, e.g. `"00100020"`; undefined leaves one out. */
  readonly elements?: Readonly<Record<string, string | number | readonly number[] | undefined>>;
  readonly syntax?: string;
}

/** Value representations of the elements that {@linkcode dicomBytes} writes. */
const representations: Readonly<Record<string, string>> = {
  "00080008": "CS",
  "00080060": "CS",
  "00091001": "OW",
  "00100020": "LO",
  "0020000e": "UI",
  "00200011": "IS",
  "00200013": "IS",
  "00200032": "DS",
  "00200037": "DS",
  "00280002": "US",
  "00280004": "CS",
  "00280008": "IS",
  "00280010": "US",
  "00280011": "US",
  "00280030": "DS",
  "00280100": "US",
  "00280101": "US",
  "00280102": "US",
  "00280103": "US",
  "00280120": "US",
  "00280121": "US",
  "00281052": "DS",
  "00281053": "DS",
  "00281054": "LO",
  "00282110": "CS",
};

/** The bytes of a DICOM file in explicit little endian, whatever its transfer syntax says. */
export function dicomBytes(
  { rows, columns, stored, elements = {}, syntax = "1.2.840.10008.1.2.1" }: DicomFile,
) {
  const all: DicomFile["elements"] = {
    "00080008": "ORIGINAL\\PRIMARY\\AXIAL",
    "00080060": "CT",
    "00100020": "somebody",
    "0020000e": "1.2.3",
    "00200011": "1",
    "00200013": "1",
    "00200032": "0\\0\\0",
    "00200037": "1\\0\\0\\0\\1\\0",
    "00280002": 1,
    "00280004": "MONOCHROME2",
    "00280010": rows,
    "00280011": columns,
    "00280030": "0.5\\0.5",
    "00280100": 16,
    "00280101": 16,
    "00280102": 15,
    "00280103": 0,
    "00281052": "-1024",
    "00281053": "1",
    ...elements,
  };
  const bytes: number[] = [...new Array(128).fill(0), ...encoded("DICM")];
  const put = (tag: string, vr: string, value: readonly number[]) => {
    const [group, element] = [parseInt(tag.slice(0, 4), 16), parseInt(tag.slice(4), 16)];
    bytes.push(...words(group, element), ...encoded(vr));
    if (vr === "OW") bytes.push(0, 0, ...words(value.length & 0xffff, value.length >>> 16));
    else bytes.push(...words(value.length));
    bytes.push(...value);
  };
  const modality = all["00080060"];
  put("00020002", "UI", encoded(`1.2.840.10008.5.1.4.1.1.${modality === "MR" ? 4 : 2}`));
  put("00020010", "UI", encoded(syntax));
  for (const [tag, value] of Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (value === undefined) continue;
    const vr = representations[tag];
    put(tag, vr, typeof value === "string" ? encoded(value) : words(...[value].flat()));
  }
  put("7fe00010", "OW", words(...stored));
  return Uint8Array.from(bytes);
}

const words = (...values: readonly number[]) => values.flatMap((value) => [value & 255, value >> 8 & 255]);

const encoded = (text: string) => [...new TextEncoder().encode(text.length % 2 === 0 ? text : `${text}\0`)];

/** The file with another PatientID, which may not be longer than its own. */
export function withPatient(bytes: Uint8Array, patient: string): Uint8Array {
  const { dataOffset, length } = dicomParser.parseDicom(bytes, { untilTag: "x7fe00010" }).elements.x00100020;
  if (patient.length > length) throw new RangeError(`"${patient}" has more than ${length} letters`);
  const patched = bytes.slice();
  patched.set(new TextEncoder().encode(patient.padEnd(length)), dataOffset);
  return patched;
}
