/** DICOM's run-length coding (PS3.5, Annex G): PackBits, one segment for each byte of a pixel, the highest byte first. */

/**
 * The little-endian bytes of `count` pixels of `bytesPerPixel` each.
 *
 * @throws {SyntaxError} where the frame has other segments, or is malformed or cut short.
 */
export function decodeRunLength(frame: Uint8Array, count: number, bytesPerPixel: number): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const segments = frame.length < 64 ? 0 : view.getUint32(0, true);
  if (segments !== bytesPerPixel) {
    throw new SyntaxError(
      `the run-length coded frame has ${segments} segments for ${bytesPerPixel} bytes a pixel`,
    );
  }
  const output = new Uint8Array(count * bytesPerPixel);
  for (let segment = 0; segment < segments; segment++) {
    let at = view.getUint32(4 + 4 * segment, true);
    const next = segment + 1 < segments ? view.getUint32(8 + 4 * segment, true) : frame.length;
    const end = Math.min(next, frame.length);
    let to = bytesPerPixel - 1 - segment;
    for (let left = count; left > 0;) {
      const code = at < end ? frame[at++] : 128;
      const isRun = code > 128;
      const length = isRun ? 257 - code : code + 1;
      if (code === 128 && at < end) continue;
      if (length > left || at + (isRun ? 1 : length) > end) {
        throw new SyntaxError(`the run-length coded frame is damaged or cut short in segment ${segment}`);
      }
      for (let n = 0; n < length; n++, to += bytesPerPixel) output[to] = frame[isRun ? at : at + n];
      at += isRun ? 1 : length;
      left -= length;
    }
  }
  return output;
}
