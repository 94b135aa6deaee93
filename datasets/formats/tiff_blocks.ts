/**
 * The strips and tiles of TIFF: decompressed into no more bytes than they may have, and their predictor undone.
 *
 * geotiff's own decoders grow without a bound on hostile input, and its predictors take big-endian files for little-endian
 * ones; all else of TIFF is left to it.
 */

import { inflateSync, zstdDecompressSync } from "node:zlib";
import { hostIsLittle } from "./numbers.ts";

/** How a block was compressed, by the value of the tag. */
const schemes: Readonly<
  Record<
    number,
    { name: string; decompress: (bytes: Uint8Array, most: number) => Uint8Array; predicts: boolean }
  >
> = {
  1: { name: "none", decompress: (bytes) => bytes, predicts: false },
  5: { name: "LZW", decompress: lzw, predicts: true },
  8: { name: "deflate", decompress: inflate, predicts: true },
  32946: { name: "deflate", decompress: inflate, predicts: true },
  32773: { name: "PackBits", decompress: packBits, predicts: false },
  50000: { name: "Zstandard", decompress: zstandard, predicts: true },
};
const lossy: Readonly<Record<number, string>> = {
  6: "JPEG",
  7: "JPEG",
  33003: "JPEG 2000",
  33005: "JPEG 2000",
  34712: "JPEG 2000",
  34887: "LERC",
  50001: "WebP",
};

/** A block as the page describes it. */
export interface BlockLayout {
  readonly compression: number;
  readonly predictor: number;
  readonly littleEndian: boolean;
  /** Values in a row: the block's width times its samples where they are interleaved. */
  readonly valuesPerRow: number;
  /** Values of one pixel that lie together. */
  readonly samples: number;
  readonly bytesPerValue: number;
  /** Bytes of a whole block. */
  readonly mostBytes: number;
}

/** Why blocks of this layout cannot be read, in words; undefined where they can. */
export function refusalOf({ compression, predictor, bytesPerValue }: BlockLayout): string | undefined {
  const scheme = schemes[compression];
  if (scheme === undefined) {
    const name = lossy[compression];
    return name === undefined
      ? `it is compressed by a scheme of number ${compression}`
      : `it is compressed by ${name}, which changes grey values`;
  }
  if (!scheme.predicts || predictor === 1) return undefined;
  if (predictor === 2 && [1, 2, 4].includes(bytesPerValue)) return undefined;
  if (predictor === 3 && [2, 4, 8].includes(bytesPerValue)) return undefined;
  return `predictor ${predictor} does not go with values of ${8 * bytesPerValue} bits`;
}

/**
 * The block's values as the file's byte order has them.
 *
 * @throws {Error} where the bytes are no such block, or one of more than `mostBytes`.
 */
export function decodeBlock(compressed: Uint8Array, layout: BlockLayout): Uint8Array {
  const { decompress, predicts } = schemes[layout.compression];
  const bytes = decompress(compressed, layout.mostBytes);
  if (!predicts || layout.predictor === 1) return bytes;
  // A view of wider values has to start at a multiple of their width.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  const rowBytes = layout.valuesPerRow * layout.bytesPerValue;
  const rows = Math.floor(aligned.length / rowBytes);
  for (let row = 0; row < rows; row++) {
    const part = aligned.subarray(row * rowBytes, (row + 1) * rowBytes);
    if (layout.predictor === 2) undoDifferences(part, layout);
    else undoFloatDifferences(part, layout);
  }
  return aligned;
}

/** Predictor 2 (section 14): each value is the difference from the one a pixel before it. */
function undoDifferences(row: Uint8Array, { bytesPerValue, samples, littleEndian }: BlockLayout): void {
  const Values = bytesPerValue === 4 ? Uint32Array : bytesPerValue === 2 ? Uint16Array : Uint8Array;
  const swap = littleEndian !== hostIsLittle;
  if (swap) swapBytes(row, bytesPerValue);
  const values = new Values(row.buffer as ArrayBuffer, row.byteOffset, row.byteLength / bytesPerValue);
  for (let i = samples; i < values.length; i++) values[i] += values[i - samples];
  if (swap) swapBytes(row, bytesPerValue);
}

