/**
 * Synthetic microtubules, in the plane and in volumes: the sharp images that deconvolution and localisation microscopy are
 * trained towards (after S. Lim et al., IEEE Trans. Comput. Imaging 6, 2020, whose volumes of 256 x 512 x 128 voxels are cut
 * into cubes of 64³).
 *
 * The curves are ours (`filaments.ts`): ridges of Gaussian profile, σ 0.9 pixels, whose brightness is 0.6 to 1.
 */

import { explain } from "../core/errors.ts";
import { stream } from "../core/random.ts";
import type { Dataset } from "./dataset.ts";
import { type Filament, filamentsIn, pictureOf } from "./filaments.ts";
import { simulatedDataset, type SimulationSettings } from "./simulated.ts";

/** In pixels. */
const sigma = 0.9;

const common = { channels: 1, version: 1, unit: "arbitrary", holds: "images", banners: [] } as const;

/** How many images, how large, which, and of how large pixels. */
export interface MicrotubuleSettings extends SimulationSettings {
  readonly pixelNm: number;
}

/**
 * Images `[matrix, matrix, 1]` of microtubules; a subject's slices are fields of view of their own.
 *
 * @throws {RangeError} where a size or a count is not a whole number of at least 1, or the pixel has no size.
 */
export function microtubules(settings: MicrotubuleSettings): Dataset {
  const { subjects, slices, matrix, pixelNm } = settings;
  return sized(
    simulatedDataset(settings, {
      ...common,
      kind: "microtubules",
      each: "cell",
      notes: [
        `${subjects} simulated cells with ${slices} fields of view of ${matrix} x ${matrix} pixels each`,
      ],
      make(name, slice) {
        const extents = [matrix, matrix];
        const filaments = filamentsIn(extents, stream(`${name}/${slice}`));
        return { image: pictureOf(filaments, { origin: [0, 0], extents }, sigma) };
      },
    }),
    [pixelNm, pixelNm],
  );
}

/** How many volumes, how large, into which cubes they are cut, which, and of how large voxels. */
export interface MicrotubuleVolumeSettings extends Omit<MicrotubuleSettings, "slices"> {
  /** From plane to plane; absent: `pixelNm`, voxels are cubes. */
  readonly stepNm?: number;
  /** `[depth, height, width]` of a subject; absent: one cube. Cubes that do not fit are left off. */
  readonly volume?: readonly [number, number, number];
}

/**
 * Volumes of microtubules, cut into cubes: a subject is a volume, its samples are its cubes `[matrix, matrix, matrix, 1]`,
 * the last axis fastest. Each cube is drawn alone, so that no volume need fit into memory.
 *
 * Where planes lie further apart than pixels, curves run as they do in cubes of `pixelNm`, and their profile has σ 0.9 voxels
 * along each axis: a thinner one would fall between planes.
 *
 * @throws {RangeError} where a size or a count is not a whole number of at least 1, a cube is larger than its volume, or a
 * voxel has no size.
 */
export function microtubuleVolumes(settings: MicrotubuleVolumeSettings): Dataset {
  const { subjects, matrix, pixelNm, stepNm = pixelNm, volume = [matrix, matrix, matrix] } = settings;
  const cubes = volume.map((extent) => Math.floor(extent / matrix));
  if (!cubes.every((count) => count >= 1)) {
    throw new RangeError(explain({
      what: `no cube of ${matrix}³ voxels fits into a volume of ${volume.join(" x ")}`,
      where: "microtubule-volumes",
      fix: "give a larger volume or smaller cubes",
    }));
  }
  const slices = cubes.reduce((product, count) => product * count, 1);
  const [depth, ...plane] = volume;
  const flatness = stepNm / pixelNm;
  // The curves of the last volume: its cubes are asked for one after the other.
  let last: { readonly name: string; readonly filaments: readonly Filament[] } | undefined;
  return sized(
    simulatedDataset({ ...settings, slices }, {
      ...common,
      kind: "microtubule-volumes",
      each: "volume",
      shape: [matrix, matrix, matrix, 1],
      notes: [
        `${subjects} simulated volumes of ${
          volume.join(" x ")
        } voxels, cut into ${slices} cubes of ${matrix}³`,
      ],
      make(name, slice) {
        if (last?.name !== name) {
          const filaments = filamentsIn([depth * flatness, ...plane], stream(name));
          last = {
            name,
            filaments: flatness === 1 ? filaments : filaments.map((one) => flat(one, flatness)),
          };
        }
        const [, down, across] = cubes;
        const place = [
          Math.floor(slice / (down * across)),
          Math.floor(slice / across) % down,
          slice % across,
        ];
        const part = { origin: place.map((at) => at * matrix), extents: [matrix, matrix, matrix] };
        return { image: pictureOf(last.filaments, part, sigma) };
      },
    }),
    [stepNm, pixelNm, pixelNm],
  );
}

/** A curve in voxels so many times deeper than wide. */
function flat({ points, brightness }: Filament, flatness: number): Filament {
  return { brightness, points: points.map((at, i) => i % 3 === 2 ? at / flatness : at) };
}

function sized(dataset: Dataset, pixelSizeNm: readonly number[]): Dataset {
  if (!pixelSizeNm.every((size) => size > 0 && Number.isFinite(size))) {
    throw new RangeError(`microtubules need pixels of a positive size, not of ${pixelSizeNm.join(" x ")} nm`);
  }
  const pixelSizeMm = pixelSizeNm.map((size) => size * 1e-6);
  return { ...dataset, contents: { ...dataset.contents, pixelSizeMm } };
}
