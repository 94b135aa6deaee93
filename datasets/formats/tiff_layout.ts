/** What a page of a TIFF file claims to be, checked against the file before anything is read by it. */

import type { GeoTIFFImage } from "geotiff";
import { nameOfType, type NumberType } from "./numbers.ts";
import { type BlockLayout, refusalOf } from "./tiff_blocks.ts";

// A page as stored, as decoded and as float32 lies in memory at once.
const mostPageBytes = 768 * 2 ** 20;
// Deflate and LZW give at most this many bytes for one; Zstandard's blocks of one byte give more, and are rare.
const mostCompression = 1400;
const zstandard = 50000;

/** Where numbers lie in a file just as they are, without gaps. */
export interface PlainRun {
  readonly offset: number;
  readonly bytes: number;
  readonly type: NumberType;
}

/** A page that was looked at and can be read. */
export interface PageLayout extends BlockLayout {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly type: string;
  /** All its values, where they need no decoding. */
  readonly plain?: PlainRun;
}

/** Looks at what a page claims, before anything is read by it. */
export function layoutOf(image: GeoTIFFImage, fileSize: number): PageLayout {
  const directory = image.fileDirectory;
  const value = (tag: string, otherwise: number) => {
    const found = directory.getValue(tag as never) as number | readonly number[] | undefined;
    return typeof found === "object" ? found[0] ?? otherwise : found ?? otherwise;
  };
  const list = (tag: string) =>
    Array.from((directory.getValue(tag as never) ?? []) as ArrayLike<number>, Number);

  const [height, width, channels] = [image.getHeight(), image.getWidth(), image.getSamplesPerPixel()];
  const extents = `${height} x ${width} x ${channels}`;
  if (![height, width, channels].every((extent) => Number.isInteger(extent) && extent >= 1)) {
    throw new Error(`it is said to have ${extents} values`);
  }
  const photometric = value("PhotometricInterpretation", 1);
  if (photometric === 3) throw new Error("its values are places in a table of colours, not grey values");
  if (photometric === 0) {
    // Read as they lie they would be a negative, and what white was is known only of unsigned integers.
    throw new Error(
      "its values count down from white (WhiteIsZero): invert them and write it as BlackIsZero",
    );
  }
  const bits = list("BitsPerSample");
  const formats = list("SampleFormat");
  const [depth, format] = [bits[0] ?? 1, formats[0] ?? 1];
  const areAlike = bits.length === channels && bits.every((each) => each === depth) &&
    formats.every((each) => each === format);
  if (!areAlike) {
    throw new Error(
      `it has ${channels} samples a pixel, of ${bits.join(", ") || "no"} bits and formats ${formats}`,
    );
  }
  const type = typeOf(format, depth, image.littleEndian);
  if (type === undefined || (depth % 8 !== 0 && channels > 1)) {
    const name = ["", "unsigned", "signed", "float"][format] ?? `format ${format}`;
    throw new Error(`its values are of ${depth} bits, ${name}, which is not read`);
  }

  const [blockHeight, blockWidth] = [image.getTileHeight(), image.getTileWidth()];
  if (!(blockHeight >= 1 && blockWidth >= 1)) {
    throw new Error(`it is cut into pieces of ${blockHeight} x ${blockWidth}`);
  }
  const interleaved = image.planarConfiguration === 1 ? channels : 1;
  const rowBytes = Math.ceil(blockWidth * interleaved * depth / 8);
  const mostBytes = blockHeight * rowBytes;
  const decodedBytes = height * width * channels * (4 + type.bytes);
  if (decodedBytes + 2 * mostBytes > mostPageBytes) {
    throw new Error(
      `${extents} values in pieces of ${blockHeight} x ${blockWidth} take ${
        Math.ceil((decodedBytes + 2 * mostBytes) / 2 ** 20)
      } MB: more than the ${mostPageBytes / 2 ** 20} MB that a page may take`,
    );
  }
  const count = Math.ceil(height / blockHeight) * Math.ceil(width / blockWidth) * (channels / interleaved);
  const [offsets, lengths] = image.isTiled
    ? [list("TileOffsets"), list("TileByteCounts")]
    : [list("StripOffsets"), list("StripByteCounts")];
  if (offsets.length < count || lengths.length < count) {
    throw new Error(
      `${extents} values are ${count} pieces, and ${Math.min(offsets.length, lengths.length)} are given`,
    );
  }
  const blocks = Array.from({ length: count }, (_, i) => ({ offset: offsets[i], length: lengths[i] }));
  const outside = blocks.findIndex(({ offset, length }) => !(length > 0 && offset + length <= fileSize));
  if (outside >= 0) {
    const { offset, length } = blocks[outside];
    throw new Error(
      `it is cut short: piece ${
        outside + 1
      } of ${count} is ${length} bytes from byte ${offset} on, and the file has ` +
        `${fileSize}`,
    );
  }
  const stored = blocks.reduce((sum, { length }) => sum + length, 0);
  const compression = value("Compression", 1);
  const needed = Math.ceil(height * width * channels * depth / 8);
  if (compression !== zstandard && stored * (compression === 1 ? 1 : mostCompression) < needed) {
    throw new Error(`${extents} values of ${depth} bits need more than the ${stored} bytes that it has`);
  }
  const layout = {
    height,
    width,
    channels,
    type: depth % 8 === 0 ? nameOfType({ ...type, littleEndian: true }) : `uint${depth}`,
    plain: image.isTiled || compression !== 1 || depth % 8 !== 0 || interleaved !== channels
      ? undefined
      : plainRun(blocks, height * width * channels * type.bytes, type),
    compression,
    predictor: value("Predictor", 1),
    littleEndian: image.littleEndian,
    valuesPerRow: blockWidth * interleaved,
    samples: interleaved,
    bytesPerValue: depth / 8,
    mostBytes,
  };
  const refusal = refusalOf(layout);
  if (refusal !== undefined) throw new Error(refusal);
  return layout;
}

/** The pieces as one run; undefined where there are gaps, or a type that only geotiff decodes. */
function plainRun(
  blocks: readonly { readonly offset: number; readonly length: number }[],
  bytes: number,
  type: NumberType,
): PlainRun | undefined {
  const [{ offset }] = blocks;
  let at = offset;
  for (const block of blocks) {
    if (block.offset !== at) return undefined;
    at += block.length;
  }
  const isDecoded = type.kind === "float" && type.bytes === 2;
  return at - offset === bytes && !isDecoded ? { offset, bytes, type } : undefined;
}

function typeOf(format: number, depth: number, littleEndian: boolean): NumberType | undefined {
  const bytes = Math.ceil(depth / 8);
  if (format === 1 && depth >= 1 && depth <= 32) return { kind: "unsigned", bytes, littleEndian };
  if (format === 2 && [8, 16, 32].includes(depth)) return { kind: "signed", bytes, littleEndian };
  if (format === 3 && [16, 32, 64].includes(depth)) return { kind: "float", bytes, littleEndian };
  return undefined;
}