/**
 * Predictor 3 (Adobe Photoshop TIFF Technical Note 3, 2005): the row's most significant bytes, then its next ones and so
 * on, each byte the difference from the one `samples` before it.
 */
function undoFloatDifferences(row: Uint8Array, { bytesPerValue, samples, littleEndian }: BlockLayout): void {
  for (let i = samples; i < row.length; i++) row[i] += row[i - samples];
  // Not row.slice(): zlib gives Node's Buffer, whose slice shares its memory.
  const planes = new Uint8Array(row);
  const count = row.length / bytesPerValue;
  for (let i = 0; i < count; i++) {
    for (let byte = 0; byte < bytesPerValue; byte++) {
      row[i * bytesPerValue + (littleEndian ? bytesPerValue - 1 - byte : byte)] = planes[byte * count + i];
    }
  }
}

function swapBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at + width <= bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

function inflate(bytes: Uint8Array, most: number): Uint8Array {
  return inflateSync(bytes, { maxOutputLength: most });
}

function zstandard(bytes: Uint8Array, most: number): Uint8Array {
  return zstdDecompressSync(bytes, { maxOutputLength: most });
}

/** Section 9. A count of −128 is nothing. */
function packBits(bytes: Uint8Array, most: number): Uint8Array {
  const output = new Uint8Array(most);
  let length = 0;
  for (let at = 0; at < bytes.length;) {
    const count = (bytes[at++] << 24) >> 24;
    if (count === -128) continue;
    const run = count < 0 ? 1 - count : count + 1;
    if (length + run > most || at + (count < 0 ? 1 : run) > bytes.length) {
      throw new Error("PackBits runs beyond its end");
    }
    if (count < 0) output.fill(bytes[at++], length, length + run);
    else output.set(bytes.subarray(at, at += run), length);
    length += run;
  }
  return output.subarray(0, length);
}

// Section 13. Codes below 256 are bytes; 256 clears the table, 257 ends the block.
const clear = 256;
const end = 257;
const tableSize = 4096;

/**
 * LZW with TIFF's order of bits, most significant first, and its early change of the code's width. A code's string is a
 * piece of the output itself: the table keeps where it starts and how long it is.
 */
function lzw(bytes: Uint8Array, most: number): Uint8Array {
  const output = new Uint8Array(most);
  const start = new Uint32Array(tableSize);
  const lengths = new Uint32Array(tableSize);
  let [length, next, width] = [0, end + 1, 9];
  let previous = -1;
  let [bits, held] = [0, 0];
  for (let at = 0;;) {
    while (held < width && at < bytes.length) {
      bits = ((bits & 0xffff) << 8) | bytes[at++];
      held += 8;
    }
    // Writers that leave the end code out are common.
    if (held < width) break;
    held -= width;
    const code = (bits >>> held) & ((1 << width) - 1);
    if (code === end) break;
    if (code === clear) {
      [next, width, previous] = [end + 1, 9, -1];
      continue;
    }
    const isKnown = code < clear || (code > end && code < next);
    if (!isKnown && !(previous >= 0 && code === next)) throw new Error(`LZW has no string for code ${code}`);
    const before = length;
    const size = code < clear ? 1 : isKnown ? lengths[code] : lengthOf(previous) + 1;
    if (length + size > most) throw new Error("LZW runs beyond the block's end");
    if (code < clear) output[length++] = code;
    else {
      // Byte by byte: a string that is not in the table yet ends with its own first byte.
      const from = isKnown ? start[code] : before - lengthOf(previous);
      for (let i = 0; i < size; i++) output[length++] = output[from + i];
    }
    if (previous >= 0 && next < tableSize) {
      // The previous string and one byte more, which lie together in the output.
      lengths[next] = lengthOf(previous) + 1;
      start[next] = before - lengthOf(previous);
      next++;
    }
    previous = code;
    if (next + 1 >= 1 << width && width < 12) width++;
  }
  return output.subarray(0, length);

  function lengthOf(code: number): number {
    return code < clear ? 1 : lengths[code];
  }
}
