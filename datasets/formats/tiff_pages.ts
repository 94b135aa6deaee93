/**
 * Where the pages of a TIFF file are: the chain of its directories, walked and checked before anything is read by it.
 *
 * A library that parses and keeps every directory needs memory for each of the thousands of pages of a stack, and follows
 * a chain that bites its own tail for ever. Here a page is one number, and whatever a directory claims has to lie within
 * the file.
 *
 * TIFF Revision 6.0, Adobe 1992, section 2; BigTIFF as libtiff has it: offsets and counts of 64 bits.
 */

/** The bytes of a file. */
export interface Bytes {
  readonly size: number;
  /** Bytes `[offset, offset + length)`, which lie within the file. */
  read(offset: number, length: number): Uint8Array;
}

/** The pages of a file. */
export interface PageTable {
  readonly littleEndian: boolean;
  /** Whether it is BigTIFF. */
  readonly isBig: boolean;
  /** Where the directory of each page starts, in the chain's order; thumbnails and masks are not among them. */
  readonly offsets: readonly number[];
  /** Thumbnails, reduced copies and transparency masks that were passed over. */
  readonly passedOver: number;
}

// Bytes of a value of each type of section 2, and of BigTIFF's 16 to 18; types without a size do not exist.
const typeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
// A page of a microscope has some dozens of tags.
const mostTags = 4096;
const subfileType = 254;
// Bits of that tag: a reduced version of another page, and a mask for one.
const reduced = 1;
const mask = 4;

/** Whether these first bytes are those of a TIFF file, classic or big. */
export function isTiff(head: Uint8Array): boolean {
  const [a, b, c, d] = head;
  return (a === 0x49 && b === 0x49 && (c === 42 || c === 43) && d === 0) ||
    (a === 0x4d && b === 0x4d && c === 0 && (d === 42 || d === 43));
}

/**
 * Walks the chain of directories to its end.
 *
 * @throws {Error} in words where the chain leads out of the file or in a circle, or a directory claims what is not there.
 */
export function findPages(bytes: Bytes): PageTable {
  const head = bytes.read(0, Math.min(16, bytes.size));
  if (!isTiff(head) || head.length < 8) throw new Error("it does not start as a TIFF file does");
  const littleEndian = head[0] === 0x49;
  const isBig = head[littleEndian ? 2 : 3] === 43;
  if (isBig && head.length < 16) throw new Error("it ends within its header");
  const first = viewOf(head);
  if (isBig && first.getUint16(4, littleEndian) !== 8) {
    throw new Error("it says BigTIFF, but its offsets do not have 8 bytes");
  }
  const offsets: number[] = [];
  const seen = new Set<number>();
  let passedOver = 0;
  let at = isBig ? Number(first.getBigUint64(8, littleEndian)) : first.getUint32(4, littleEndian);
  while (at !== 0) {
    const page = seen.size + 1;
    if (seen.has(at)) throw new Error(`its chain of pages is a circle: page ${page} is an earlier one again`);
    seen.add(at);
    const { kind, next } = walkDirectory(bytes, at, page, littleEndian, isBig);
    if ((kind & (reduced | mask)) === 0) offsets.push(at);
    else passedOver++;
    at = next;
  }
  if (offsets.length === 0) throw new Error("it has no page");
  return { littleEndian, isBig, offsets, passedOver };
}

/** One directory: what kind of page it describes, and where the next one is. */
function walkDirectory(
  bytes: Bytes,
  at: number,
  page: number,
  littleEndian: boolean,
  isBig: boolean,
): { kind: number; next: number } {
  const [countBytes, entryBytes, offsetBytes] = isBig ? [8, 20, 8] : [2, 12, 4];
  const within = (offset: number, length: number) => offset + length <= bytes.size;
  if (!within(at, countBytes)) {
    throw new Error(`page ${page} is said to start at byte ${at}, and the file has ${bytes.size}`);
  }
  const counted = viewOf(bytes.read(at, countBytes));
  const tags = isBig ? Number(counted.getBigUint64(0, littleEndian)) : counted.getUint16(0, littleEndian);
  if (tags === 0 || tags > mostTags) throw new Error(`page ${page} is said to have ${tags} tags`);
  const length = tags * entryBytes + offsetBytes;
  if (!within(at + countBytes, length)) throw new Error(`the file ends within the tags of page ${page}`);
  const view = viewOf(bytes.read(at + countBytes, length));
  const offsetAt = (position: number) =>
    isBig ? Number(view.getBigUint64(position, littleEndian)) : view.getUint32(position, littleEndian);

  let kind = 0;
  for (let tag = 0; tag < tags; tag++) {
    const position = tag * entryBytes;
    const id = view.getUint16(position, littleEndian);
    const type = view.getUint16(position + 2, littleEndian);
    const count = offsetAt(position + 4);
    const value = position + 4 + offsetBytes;
    const size = (typeBytes[type] ?? 0) * count;
    if (size === 0 && count > 0) {
      throw new Error(`tag ${id} of page ${page} is of a type ${type} that TIFF lacks`);
    }
    if (size > offsetBytes && !within(offsetAt(value), size)) {
      throw new Error(`tag ${id} of page ${page} claims ${count} values that are not in the file`);
    }
    if (id === subfileType && count === 1 && type === 4) kind = view.getUint32(value, littleEndian);
  }
  return { kind, next: offsetAt(tags * entryBytes) };
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
