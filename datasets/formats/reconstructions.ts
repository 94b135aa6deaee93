/** Reconstructions as HDF5 files in fastMRI's own layout, for evaluation programs of strangers. */

import { explain, StorageError } from "../../core/errors.ts";
import { makeFolderOf, makeWhole } from "../../core/files.ts";
import { type Image, sameShape, sizeOf } from "../../core/image.ts";
import { HdfReader } from "./hdf5.ts";
import { atNoTime, type LibHdf5, startLibHdf5 } from "./libhdf5.ts";

/** A reconstructed slice `[height, width, 1]` or volume `[depth, height, width, 1]`, with its truth where there is one. */
export interface ReconstructedSlice {
  readonly reconstruction: Image;
  readonly truth?: Image;
  /** What training would have been shown in place of the truth, where the two differ. */
  readonly label?: Image;
  /** Size of its pixels in nm along each axis, the slowest first, where anybody knows it. */
  readonly pixelNm?: readonly number[];
  /** Channels of the sample: two a coil. */
  readonly channels: number;
}

/**
 * Writes `<base>.h5` with `reconstruction` `[slices, height, width]` float32 and, where every slice has a truth, the truth
 * beside it as `reconstruction_esc`, or as `reconstruction_rss` where the data have several coils; and the labels, where
 * they are others, as `label`. Samples that are volumes have an axis more, also where there is one of them:
 * `[volumes, slices, height, width]`. Where all have pixels of one known size, the file's attribute `pixel_nm` says it as
 * JSON, e.g. `[200,65,65]`: of each axis of a sample, in nm. The same slices give the same bytes.
 *
 * @throws {RangeError} where the slices or volumes differ in size.
 * @throws {StorageError} where the file cannot be written.
 */
export async function keepReconstructions(
  base: string,
  slices: readonly ReconstructedSlice[],
): Promise<void> {
  const h5wasm = await startLibHdf5();
  // Otherwise a full disk gives a file with holes, and nobody is told.
  (await h5wasm.ready).activate_throwing_error_handler();
  const temporary = `${base}.h5.tmp`;
  await makeFolderOf(temporary);
  try {
    atNoTime(() => write(new h5wasm.File(temporary, "w")));
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    if (error instanceof RangeError) throw error;
    // libhdf5 gives a stack of thirty lines, in which the system's own words are.
    const [, reason] = /error message = '([^']*)'/.exec(String(error)) ?? [];
    throw new StorageError(`${base}.h5`, reason === undefined ? error : new Error(reason, { cause: error }));
  }
  await makeWhole(temporary, `${base}.h5`);

  function write(file: File): void {
    try {
      const of = (name: "truth" | "label") =>
        slices.map((slice) => slice[name]).filter((image) => image !== undefined);
      const [truths, labels] = [of("truth"), of("label")];
      put(file, "reconstruction", slices.map(({ reconstruction }) => reconstruction));
      if (truths.length === slices.length) put(file, truthName(slices[0].channels), truths);
      if (labels.length === slices.length) put(file, "label", labels);
      const sizes = new Set(slices.map(({ pixelNm = null }) => JSON.stringify(pixelNm)));
      const [size] = sizes;
      if (sizes.size === 1 && size !== "null") file.create_attribute(pixelAttribute, size);
    } finally {
      file.close();
    }
  }

  function put(file: File, name: string, images: readonly Image[]): void {
    const extents = images[0].shape.slice(0, -1);
    const size = sizeOf(extents);
    const data = new Float32Array(images.length * size);
    images.forEach((image, index) => {
      const own = image.shape.slice(0, -1);
      if (!sameShape(own, extents)) {
        const one = extents.length === 3 ? "volume" : "slice";
        throw new RangeError(explain({
          what: `${one} ${index} is [${own.join(", ")}], the first is [${extents.join(", ")}]`,
          where: `${base}.h5`,
          fix: `keep images of subjects whose ${one}s are of one size`,
        }));
      }
      data.set(image.data, index * size);
    });
    file.create_dataset({ name, data, shape: [images.length, ...extents], dtype: "<f4" });
  }
}

/**
 * The slices or volumes of a file of {@linkcode keepReconstructions}, in its order.
 *
 * @throws {SyntaxError} where `<base>.h5` is none or damaged, in libhdf5's words.
 */
export async function readReconstructions(base: string): Promise<Omit<ReconstructedSlice, "channels">[]> {
  const path = `${base}.h5`;
  using reader = new HdfReader();
  const names = ["reconstruction", "reconstruction_esc", "reconstruction_rss", "label"];
  const { datasets, attributes } = await reader.inspect(path, names, [pixelAttribute]);
  const shape = datasets.reconstruction?.shape ?? [];
  const fail = (what: string) => {
    throw new SyntaxError(explain({ what, where: path, fix: "restore the file as the run left it" }));
  };
  if (shape.length !== 3 && shape.length !== 4) {
    fail(
      `"reconstruction" of the HDF5 file has the shape [${shape}], not [slices, height, width] or [volumes, slices, height, width]`,
    );
  }
  const pixelNm = sizesIn(attributes[pixelAttribute]);
  if (pixelNm !== undefined && pixelNm.length !== shape.length - 1) {
    fail(
      `"${pixelAttribute}" of the HDF5 file is ${
        attributes[pixelAttribute]
      }, not a size for each axis of a sample`,
    );
  }
  const imagesOf = async (name: string): Promise<Image[] | undefined> => {
    const own = datasets[name]?.shape;
    if (own === undefined) return undefined;
    const size = sizeOf(own.slice(1));
    const values = await reader.read(path, name, own.map(() => 0), own);
    return Array.from({ length: own[0] }, (_, index) => ({
      shape: [...own.slice(1), 1],
      data: values.slice(index * size, (index + 1) * size),
    }));
  };
  const reconstructions = (await imagesOf("reconstruction"))!;
  const truths = await imagesOf("reconstruction_esc") ?? await imagesOf("reconstruction_rss");
  const labels = await imagesOf("label");
  return reconstructions.map((reconstruction, index) => ({
    reconstruction,
    ...(truths === undefined ? {} : { truth: truths[index] }),
    ...(labels === undefined ? {} : { label: labels[index] }),
    ...(pixelNm === undefined ? {} : { pixelNm }),
  }));
}

/** The sizes that an attribute says; none where it does not say any, and an empty list where they are no such sizes. */
function sizesIn(text: string | undefined): number[] | undefined {
  if (text === undefined) return undefined;
  try {
    const sizes: unknown = JSON.parse(text);
    return Array.isArray(sizes) && sizes.every((size) => size > 0 && Number.isFinite(size)) ? sizes : [];
  } catch {
    return [];
  }
}

type File = InstanceType<LibHdf5["File"]>;

// As text, since libhdf5's reader here gives numbers in float32, and scores depend on all digits.
const pixelAttribute = "pixel_nm";

const truthName = (channels: number) => channels > 2 ? "reconstruction_rss" : "reconstruction_esc";
