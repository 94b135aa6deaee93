/**
 * Lossless JPEG of one component: Huffman coding with any of the seven predictors, point transform and restarts
 * (ITU-T T.81, Annex H; DICOM's process 14).
 *
 * The package for it, jpeg-lossless-decoder-js 2.1.2, takes a code that ends with the last bit before a marker for the
 * marker itself, and so loses the last pixel of a file of the shared data; of the 42 streams of `tests/golden/dicom.json`,
 * on which libjpeg-turbo and this decoder agree, it reads 20 wrongly (restarts, point transforms, predictor 7); and what
 * is cut short it reads as zeros. This decoder counts its bits.
 */

/** A decoded picture: samples of `precision` bits, unsigned, as T.81 has them. */
export interface LosslessJpeg {
  readonly width: number;
  readonly height: number;
  readonly precision: number;
  readonly samples: Uint16Array;
}

/** What a frame header and a scan header say. */
interface Scan {
  readonly precision: number;
  readonly height: number;
  readonly width: number;
  readonly predictor: number;
  readonly pointTransform: number;
  readonly restartInterval: number;
  readonly codes: Uint16Array;
  /** Where the entropy-coded data start. */
  readonly start: number;
}

/**
 * Decodes a lossless JPEG that must be `width` x `height`: nothing is allocated before its header says so, too.
 *
 * @throws {SyntaxError} where it is not lossless JPEG of one component and that size, is malformed or cut short.
 */
export function decodeLosslessJpeg(bytes: Uint8Array, width: number, height: number): LosslessJpeg {
  const scan = readHeaders(bytes);
  if (scan.width !== width || scan.height !== height) {
    throw new SyntaxError(
      `the JPEG stream is ${scan.height} x ${scan.width}, the image ${height} x ${width}`,
    );
  }
  return { width, height, precision: scan.precision, samples: decodeScan(bytes, scan) };
}

function readHeaders(bytes: Uint8Array): Scan {
  const word = (at: number) => bytes[at] << 8 | bytes[at + 1];
  if (word(0) !== 0xffd8) throw new SyntaxError("it is no JPEG stream");
  const tables: Uint16Array[] = [];
  let frame: { precision: number; height: number; width: number } | undefined;
  let restartInterval = 0;
  for (let at = 2;;) {
    // Any number of fill bytes may stand before a marker.
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++;
    const [marker, length] = [word(at), word(at + 2)];
    const segment = bytes.subarray(at + 4, at + 2 + length);
    if (!(marker > 0xff00 && length >= 2 && segment.length === length - 2)) {
      throw new SyntaxError("the JPEG stream is malformed or cut short in its headers");
    }
    at += 2 + length;
    if (marker === 0xffc3) {
      if (segment.length !== 9 || segment[5] !== 1) {
        throw new SyntaxError("the JPEG stream has several components; grey images have one");
      }
      frame = {
        precision: segment[0],
        height: segment[1] << 8 | segment[2],
        width: segment[3] << 8 | segment[4],
      };
      if (frame.precision < 2 || frame.precision > 16) {
        throw new SyntaxError(`the JPEG stream has samples of ${frame.precision} bits`);
      }
    } else if (marker === 0xffc4) {
      readTables(segment, tables);
    } else if (marker === 0xffdd) {
      restartInterval = segment[0] << 8 | segment[1];
    } else if (marker === 0xffda) {
      if (frame === undefined) throw new SyntaxError("the JPEG stream has no frame header");
      const [components, , selector, predictor, , approximation] = segment;
      const codes = tables[selector >> 4];
      const pointTransform = approximation & 15;
      const isSound = components === 1 && predictor >= 1 && predictor <= 7 && codes !== undefined &&
        pointTransform < frame.precision && restartInterval % frame.width === 0;
      if (!isSound) throw new SyntaxError("the JPEG stream has a scan header that no lossless one has");
      return { ...frame, predictor, pointTransform, restartInterval, codes, start: at };
    } else if (marker >= 0xffc0 && marker <= 0xffcf) {
      throw new SyntaxError(`the JPEG stream is of another process (marker ${marker.toString(16)})`);
    }
  }
}

