/** Reconstructions in HU as NIfTI and as HDF5, for evaluation programs of strangers and for viewers. */

import { writeWhole } from "../../core/files.ts";
import { niftiFile } from "./nifti_write.ts";
import { keepReconstructions, type ReconstructedSlice } from "./reconstructions.ts";

/**
 * Writes `<base>.nii` with the reconstructed slices of a subject in HU and, where every slice has a truth, that as
 * `<base>.truth.nii`; and both into `<base>.h5`, as {@linkcode keepReconstructions} does. Where slices differ in size,
 * each size has files of its own, e.g. `<base>.512x512.nii`.
 *
 * @param pixelSizeMm of all of them, `[row, column]`, where the data say it.
 */
export async function keepHu(
  base: string,
  slices: readonly ReconstructedSlice[],
  pixelSizeMm?: readonly number[],
): Promise<void> {
  const sizes = Map.groupBy(slices, ({ reconstruction: { shape } }) => `${shape[0]}x${shape[1]}`);
  for (const [size, own] of sizes) {
    const name = sizes.size === 1 ? base : `${base}.${size}`;
    await writeWhole(`${name}.nii`, niftiFile(own.map(({ reconstruction }) => reconstruction), pixelSizeMm));
    const truths = own.map(({ truth }) => truth).filter((truth) => truth !== undefined);
    if (truths.length === own.length) await writeWhole(`${name}.truth.nii`, niftiFile(truths, pixelSizeMm));
    await keepReconstructions(name, own);
  }
}
