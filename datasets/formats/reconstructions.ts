/** Reconstructions as HDF5 files in fastMRI's own layout, for evaluation programs of strangers. */

import { explain } from "../../core/errors.ts";
import type { Image } from "../../core/image.ts";
import { startLibHdf5 } from "./libhdf5.ts";

/** A reconstructed slice, `[height, width, 1]`, with its truth where there is one. */
export interface ReconstructedSlice {
  readonly reconstruction: Image;
  readonly truth?: Image;
  /** Channels of the sample: two a coil. */
  readonly channels: number;
}

/**
 * Writes `<base>.h5` with `reconstruction` `[slices, height, width]` float32 and, where every slice has a truth, the truth
 * beside it as `reconstruction_esc`, or as `reconstruction_rss` where the data have several coils.
 *
 * @throws {RangeError} where the slices differ in size.
 */
export async function keepReconstructions(
  base: string,
  slices: readonly ReconstructedSlice[],
): Promise<void> {
  const h5wasm = await startLibHdf5();
  await Deno.mkdir(base.slice(0, base.lastIndexOf("/")), { recursive: true });
  const temporary = `${base}.h5.tmp`;
  const file = new h5wasm.File(temporary, "w");
  try {
    put("reconstruction", slices.map(({ reconstruction }) => reconstruction));
    const truths = slices.map(({ truth }) => truth).filter((truth) => truth !== undefined);
    if (truths.length === slices.length) {
      put(slices[0].channels > 2 ? "reconstruction_rss" : "reconstruction_esc", truths);
    }
  } finally {
    file.close();
  }
  await Deno.rename(temporary, `${base}.h5`);

  function put(name: string, images: readonly Image[]): void {
    const [height, width] = images[0].shape;
    const data = new Float32Array(images.length * height * width);
    images.forEach((image, index) => {
      if (image.shape[0] !== height || image.shape[1] !== width) {
        throw new RangeError(explain({
          what: `slice ${index} is [${image.shape.slice(0, 2)}], the first is [${height}, ${width}]`,
          where: `${base}.h5`,
          fix: "keep images of subjects whose slices are of one size",
        }));
      }
      data.set(image.data, index * height * width);
    });
    file.create_dataset({ name, data, shape: [images.length, height, width], dtype: "<f4" });
  }
}
