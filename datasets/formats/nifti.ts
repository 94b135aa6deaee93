/**
 * NIfTI-1 and NIfTI-2 volumes in one file, plain or gzipped, in either byte order.
 *
 * nifti-reader-js reads the header. Nothing is believed before it is checked against the file's size, so that a header
 * of 35 TB costs nothing.
 */

import { gunzipSync } from "node:zlib";
import { constants } from "node:zlib";
import { type NIFTI1, NIFTI2, readHeader } from "nifti-reader-js";
import { explain } from "../../core/errors.ts";
import { decodeNumbers, firstNonFinite, nameOfType, type NumberType } from "./numbers.ts";

/** A volume's header, checked. */
export interface NiftiHeader {
  /** Extents, the first axis the fastest, without trailing ones; at least two. */
  readonly shape: readonly number[];
  /** Millimetres along each axis, where the header says it in a unit of length. */
  readonly pixelSizeMm?: readonly number[];
  readonly type: NumberType;
  /** The axis that slices were acquired along, where the header says it. */
  readonly sliceAxis?: number;
  /** The axis nearest to the patient's own, from feet to head, where the header has an orientation. */
  readonly bodyAxis?: number;
  readonly slope: number;
  readonly intercept: number;
  /** Where the voxels start. */
  readonly offset: number;
}

/** A volume: the first axis is the fastest; complex voxels are two values. */
export interface NiftiVolume {
  readonly header: NiftiHeader;
  readonly values: Float32Array;
}

// A volume is decoded at once, and then lies in memory as stored and as float32: 512³ voxels of 16 bits still fit.
const mostBytes = 832 * 2 ** 20;
// Deflate cannot do better than 1032:1, whatever is compressed (zlib's technical notes).
const mostCompression = 1032;

// Datatype codes of nifti1.h.
const types: Readonly<Record<number, Omit<NumberType, "littleEndian">>> = {
  2: { kind: "unsigned", bytes: 1 },
  4: { kind: "signed", bytes: 2 },
  8: { kind: "signed", bytes: 4 },
  16: { kind: "float", bytes: 4 },
  32: { kind: "complex", bytes: 8 },
  64: { kind: "float", bytes: 8 },
  256: { kind: "signed", bytes: 1 },
  512: { kind: "unsigned", bytes: 2 },
  768: { kind: "unsigned", bytes: 4 },
  1024: { kind: "signed", bytes: 8 },
  1280: { kind: "unsigned", bytes: 8 },
  1792: { kind: "complex", bytes: 16 },
};
const refusedTypes: Readonly<Record<number, string>> = {
  128: "RGB colours",
  1536: "128-bit floats",
  2048: "256-bit complex numbers",
  2304: "RGBA colours",
};

/** Whether these first bytes of a file are gzip. */
export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/** The first bytes of what a file holds: of its content, where `head` is the start of gzip. */
export function startOfContent(head: Uint8Array): Uint8Array {
  if (!isGzip(head)) return head;
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 2 ** 23 });
  } catch {
    return new Uint8Array();
  }
}

/** What NIfTI file starts with these bytes: one file, the header of a pair, or undefined. */
export function niftiLayout(head: Uint8Array): "single" | "pair" | undefined {
  const content = startOfContent(head);
  const magic = (at: number) => String.fromCharCode(...content.subarray(at, at + 3));
  // NIfTI-1 has its magic at byte 344, NIfTI-2 at 4.
  const found = [magic(344), magic(4)];
  if (found.includes("n+1") || found.includes("n+2")) return "single";
  return found.includes("ni1") || found.includes("ni2") ? "pair" : undefined;
}

/**
 * Reads a volume, scaled as its header says (a slope of zero means no scaling).
 *
 * @throws {SyntaxError} for a file that is cut short, malformed, larger than is read at once, or holds no numbers.
 * @throws {RangeError} for NaN or infinite voxels.
 */
