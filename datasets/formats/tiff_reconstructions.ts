/** Reconstructions of microscopes as TIFF stacks. */

import { writeWhole } from "../../core/files.ts";
import type { Image } from "../../core/image.ts";
import { tiffFile } from "./tiff_write.ts";

/** A reconstruction, with its truth where there is one, and the size of its pixels where anybody knows it. */
export interface ReconstructedPlane {
  /** `[height, width, 1]`, or a volume `[depth, height, width, 1]`. */
  readonly reconstruction: Image;
  /** The same shape. */
  readonly truth?: Image;
  /** In nm, the slowest axis first. */
  readonly pixelNm?: readonly number[];
}

/**
 * Writes `<base>.tif` with the reconstructions of a subject, plane after plane, and, where all have one, the truths as
 * `<base>.truth.tif`. Where they differ in size, each size has files of its own, e.g. `<base>.512x512.tif`.
 */
export async function keepTiff(base: string, planes: readonly ReconstructedPlane[]): Promise<void> {
  const sizes = Map.groupBy(planes, ({ reconstruction: { shape } }) => shape.slice(0, -1).join("x"));
  for (const [size, own] of sizes) {
    const name = sizes.size === 1 ? base : `${base}.${size}`;
    const [{ pixelNm }] = own;
    await writeWhole(`${name}.tif`, tiffFile(own.map(({ reconstruction }) => reconstruction), pixelNm));
    const truths = own.map(({ truth }) => truth).filter((truth) => truth !== undefined);
    if (truths.length === own.length) await writeWhole(`${name}.truth.tif`, tiffFile(truths, pixelNm));
  }
}
