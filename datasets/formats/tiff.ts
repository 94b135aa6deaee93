/**
 * TIFF stacks, read from the file page by page: a stack of 4 GB needs no more memory than one of its pages.
 *
 * geotiff reads a page's directory, strips and tiles; where pages are is found by `tiff_pages.ts`, and blocks are
 * decompressed in `tiff_blocks.ts`. What a page claims is checked (`tiff_layout.ts`) before memory is asked for.
 */

import { GeoTIFF, GeoTIFFImage } from "geotiff";
import { explain } from "../../core/errors.ts";
import { decodeNumbers, firstNonFinite, hostIsLittle } from "./numbers.ts";
import { describeStack, type StackDescription } from "./tiff_axes.ts";
import { type BlockLayout, decodeBlock } from "./tiff_blocks.ts";
import { layoutOf, type PlainRun } from "./tiff_layout.ts";
import { type Bytes, findPages } from "./tiff_pages.ts";

/** What a stack holds. */
export interface TiffHeader {
  readonly pages: number;
  readonly height: number;
  readonly width: number;
  /** Samples of a pixel: 1 for grey values, 3 for colours. */
  readonly channels: number;
  /** As in NumPy, e.g. `"uint16"`. */
  readonly type: string;
  /** What the file says of its axes and its pixels. */
  readonly about: StackDescription;
  /** Thumbnails, reduced copies and masks that are no pages of the stack. */
  readonly passedOver: number;
}

/** An opened stack. */
export class TiffStack {
  /** What it holds. */
  readonly header: TiffHeader;
  readonly #path: string;
  readonly #bytes: FileBytes;
  readonly #tiff: GeoTIFF;
  readonly #offsets: readonly number[];
  /** The first of pages that follow each other without directories. */
  readonly #run?: PlainRun;

  private constructor(path: string, bytes: FileBytes, parts: Parts) {
    this.#path = path;
    this.#bytes = bytes;
    this.header = parts.header;
    this.#tiff = parts.tiff;
    this.#offsets = parts.offsets;
    this.#run = parts.run;
  }

  /**
   * Opens the stack at `path`: walks its chain of pages and reads the first one's description.
   *
   * @throws {SyntaxError} where it is damaged or of a kind of TIFF that is not read, with the reason.
   */
  static async open(path: string): Promise<TiffStack> {
    const bytes = await FileBytes.open(path);
    try {
      return new TiffStack(path, bytes, await partsOf(bytes));
    } catch (cause) {
      bytes.close();
      throw unreadable(path, cause);
    }
  }

