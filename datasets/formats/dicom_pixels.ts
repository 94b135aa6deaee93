/** Stored pixel values of a DICOM file, from every lossless transfer syntax. */

import type dicomParser from "dicom-parser";
import { explain } from "../../core/errors.ts";
import { decodePicture } from "./codecs.ts";
import type { PixelLayout } from "./dicom.ts";
import { codingOf, isBigEndian } from "./dicom_syntaxes.ts";
import { decodeLosslessJpeg } from "./jpeg_lossless.ts";
import { decodeNumbers, hostIsLittle } from "./numbers.ts";
import { decodeRunLength } from "./run_length.ts";

const undefinedLength = 0xffffffff;

/**
 * The values of the one frame, `height · width`, row-major, before any rescaling: the stored bits without what else
 * the allocated ones hold, with their sign.
 *
 * @throws {SyntaxError} where pixels are missing, or cannot be decoded.
 */
export async function storedValues(
  data: dicomParser.DataSet,
  layout: PixelLayout,
  path: string,
): Promise<Float32Array> {
  const { height, width, syntax, bitsAllocated } = layout;
  const element = data.elements.x7fe00010;
  const bytesEach = bitsAllocated / 8;
  const count = height * width;
  const needed = count * bytesEach;
  const coding = codingOf(syntax);
  const isEncapsulated = element.length === undefinedLength;
  const refuse = (what: string, cause?: unknown): never => {
    const fix = "get the file again, since it may have been cut short, or leave it out";
    throw new SyntaxError(explain({ what, where: path, fix }), { cause });
  };
  if (isEncapsulated !== (coding !== "plain")) {
    refuse(`its pixels are ${isEncapsulated ? "" : "not "}in fragments, against its transfer syntax`);
  }
  if (coding === "plain") {
    const there = Math.min(element.length, data.byteArray.length - element.dataOffset);
    if (there < needed) {
      refuse(`it is cut short: ${height} x ${width} pixels need ${needed} bytes, and there are ${there}`);
    }
    const bytes = data.byteArray.subarray(element.dataOffset, element.dataOffset + needed);
    // Words of 16 bits are swapped, also where they hold two pixels of a byte each (PS3.5, Annex D).
    const isSwapped = isBigEndian(syntax) && bytesEach === 1 && element.vr === "OW";
    if (isSwapped) refuse("its pixels of one byte are stored as big-endian words");
    return valuesOf(bytes, layout, bitsAllocated, !isBigEndian(syntax));
  }
  try {
    const frame = joinedFragments(data.byteArray, element.dataOffset);
    if (coding === "run-length") {
      return valuesOf(decodeRunLength(frame, count, bytesEach), layout, bitsAllocated, true);
    }
    if (bitsAllocated === 32) throw new SyntaxError(`${coding} pixels of 32 bits are not read here`);
    const fits = (bits: number) => {
      if (bits < layout.bitsStored || bits > bitsAllocated) {
        throw new SyntaxError(`the stream has ${bits} bits a pixel, the header ${layout.bitsStored}`);
      }
    };
    if (coding === "JPEG lossless") {
      const { samples, precision } = decodeLosslessJpeg(frame, width, height);
      fits(precision);
      return valuesOf(new Uint8Array(samples.buffer), layout, 16, hostIsLittle);
    }
    const { samples, bits } = await decodePicture(coding, frame, width, height);
    fits(bits);
    return valuesOf(samples, layout, bits > 8 ? 16 : 8, hostIsLittle);
  } catch (cause) {
    return refuse(`its pixels cannot be read: ${(cause as Error).message}`, cause);
  }
}

/** Of each `bits` the stored ones. */
function valuesOf(bytes: Uint8Array, layout: PixelLayout, bits: number, littleEndian: boolean): Float32Array {
  const { bitsStored, highBit, isSigned } = layout;
  const values = decodeNumbers(bytes, {
    kind: isSigned ? "signed" : "unsigned",
    bytes: bits / 8,
    littleEndian,
  });
  if (bitsStored === bits) return values;
  // To the top, and back down with the sign.
  const up = 31 - highBit;
  const down = 32 - bitsStored;
  for (let i = 0; i < values.length; i++) {
    const shifted = values[i] << up;
    values[i] = isSigned ? shifted >> down : shifted >>> down;
  }
  return values;
}

/** The one frame of encapsulated pixels (PS3.5, Annex A.4): all fragments behind the offset table, put together. */
function joinedFragments(bytes: Uint8Array, start: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fragments: Uint8Array[] = [];
  let isTable = true;
  for (let at = start;;) {
    if (at + 8 > bytes.length) throw new SyntaxError("the fragments are cut short");
    const [tag, length] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    at += 8;
    // (FFFE,E0DD) ends the sequence, (FFFE,E000) is an item of it; the low half of a tag comes second.
    if (tag === 0xe0ddfffe) break;
    if (tag !== 0xe000fffe) throw new SyntaxError("the sequence of fragments is malformed");
    if (length > bytes.length - at) throw new SyntaxError("a fragment is cut short");
    if (!isTable) fragments.push(bytes.subarray(at, at + length));
    isTable = false;
    at += length;
  }
  if (fragments.length === 1) return fragments[0];
  const frame = new Uint8Array(fragments.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const fragment of fragments) {
    frame.set(fragment, at);
    at += fragment.length;
  }
  return frame;
}
