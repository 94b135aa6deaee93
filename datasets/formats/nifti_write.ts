/** Volumes written as NIfTI-1 in one file, for programs that know no HDF5. */

import { NIFTI1 } from "nifti-reader-js";
import type { Image } from "../../core/image.ts";

const offset = 352;

/**
 * The bytes of a NIfTI-1 file with slices `[height, width, 1]` of one size as float32, columns the fastest axis. Pixels
 * have `pixelSizeMm` `[row, column]`; without, and for the distance of the slices, which nobody knows here, the header
 * says 1 in an unknown unit. It claims no orientation in a body.
 */
export function niftiFile(slices: readonly Image[], pixelSizeMm?: readonly number[]): Uint8Array {
  const [height, width] = slices[0].shape;
  const header = new NIFTI1();
  header.littleEndian = true;
  header.dims = [3, width, height, slices.length, 1, 1, 1, 1];
  header.datatypeCode = NIFTI1.TYPE_FLOAT32;
  header.numBitsPerVoxel = 32;
  header.pixDims = [1, pixelSizeMm?.[1] ?? 1, pixelSizeMm?.[0] ?? 1, 1, 1, 1, 1, 1];
  header.xyzt_units = pixelSizeMm === undefined ? 0 : NIFTI1.UNITS_MM;
  header.vox_offset = offset;
  header.scl_slope = 1;
  header.scl_inter = 0;
  header.qform_code = header.sform_code = 0;
  header.affine = new Array(4).fill(new Array(4).fill(0));
  header.magic = "n+1";
  const bytes = new Uint8Array(offset + 4 * slices.length * height * width);
  bytes.set(new Uint8Array(header.toArrayBuffer()));
  const view = new DataView(bytes.buffer);
  let at = offset;
  for (const { data } of slices) {
    for (let i = 0; i < data.length; i++, at += 4) view.setFloat32(at, data[i], true);
  }
  return bytes;
}