  /**
   * The values of page `index`, `[height, width, channels]`, as float32.
   *
   * @throws {SyntaxError} where the page is damaged, or differs from the first in size or type.
   * @throws {RangeError} where a value is NaN or infinite.
   */
  async page(index: number): Promise<Float32Array> {
    const { pages, width, channels } = this.header;
    if (!(Number.isInteger(index) && index >= 0 && index < pages)) {
      throw new RangeError(`there is no page ${index} of ${pages} in ${this.#path}`);
    }
    let values: Float32Array;
    try {
      values = this.#run === undefined ? await this.#decoded(index) : this.#plain(this.#run, index);
    } catch (cause) {
      throw unreadable(this.#path, cause, index);
    }
    const bad = firstNonFinite(values);
    if (bad >= 0) {
      const pixel = Math.floor(bad / channels);
      throw new RangeError(explain({
        what: `page ${index + 1} holds ${values[bad]} at row ${Math.floor(pixel / width)}, column ${
          pixel % width
        }`,
        where: this.#path,
        fix: "replace values that are not numbers, or leave the file out",
      }));
    }
    return values;
  }

  /** Closes the file. */
  close(): void {
    this.#bytes.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #plain({ offset, bytes, type }: PlainRun, index = 0): Float32Array {
    return decodeNumbers(this.#bytes.read(offset + index * bytes, bytes), type);
  }

  async #decoded(index: number): Promise<Float32Array> {
    const image = await imageAt(this.#tiff, this.#offsets[index], this.#bytes);
    const { height, width, channels, type } = this.header;
    const layout = layoutOf(image, this.#bytes.size);
    const same = layout.height === height && layout.width === width && layout.channels === channels &&
      layout.type === type;
    if (!same) {
      throw new Error(
        `it is ${layout.height} x ${layout.width} x ${layout.channels} of ${layout.type}, and the first page ` +
          `${height} x ${width} x ${channels} of ${type}: pages of one stack are alike`,
      );
    }
    if (layout.plain !== undefined) return this.#plain(layout.plain);
    const blocks = { bindParameters: () => ({ decode: (block: ArrayBuffer) => decoded(block, layout) }) };
    // geotiff takes anything in place of its pool of threads that decodes as that does.
    const raster = await image.readRasters({ interleave: true, pool: blocks as never });
    return raster instanceof Float32Array ? raster : Float32Array.from(raster);
  }
}

function decoded(block: ArrayBuffer, layout: BlockLayout): Promise<ArrayBuffer> {
  const bytes = decodeBlock(new Uint8Array(block), layout);
  const isWhole = bytes.byteLength === bytes.buffer.byteLength;
  return Promise.resolve((isWhole ? bytes : new Uint8Array(bytes)).buffer as ArrayBuffer);
}

/** A file that geotiff reads from, a piece at a time; a piece beyond the end is cut off there. */
class FileBytes implements Bytes {
  readonly fileSize: number;

  private constructor(readonly file: Deno.FsFile, readonly size: number) {
    this.fileSize = size;
  }

  static async open(path: string): Promise<FileBytes> {
    const file = await Deno.open(path);
    // Not from `stat`, for which a worker would need to be allowed what a link to the file leads to.
    return new FileBytes(file, file.seekSync(0, Deno.SeekMode.End));
  }

  read(offset: number, length: number): Uint8Array {
    if (offset + length > this.size) {
      throw new Error(`it is cut short: it has ${this.size} bytes, and ${offset + length} are needed`);
    }
    const bytes = new Uint8Array(length);
    this.file.seekSync(offset, Deno.SeekMode.Start);
    for (let at = 0; at < length;) {
      const read = this.file.readSync(bytes.subarray(at));
      if (read === null) throw new Error("it became shorter while it was read");
      at += read;
    }
    return bytes;
  }

  fetchSlice({ offset, length }: { offset: number; length: number }) {
    const within = Math.max(0, Math.min(length, this.size - offset));
    return Promise.resolve({ data: this.read(offset, within).buffer, offset, length });
  }

  async fetch(slices: { offset: number; length: number }[]): Promise<ArrayBufferLike[]> {
    return (await Promise.all(slices.map((slice) => this.fetchSlice(slice)))).map(({ data }) => data);
  }

  close(): Promise<void> {
    this.file.close();
    return Promise.resolve();
  }
}

interface Parts {
  readonly header: TiffHeader;
  readonly tiff: GeoTIFF;
  readonly offsets: readonly number[];
  readonly run?: PlainRun;
}

async function partsOf(bytes: FileBytes): Promise<Parts> {
  const { littleEndian, isBig, offsets, passedOver } = findPages(bytes);
  const tiff = new GeoTIFF(bytes, littleEndian, isBig, offsets[0]);
  // Arrays that it would leave for later it reads as little-endian ones.
  tiff.parser.eager = true;
  const image = await imageAt(tiff, offsets[0], bytes);
  const layout = layoutOf(image, bytes.size);
  const { height, width, channels, type } = layout;

  const directory = image.fileDirectory;
  const resolution = (tag: "XResolution" | "YResolution") => {
    const [numerator, denominator] = (directory.getValue(tag as never) as number[] | undefined) ?? [];
    return numerator / denominator;
  };
  const text = String(directory.getValue("ImageDescription" as never) ?? "").replace(/\0[^]*$/, "");
  const about = describeStack(
    text,
    { x: resolution("XResolution"), y: resolution("YResolution") },
    offsets.length,
  );
  // ImageJ writes stacks beyond 4 GB as one directory with all pages behind its own.
  const { images = 1 } = about;
  const isRun = offsets.length === 1 && Number.isInteger(images) && images > 1 &&
    layout.plain !== undefined &&
    layout.plain.offset + images * layout.plain.bytes <= bytes.size;
  const run = isRun ? layout.plain : undefined;
  const pages = isRun ? images : offsets.length;
  // Counts that are not true of the pages say nothing.
  const { axes, ...rest } = about;
  const areTrue = axes !== undefined && axes.channels * axes.slices * axes.frames === pages;
  const header = { pages, height, width, channels, type, about: areTrue ? about : rest, passedOver };
  return { header, tiff, offsets, run };
}

async function imageAt(tiff: GeoTIFF, offset: number, bytes: FileBytes): Promise<GeoTIFFImage> {
  const directory = await tiff.parser.parseFileDirectoryAt(offset);
  const bits = directory.getValue("BitsPerSample" as never) as number[] | undefined;
  // Values that fill no whole bytes are packed alike in both orders, and geotiff unpacks them into the machine's own.
  const isPacked = bits !== undefined && bits[0] % 8 !== 0;
  return new GeoTIFFImage(directory, isPacked ? hostIsLittle : tiff.littleEndian, false, bytes);
}

function unreadable(path: string, cause: unknown, index?: number): SyntaxError {
  const part = index === undefined ? "the TIFF file" : `page ${index + 1} of the TIFF file`;
  return new SyntaxError(
    explain({
      what: `cannot read ${part}: ${reasonOf(cause)}`,
      where: path,
      fix: "get it again, since it may have been cut short, or write it anew as grey values without loss",
    }),
    { cause },
  );
}

function reasonOf(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : String(cause);
  // A damaged tag may have thousands of values where there should be one.
  if (!/bounds of the DataView/.test(reason)) {
    return reason.length <= 200 ? reason : `${reason.slice(0, 200)} …`;
  }
  return "it has fewer values than its size says";
}
