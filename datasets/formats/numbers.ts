/** Numbers as files store them, to `Float32Array`. */

/** How one number is stored. Complex numbers are real and imaginary part, one after the other. */
export interface NumberType {
  readonly kind: "float" | "signed" | "unsigned" | "complex";
  /** Bytes of one number; of both parts, for a complex one. */
  readonly bytes: number;
  readonly littleEndian: boolean;
}

/** Whether this machine stores the low byte of a number first. */
export const hostIsLittle = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Arrays of the machine's own order. */
const machineArrays: Readonly<Record<string, new (buffer: ArrayBuffer) => ArrayLike<number>>> = {
  float4: Float32Array,
  float8: Float64Array,
  signed1: Int8Array,
  unsigned1: Uint8Array,
  signed2: Int16Array,
  unsigned2: Uint16Array,
  signed4: Int32Array,
  unsigned4: Uint32Array,
};

/** `"complex64"`, `"int16, big-endian"`, … for messages. */
export function nameOfType({ kind, bytes, littleEndian }: NumberType): string {
  const name = { float: "float", signed: "int", unsigned: "uint", complex: "complex" }[kind];
  return `${name}${bytes * 8}${littleEndian || bytes === 1 ? "" : ", big-endian"}`;
}

/**
 * The numbers in `bytes`, rounded to float32; a complex number gives two, so that `[n]` complex numbers become
 * `[n, 2]`. A float64 beyond the range of float32 becomes infinite: whoever asks for finite data will say so.
 *
 * @throws {TypeError} for a type that no file of ours has.
 */
export function decodeNumbers(bytes: Uint8Array, type: NumberType): Float32Array {
  const parts = type.kind === "complex" ? 2 : 1;
  const width = type.bytes / parts;
  const count = Math.floor(bytes.byteLength / width);
  const kind = type.kind === "complex" ? "float" : type.kind;
  const Own = type.littleEndian === hostIsLittle || width === 1
    ? machineArrays[`${kind}${width}`]
    : undefined;
  if (Own !== undefined) {
    // A copy, and not bytes.slice(): that of Node's Buffer, which is a Uint8Array too, shares its memory.
    const own = new Own(new Uint8Array(bytes.subarray(0, width * count)).buffer);
    return own instanceof Float32Array ? own : new Float32Array(own);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = readerOf(view, { ...type, kind, bytes: width });
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = read(i * width);
  return values;
}

/**
 * Reads a real number at a byte of `view`.
 *
 * @throws {TypeError} for a type that no file of ours has.
 */
export function readerOf(
  view: DataView,
  { kind, bytes, littleEndian: little }: NumberType,
): (at: number) => number {
  switch (`${kind}${bytes}`) {
    case "float4":
      return (at) => view.getFloat32(at, little);
    case "float8":
      return (at) => view.getFloat64(at, little);
    case "signed1":
      return (at) => view.getInt8(at);
    case "unsigned1":
      return (at) => view.getUint8(at);
    case "signed2":
      return (at) => view.getInt16(at, little);
    case "unsigned2":
      return (at) => view.getUint16(at, little);
    case "signed4":
      return (at) => view.getInt32(at, little);
    case "unsigned4":
      return (at) => view.getUint32(at, little);
    case "signed8":
      return (at) => Number(view.getBigInt64(at, little));
    case "unsigned8":
      return (at) => Number(view.getBigUint64(at, little));
    default:
      throw new TypeError(`numbers of kind "${kind}" and ${bytes} bytes are not read`);
  }
}

/** Index of the first value that is NaN or infinite, or −1. */
export function firstNonFinite(values: Float32Array): number {
  // A sum is finite exactly when no value spoils it, unless it overflows, which doubles of float32 values cannot.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  if (Number.isFinite(sum)) return -1;
  return values.findIndex((value) => !Number.isFinite(value));
}
