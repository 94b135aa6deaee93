/**
 * DICOM files that hold one grey image: what their header says, and their pixels in its unit.
 *
 * dicom-parser reads the header; `dicom_pixels.ts` the pixels, in every lossless transfer syntax. Files without the
 * 128-byte preamble, of several frames, in colours, or once compressed with loss are refused by name.
 */

import { constants, inflateRawSync } from "node:zlib";
import dicomParser from "dicom-parser";
import { explain } from "../../core/errors.ts";
import { storedValues } from "./dicom_pixels.ts";
import { isLossless, nameOfSyntax } from "./dicom_syntaxes.ts";
import { firstNonFinite } from "./numbers.ts";

/** What a file's header says of its image. */
export interface DicomHeader {
  /** E.g. `"CT"`. */
  readonly modality: string;
  /** PatientID, where there is one. */
  readonly patient?: string;
  /** SeriesInstanceUID; two files of one series have the same. */
  readonly series?: string;
  readonly seriesNumber?: number;
  readonly description?: string;
  /** Its third value is `"AXIAL"` or `"LOCALIZER"` for CT. */
  readonly imageType: readonly string[];
  readonly instance?: number;
  /** Of the first pixel's centre, in millimetres `[x, y, z]` towards the patient's left, back and head. */
  readonly position?: readonly number[];
  /** Directions in which the column index and the row index grow, three numbers each. */
  readonly orientation?: readonly number[];
  readonly height: number;
  readonly width: number;
  /** `[row, column]`. */
  readonly pixelSizeMm?: readonly number[];
  /** What turns stored values into the modality's own. */
  readonly rescale?: Rescale | ModalityLut;
}

/** `slope · stored + intercept`, in a unit that CT files name `"HU"` or leave out. */
export interface Rescale {
  readonly slope: number;
  readonly intercept: number;
  readonly unit?: string;
}

/** A table for the stored values from `first` on; what lies outside of it takes its first or last entry. */
export interface ModalityLut {
  readonly first: number;
  readonly entries: Uint16Array;
  readonly unit?: string;
}

/** An image of `header.height` x `header.width` values, row-major. */
export interface DicomSlice {
  readonly header: DicomHeader;
  readonly values: Float32Array;
}

/** How stored values lie in a file. */
export interface PixelLayout {
  readonly height: number;
  readonly width: number;
  readonly syntax: string;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly isSigned: boolean;
}

// The size up to which a header is believed; CT has 512 x 512 pixels, at most 2048 x 2048.
const mostPixels = 2 ** 24;
// What is read of a file to find its header; more only where that is not enough.
const headerBytes = 2 ** 16;
// What the deflated part of a file may grow to: pixels and their header.
const mostInflated = 4 * mostPixels;

const again = "get the file again, or leave it out";

/** The class of a DICOM file, by its first bytes: its media storage SOP class, or undefined where they are no DICOM. */
export function dicomClass(head: Uint8Array): string | undefined {
  const text = (at: number, length: number) => String.fromCharCode(...head.subarray(at, at + length));
  if (text(128, 4) !== "DICM") return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (let at = 132; at + 12 <= head.length && view.getUint16(at, true) === 2;) {
    const isLong = ["OB", "UN"].includes(text(at + 4, 2));
    const length = isLong ? view.getUint32(at + 8, true) : view.getUint16(at + 6, true);
    const start = at + (isLong ? 12 : 8);
    if (view.getUint16(at + 2, true) === 2) return text(start, length).replace(/[\0 ]+$/, "");
    at = start + length;
  }
  return "";
}

/** Of a file's first bytes, whether it is an image of this modality: one to a file, or many in the enhanced classes. */
export function isDicomOf(modality: "CT" | "MR", head: Uint8Array): boolean {
  // Image Storage, and the classes that came after it, of PS3.4, Annex B.5.
  const image = { CT: "1.2.840.10008.5.1.4.1.1.2", MR: "1.2.840.10008.5.1.4.1.1.4" }[modality];
  const found = dicomClass(head);
  return found !== undefined && (found === image || found.startsWith(`${image}.`));
}

/**
 * Reads a file's header, and no more of the file than that takes.
 *
 * @throws {SyntaxError} for a file that is no DICOM, malformed, or without a sound image description.
 */