/** For each 16 bits that may lie ahead, the category of the code that they start with and, from bit 5, its length. */
function readTables(segment: Uint8Array, tables: Uint16Array[]): void {
  for (let at = 0; at < segment.length;) {
    const target = segment[at] & 15;
    const counts = segment.subarray(at + 1, at + 17);
    let value = at + 17;
    const codes = new Uint16Array(65536);
    let code = 0;
    for (let length = 1; length <= 16; length++) {
      for (let n = 0; n < counts[length - 1]; n++) {
        const category = segment[value++];
        const first = code++ << (16 - length);
        if (!(category <= 16) || code > 1 << length) {
          throw new SyntaxError("the JPEG stream has a malformed Huffman table");
        }
        codes.fill(length << 5 | category, first, first + (1 << (16 - length)));
      }
      code <<= 1;
    }
    tables[target] = codes;
    at = value;
  }
}

function decodeScan(bytes: Uint8Array, scan: Scan): Uint16Array {
  const { width, height, predictor, codes, restartInterval } = scan;
  const samples = new Uint16Array(width * height);
  const start = 1 << (scan.precision - scan.pointTransform - 1);
  let at = scan.start;
  // The last 24 bits that were read; how many of them lie ahead; how many of those are made up, behind the end.
  let [window, ahead, missing] = [0, 0, 0];
  const fetch = (bits: number) => {
    while (ahead < bits) {
      let byte = 0;
      if (at >= bytes.length || (bytes[at] === 0xff && bytes[at + 1] !== 0)) {
        missing += 8;
      } else {
        byte = bytes[at];
        at += byte === 0xff ? 2 : 1;
      }
      window = (window << 8 | byte) & 0xffffff;
      ahead += 8;
    }
  };
  const damaged = (i: number) =>
    new SyntaxError(`the JPEG stream is damaged or cut short at pixel ${i} of ${samples.length}`);

  // The first line of the scan, and of each restart interval, has nothing above it.
  let firstLine = true;
  for (let i = 0; i < samples.length; i++) {
    const column = i % width;
    if (restartInterval > 0 && i > 0 && i % restartInterval === 0) {
      const number = i / restartInterval - 1;
      if (bytes[at] !== 0xff || bytes[at + 1] !== 0xd0 + number % 8) throw damaged(i);
      at += 2;
      [ahead, missing, firstLine] = [0, 0, true];
    } else if (column === 0 && i > 0) {
      firstLine = false;
    }
    fetch(16);
    const found = codes[(window >>> (ahead - 16)) & 0xffff];
    if (found === 0) throw damaged(i);
    ahead -= found >> 5;
    const category = found & 31;
    let difference = 0;
    if (category === 16) {
      difference = 32768;
    } else if (category > 0) {
      fetch(category);
      ahead -= category;
      difference = (window >>> ahead) & ((1 << category) - 1);
      if (difference < 1 << (category - 1)) difference -= (1 << category) - 1;
    }
    if (ahead < missing) throw damaged(i);

    let prediction = start;
    if (firstLine) {
      if (column > 0) prediction = samples[i - 1];
    } else if (column === 0) {
      prediction = samples[i - width];
    } else {
      const [left, above, corner] = [samples[i - 1], samples[i - width], samples[i - width - 1]];
      prediction = predictor === 1
        ? left
        : predictor === 2
        ? above
        : predictor === 3
        ? corner
        : predictor === 4
        ? left + above - corner
        : predictor === 5
        ? left + ((above - corner) >> 1)
        : predictor === 6
        ? above + ((left - corner) >> 1)
        : (left + above) >> 1;
    }
    samples[i] = prediction + difference;
  }
  if (scan.pointTransform > 0) {
    for (let i = 0; i < samples.length; i++) samples[i] <<= scan.pointTransform;
  }
  return samples;
}
