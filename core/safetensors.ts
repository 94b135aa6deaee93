/**
 * Safetensors: named arrays in one file, which Python, Rust and browsers read (https://huggingface.co/docs/safetensors).
 *
 * Eight bytes say how long the header is (little-endian); the header is JSON with type, shape and place of every array, and
 * may hold words beside them; then come the values, without gaps. Only float32 is written and read here.
 */

import { explain } from "./errors.ts";

/** An array with a name. */
export interface NamedArray {
  /** Unique in its file. */
  readonly name: string;
  readonly shape: readonly number[];
  /** As many values as the shape says. */
  readonly data: Float32Array;
}

/** What a file holds. */
export interface Tensors {
  /** In the order of their values. */
  readonly arrays: readonly NamedArray[];
  /** Words by name. */
  readonly metadata: Readonly<Record<string, string>>;
}

const lengthBytes = 8;
// The reference implementation refuses longer headers, too.
const mostHeaderBytes = 100_000_000;

/** The bytes of a file with these arrays, in this order. */
export function encodeSafetensors({ arrays, metadata }: Tensors): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let at = 0;
  for (const { name, shape, data } of arrays) {
    header[name] = { dtype: "F32", shape, data_offsets: [at, at + data.byteLength] };
    at += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  // Values begin at a multiple of eight bytes, so that they can be read in place.
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(lengthBytes + headerBytes + at).fill(0x20, 0, lengthBytes + headerBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(json, lengthBytes);
  let place = lengthBytes + headerBytes;
  for (const { data } of arrays) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), place);
    place += data.byteLength;
  }
  return bytes;
}

/**
 * Reads a file's bytes.
 *
 * @throws {SyntaxError} where they are not a whole file of this form with float32 values; `where` names it.
 */
export function decodeSafetensors(bytes: Uint8Array, where: string): Tensors {
  const refuse = (what: string, cause?: unknown): never => {
    const fix = "give a file that --keep-weights wrote, whole";
    throw new SyntaxError(explain({ what: `cannot read safetensors: ${what}`, where, fix }), { cause });
  };
  if (bytes.length < lengthBytes) return refuse(`the file has ${bytes.length} bytes`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > mostHeaderBytes || lengthBytes + Number(length) > bytes.length) {
    return refuse(`its header would be ${length} bytes long, and the file has ${bytes.length}`);
  }
  const start = lengthBytes + Number(length);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(lengthBytes, start)));
  } catch (cause) {
    return refuse("its header is no JSON", cause);
  }
  if (!isObject(header)) return refuse("its header is no object");
  const { __metadata__: metadata = {}, ...entries } = header;
  if (!isObject(metadata) || !Object.values(metadata).every((word) => typeof word === "string")) {
    return refuse("its __metadata__ is not made of words");
  }
  const arrays = Object.entries(entries).map(([name, entry]) => {
    const { dtype, shape, data_offsets: offsets } = isObject(entry) ? entry : {};
    if (dtype !== "F32") return refuse(`"${name}" holds ${JSON.stringify(dtype)}, and not F32`);
    if (!areCounts(shape) || !areCounts(offsets) || offsets.length !== 2) {
      return refuse(`"${name}" has no shape, or no place`);
    }
    const size = 4 * shape.reduce((product, extent) => product * extent, 1);
    const [from, to] = offsets;
    if (to - from !== size || start + to > bytes.length) {
      return refuse(`"${name}" is [${shape}] and has the bytes ${from} to ${to} of ${bytes.length - start}`);
    }
    return { name, shape, from, data: new Float32Array(bytes.slice(start + from, start + to).buffer) };
  }).sort((a, b) => a.from - b.from);
  let at = 0;
  for (const { name, from, data } of arrays) {
    if (from !== at) return refuse(`"${name}" begins at byte ${from}, and not at ${at}`);
    at += data.byteLength;
  }
  if (start + at !== bytes.length) return refuse(`${bytes.length - start - at} bytes are of no array`);
  return {
    arrays: arrays.map(({ name, shape, data }) => ({ name, shape, data })),
    metadata: metadata as Record<string, string>,
  };
}

function areCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isInteger(item) && item >= 0);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