export async function readDicomHeader(path: string): Promise<DicomHeader> {
  const start = new Uint8Array(headerBytes);
  let length = 0;
  {
    using file = await Deno.open(path);
    for (let read = 1; read > 0 && length < start.length; length += read) {
      read = await file.read(start.subarray(length)) ?? 0;
    }
  }
  try {
    // An element of the header may reach beyond these bytes, and what is deflated breaks off anywhere.
    return headerOf(parsed(start.subarray(0, length), path), path);
  } catch (error) {
    if (length < start.length) throw error;
    return headerOf(parsed(await Deno.readFile(path), path), path);
  }
}

/**
 * Reads an image. Stored values that are padding become `padding`; what they stand for is no part of the picture.
 *
 * @throws {SyntaxError} for a file that is no DICOM, malformed, cut short, or of a kind that is not read.
 * @throws {RangeError} where its values are not finite.
 */
export async function readDicom(path: string, padding: number): Promise<DicomSlice> {
  const data = parsed(await Deno.readFile(path), path);
  const header = headerOf(data, path);
  const stored = await storedValues(data, layoutOf(data, path), path);
  const values = modalityValues(stored, header.rescale, paddingOf(data), padding);
  const bad = firstNonFinite(values);
  if (bad >= 0) {
    const place = `row ${Math.floor(bad / header.width)}, column ${bad % header.width}`;
    throw new RangeError(
      explain({ what: `the pixel at ${place} is ${values[bad]}`, where: path, fix: again }),
    );
  }
  return { header, values };
}

/** What is refused, and how it is said. */
function refuse(path: string, what: string, fix = again, cause?: unknown): never {
  throw new SyntaxError(explain({ what, where: path, fix }), { cause });
}

function parsed(bytes: Uint8Array, path: string): dicomParser.DataSet {
  if (dicomClass(bytes.subarray(0, 1024)) === undefined) {
    refuse(
      path,
      'it has no "DICM" behind a preamble of 128 bytes',
      "write it anew as a DICOM file, e.g. with dcmconv",
    );
  }
  try {
    // The pixels' own element is looked at later: where they are cut short, it says by how much.
    return dicomParser.parseDicom(bytes, { untilTag: "x7fe00010", inflater });
  } catch (cause) {
    const { exception = cause } = (cause ?? {}) as { exception?: unknown };
    const reason = exception instanceof Error ? exception.message : String(exception);
    return refuse(
      path,
      `its header is malformed or cut short (${reason.replace(/^dicomParser\W*\w*:\s*/, "")})`,
    );
  }
}

/** The file's bytes with what is deflated behind `position` inflated, as far as it goes. */
function inflater(bytes: Uint8Array, position: number): Uint8Array {
  const inflated = inflateRawSync(bytes.subarray(position), {
    finishFlush: constants.Z_SYNC_FLUSH,
    maxOutputLength: mostInflated,
  });
  const whole = new Uint8Array(position + inflated.length);
  whole.set(bytes.subarray(0, position));
  whole.set(inflated, position);
  return whole;
}

function headerOf(data: dicomParser.DataSet, path: string): DicomHeader {
  const { height, width } = layoutOf(data, path);
  const text = (tag: string) => data.string(tag)?.replace(/\0+$/, "").trim() || undefined;
  const numbers = (tag: string, count: number) => {
    const found = text(tag)?.split("\\").map(Number);
    return found?.length === count && found.every(Number.isFinite) ? found : undefined;
  };
  const spacing = numbers("x00280030", 2);
  return {
    modality: text("x00080060") ?? "none",
    patient: text("x00100020"),
    series: text("x0020000e"),
    seriesNumber: numbers("x00200011", 1)?.[0],
    description: text("x0008103e"),
    imageType: text("x00080008")?.split("\\") ?? [],
    instance: numbers("x00200013", 1)?.[0],
    position: numbers("x00200032", 3),
    orientation: numbers("x00200037", 6),
    height,
    width,
    pixelSizeMm: spacing?.every((size) => size > 0) ? spacing : undefined,
    rescale: rescaleOf(data, path),
  };
}