export async function readNifti(path: string): Promise<NiftiVolume> {
  const refuse = (what: string, fix: string, cause?: unknown): never => {
    throw new SyntaxError(explain({ what, where: path, fix }), { cause });
  };
  const again = "get the file again, or leave it out";

  const { size: fileSize } = await Deno.stat(path);
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MB`;
  if (fileSize > mostBytes) {
    refuse(
      `it has ${megabytes(fileSize)}, more than the ${megabytes(mostBytes)} that a volume may take`,
      "split it",
    );
  }
  const stored = await Deno.readFile(path);
  const header = headerOf(startOfContent(stored.subarray(0, 4096)), refuse);
  const size = header.shape.reduce((product, extent) => product * extent, header.type.bytes);
  const needed = header.offset + size;
  const extents = header.shape.join(" x ");
  const decoded = 4 * size / header.type.bytes * (header.type.kind === "complex" ? 2 : 1);
  if (size + decoded > mostBytes) {
    refuse(
      `the header says ${extents} voxels of ${nameOfType(header.type)}, ${
        megabytes(size + decoded)
      } in memory: ` +
        `more than the ${megabytes(mostBytes)} that a volume may take`,
      "if that is true, split the volume; if not, the header is damaged",
    );
  }
  let content = stored;
  if (isGzip(stored)) {
    if (needed > stored.length * mostCompression) {
      refuse(
        `the header says ${extents} voxels, which no gzip file of ${stored.length} bytes can hold`,
        again,
      );
    }
    try {
      content = gunzipSync(stored, { maxOutputLength: Math.max(needed + 65536, 2 ** 16) }) as typeof content;
    } catch (cause) {
      refuse(`cannot decompress it: ${cause instanceof Error ? cause.message : cause}`, again, cause);
    }
  }
  if (content.length < needed) {
    refuse(`it is cut short: ${extents} voxels need ${needed} bytes, and there are ${content.length}`, again);
  }

  const values = decodeNumbers(content.subarray(header.offset, needed), header.type);
  const { slope, intercept } = header;
  if (slope !== 1 || intercept !== 0) {
    if (header.type.kind === "complex" && intercept !== 0) {
      refuse("it adds a constant to complex voxels, which has no meaning", "set scl_inter to 0");
    }
    for (let i = 0; i < values.length; i++) values[i] = values[i] * slope + intercept;
  }
  const bad = firstNonFinite(values);
  if (bad >= 0) {
    const parts = header.type.kind === "complex" ? 2 : 1;
    throw new RangeError(explain({
      what: `the voxel at (${voxelAt(Math.floor(bad / parts), header.shape).join(", ")}) is ${values[bad]}`,
      where: path,
      fix: "replace voxels that are not numbers, or leave the file out",
    }));
  }
  return { header, values };
}

function voxelAt(index: number, shape: readonly number[]): number[] {
  return shape.map((extent) => {
    const at = index % extent;
    index = Math.floor(index / extent);
    return at;
  });
}

function headerOf(
  start: Uint8Array,
  refuse: (what: string, fix: string, cause?: unknown) => never,
): NiftiHeader {
  const again = "get the file again, or leave it out";
  const layout = niftiLayout(start);
  if (layout === undefined) refuse("it has no NIfTI header", "give .nii or .nii.gz files");
  if (layout === "pair") {
    refuse(
      "it is the header of a detached pair (.hdr and .img)",
      "make one file of the two, e.g. with fslchfiletype NIFTI_GZ",
    );
  }
  let raw: NIFTI1 | NIFTI2 | null = null;
  try {
    // The library looks for header extensions behind the header; these bytes may be all that there is.
    const padded = new Uint8Array(Math.max(start.length, 1024));
    padded.set(start);
    raw = readHeader(padded.buffer);
  } catch (cause) {
    refuse(`its header cannot be read: ${cause instanceof Error ? cause.message : cause}`, again, cause);
  }
  if (raw === null) return refuse("its header cannot be read", again);

  const rank = raw.dims[0];
  if (!(rank >= 1 && rank <= 7)) refuse(`its header says ${rank} dimensions; there are 1 to 7`, again);
  const shape = raw.dims.slice(1, rank + 1).map(Number);
  const odd = shape.findIndex((extent) => !(Number.isInteger(extent) && extent >= 1));
  if (odd >= 0) refuse(`its header says ${shape[odd]} voxels along axis ${odd}`, again);
  while (shape.length > 2 && shape.at(-1) === 1) shape.pop();
  if (shape.length < 2) refuse("it is a line of voxels, not an image", "give images or volumes");

  const code = raw.datatypeCode;
  const type = types[code];
  if (type === undefined) {
    const name = refusedTypes[code] ?? `of unknown datatype ${code}`;
    refuse(
      `its voxels are ${name}; images here are real or complex numbers`,
      "convert it to a grey-scale volume",
    );
  }
  if (raw.numBitsPerVoxel !== type.bytes * 8) {
    refuse(`its header says ${raw.numBitsPerVoxel} bits a voxel for a type of ${type.bytes * 8}`, again);
  }
  const smallest = raw instanceof NIFTI2 ? 540 : 348;
  const offset = Number(raw.vox_offset);
  if (!(Number.isInteger(offset) && offset >= smallest && offset < mostBytes)) {
    refuse(`its header says that voxels start at byte ${offset}`, again);
  }

  // "If the scl_slope field is nonzero" is the condition in nifti1.h; writers also leave NaN there.
  const isScaled = Number.isFinite(raw.scl_slope) && raw.scl_slope !== 0;
  const intercept = Number.isFinite(raw.scl_inter) ? raw.scl_inter : 0;
  const slice = (raw.dim_info >> 4) & 3;
  const millimetres = ({ 1: 1000, 2: 1, 3: 0.001 } as Record<number, number>)[raw.xyzt_units & 7];
  const sizes = raw.pixDims.slice(1, shape.length + 1).map((size) => Math.abs(size) * (millimetres ?? NaN));
  return {
    shape,
    pixelSizeMm: sizes.every((size) => Number.isFinite(size) && size > 0) ? sizes : undefined,
    type: { ...type, littleEndian: raw.littleEndian },
    sliceAxis: slice > 0 && slice <= Math.min(3, shape.length) ? slice - 1 : undefined,
    bodyAxis: bodyAxisOf(raw),
    slope: isScaled ? raw.scl_slope : 1,
    intercept: isScaled ? intercept : 0,
    offset,
  };
}

function bodyAxisOf({ qform_code, sform_code, affine }: NIFTI1 | NIFTI2): number | undefined {
  if (!(qform_code > 0 || sform_code > 0)) return undefined;
  // Columns are the axes of the file, the third row is towards the head.
  const towardsHead = [0, 1, 2].map((axis) =>
    Math.abs(affine[2][axis]) / Math.hypot(affine[0][axis], affine[1][axis], affine[2][axis])
  );
  const nearest = towardsHead.indexOf(Math.max(...towardsHead));
  return nearest < 0 ? undefined : nearest;
}
