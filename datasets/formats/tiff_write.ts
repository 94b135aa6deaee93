/** Stacks written as TIFF, for ImageJ and whatever else microscopists look at images with. */

import { explain } from "../../core/errors.ts";
import { type Image, sizeOf } from "../../core/image.ts";

/** Directory entries are a tag, a type, a count, and a value or where it is. */
const entryBytes = 12;
const [short, long, rational, ascii] = [3, 4, 5, 2];
/** Parts of a nanometre that sizes are written with. */
const precision = 1e4;

/**
 * The bytes of a TIFF file with these pages, planes `[height, width, 1]` of one size or the planes of volumes, as float32.
 * ImageJ is told that pages are slices, and, where `pixelNm` is given (the slowest axis first), how large a pixel is.
 *
 * @throws {RangeError} where images differ in size, or are more than a classic TIFF file can hold.
 */
export function tiffFile(images: readonly Image[], pixelNm?: readonly number[]): Uint8Array {
  const [first] = images;
  const [height, width, channels] = first.shape.slice(-3);
  if (channels !== 1 || images.some(({ shape }) => String(shape) !== String(first.shape))) {
    throw new RangeError(explain({
      what: `a TIFF stack of images [${images.map(({ shape }) => `[${shape}]`).join(", ")}]`,
      where: "tiffFile()",
      fix: "give images of one size with one channel",
    }));
  }
  const pages = images.length * sizeOf(first.shape) / (height * width);
  const pageBytes = 4 * height * width;
  const text = new TextEncoder().encode(descriptionOf(pages, pixelNm));
  const tags = pixelNm === undefined ? 11 : 14;
  const directoryBytes = 2 + entryBytes * tags + 4;
  const sizesAt = 8 + text.length + text.length % 2;
  const directoriesAt = sizesAt + 16;
  const pagesAt = directoriesAt + pages * (directoryBytes + directoryBytes % 2);
  const bytes = pagesAt + pages * pageBytes;
  if (bytes >= 2 ** 32) {
    throw new RangeError(explain({
      what: `a TIFF file of ${bytes} bytes, and such files have at most 4 GB`,
      where: "tiffFile()",
      fix: "write fewer images into one file",
    }));
  }
  const file = new Uint8Array(bytes);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x002a4949, true);
  view.setUint32(4, directoriesAt, true);
  file.set(text, 8);
  // Pixels a nanometre, across and down.
  [pixelNm?.at(-1), pixelNm?.at(-2)].forEach((size = 1, axis) => {
    view.setUint32(sizesAt + 8 * axis, precision, true);
    view.setUint32(sizesAt + 8 * axis + 4, Math.round(precision * size), true);
  });
  for (let page = 0; page < pages; page++) {
    const at = directoriesAt + page * (directoryBytes + directoryBytes % 2);
    const entries: [tag: number, type: number, count: number, value: number][] = [
      [256, long, 1, width],
      [257, long, 1, height],
      [258, short, 1, 32],
      [259, short, 1, 1],
      [262, short, 1, 1],
      [270, ascii, text.length, 8],
      [273, long, 1, pagesAt + page * pageBytes],
      [277, short, 1, 1],
      [278, long, 1, height],
      [279, long, 1, pageBytes],
      ...pixelNm === undefined ? [] : [
        [282, rational, 1, sizesAt],
        [283, rational, 1, sizesAt + 8],
        [296, short, 1, 1],
      ] as [number, number, number, number][],
      [339, short, 1, 3],
    ];
    view.setUint16(at, entries.length, true);
    entries.forEach(([tag, type, count, value], i) => {
      const entry = at + 2 + entryBytes * i;
      view.setUint16(entry, tag, true);
      view.setUint16(entry + 2, type, true);
      view.setUint32(entry + 4, count, true);
      view.setUint32(entry + 8, value, true);
    });
    const next = page === pages - 1 ? 0 : at + directoryBytes + directoryBytes % 2;
    view.setUint32(at + 2 + entryBytes * entries.length, next, true);
  }
  let at = pagesAt;
  for (const { data } of images) {
    for (const value of data) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  }
  return file;
}

/** As ImageJ writes it. */
function descriptionOf(pages: number, pixelNm?: readonly number[]): string {
  const step = pixelNm !== undefined && pixelNm.length > 2 ? `spacing=${pixelNm[0]}\n` : "";
  const unit = pixelNm === undefined ? "" : `unit=nm\n${step}`;
  return `ImageJ=1.54f\nimages=${pages}\nslices=${pages}\n${unit}\0`;
}