function layoutOf(data: dicomParser.DataSet, path: string): PixelLayout {
  const syntax = data.string("x00020010")?.replace(/[\0 ]+$/, "") ?? "";
  if (!isLossless(syntax)) {
    refuse(
      path,
      `its pixels are stored as ${nameOfSyntax(syntax)}`,
      "give the original images: quality is measured on what no compression has changed",
    );
  }
  if (data.string("x00282110")?.trim() === "01") {
    refuse(path, "its header says that it was once compressed with loss", "give the original images");
  }
  const frames = data.string("x00280008")?.trim();
  if (frames !== undefined && frames !== "" && frames !== "1") {
    refuse(
      path,
      `it holds ${/^\d+$/.test(frames) ? frames : `"${frames}"`} frames; one image a file is read`,
      "split it into single images, e.g. with emf2sf of dcm4che, or convert it to NIfTI with dcm2niix",
    );
  }
  const number = (tag: string) => data.elements[tag]?.length >= 2 ? data.uint16(tag) : undefined;
  const [height, width] = [number("x00280010"), number("x00280011")];
  if (!height || !width || data.elements.x7fe00010 === undefined) {
    return refuse(path, "it holds no pixels: it is cut short, or no image", "get it again, or leave it out");
  }
  if (height * width > mostPixels) {
    refuse(path, `its header says ${height} x ${width} pixels, more than an image here may have`);
  }
  const samples = number("x00280002") ?? 1;
  const photometric = data.string("x00280004")?.trim() ?? "MONOCHROME2";
  if (samples !== 1 || photometric !== "MONOCHROME2") {
    refuse(path, `its pixels are ${photometric} of ${samples} samples`, "give grey images (MONOCHROME2)");
  }
  const bitsAllocated = number("x00280100") ?? 0;
  const bitsStored = number("x00280101") ?? bitsAllocated;
  const highBit = number("x00280102") ?? bitsStored - 1;
  const isSound = [8, 16, 32].includes(bitsAllocated) && bitsStored >= 1 && highBit < bitsAllocated &&
    highBit >= bitsStored - 1;
  if (!isSound) {
    refuse(path, `its header says ${bitsStored} bits up to bit ${highBit} in ${bitsAllocated}`);
  }
  return { height, width, syntax, bitsAllocated, bitsStored, highBit, isSigned: number("x00280103") === 1 };
}

function rescaleOf(data: dicomParser.DataSet, path: string): Rescale | ModalityLut | undefined {
  const item = data.elements.x00283000?.items?.[0]?.dataSet;
  if (item !== undefined) return lutOf(item, data.uint16("x00280103") === 1, path);
  const [slope, intercept] = [data.floatString("x00281053"), data.floatString("x00281052")];
  if (slope === undefined && intercept === undefined) return undefined;
  const rescale = {
    slope: slope ?? 1,
    intercept: intercept ?? 0,
    unit: data.string("x00281054")?.trim() || undefined,
  };
  if (!(Number.isFinite(rescale.slope) && rescale.slope !== 0 && Number.isFinite(rescale.intercept))) {
    const said = [data.string("x00281053"), data.string("x00281052")].map((text) =>
      JSON.stringify(text ?? "")
    );
    refuse(path, `its header says a rescale slope of ${said[0]} and an intercept of ${said[1]}`);
  }
  return rescale;
}

function lutOf(item: dicomParser.DataSet, isSigned: boolean, path: string): ModalityLut {
  const count = item.uint16("x00283002", 0) || 65536;
  const first = isSigned ? item.int16("x00283002", 1) : item.uint16("x00283002", 1);
  const bits = item.uint16("x00283002", 2);
  if (first === undefined || bits !== 16 || item.elements.x00283006?.length !== 2 * count) {
    return refuse(path, "its modality look-up table is malformed, or not of 16 bits");
  }
  const entries = Uint16Array.from({ length: count }, (_, i) => item.uint16("x00283006", i)!);
  return { first, entries, unit: item.string("x00283004")?.trim() || undefined };
}

/** The stored values that are padding, from the least to the greatest. */
function paddingOf(data: dicomParser.DataSet): readonly [number, number] | undefined {
  const isSigned = data.uint16("x00280103") === 1;
  const number = (tag: string) => isSigned ? data.int16(tag) : data.uint16(tag);
  const value = number("x00280120");
  if (value === undefined) return undefined;
  const limit = number("x00280121") ?? value;
  return [Math.min(value, limit), Math.max(value, limit)];
}

function modalityValues(
  stored: Float32Array,
  rescale: Rescale | ModalityLut | undefined,
  padding: readonly [number, number] | undefined,
  padWith: number,
): Float32Array {
  const values = new Float32Array(stored.length);
  const [least, greatest] = padding ?? [Infinity, -Infinity];
  for (let i = 0; i < stored.length; i++) {
    const value = stored[i];
    if (value >= least && value <= greatest) {
      values[i] = padWith;
    } else if (rescale === undefined) {
      values[i] = value;
    } else if ("entries" in rescale) {
      const at = Math.min(Math.max(value - rescale.first, 0), rescale.entries.length - 1);
      values[i] = rescale.entries[at];
    } else {
      values[i] = value * rescale.slope + rescale.intercept;
    }
  }
  return values;
}
