/** Large images and volumes cut into tiles, so that one stack gives many samples of one size. */

import { explain } from "../core/errors.ts";
import { type Image, sizeOf } from "../core/image.ts";
import { sha256 } from "../core/json.ts";
import { type Points, shifted } from "../core/points.ts";
import type { Dataset, Sample, Subject } from "./dataset.ts";

/**
 * The same data cut into squares of `side` pixels, volumes into cubes, or into boxes of a side along each axis: tiles that
 * lie side by side around the middle, share no pixel, and are samples of their own. Image, measurement and reference are cut
 * alike, and emitters are told from the tile's own corner, where the data say how large pixels are. What is no larger along
 * an axis than a tile stays whole along it.
 *
 * A sample that gave `"07"` gives `"07-r0c1"`, the tile in the first row and the second column; of a volume
 * `"00-z2r0c1"`. One whose tile is all of it keeps its name.
 *
 * @param rim pixels at each border that no tile may have, so that all know what is around them.
 * @param side of a tile, or its `[height, width]` or `[depth, height, width]`.
 * @throws {RangeError} where a side is no whole number of at least 1.
 */
export function tiled(dataset: Dataset, side: number | readonly number[], rim = 0): Dataset {
  const sides = [side].flat();
  if (!sides.every((one) => Number.isInteger(one) && one >= 1)) {
    throw new RangeError(explain({
      what: `tiles of ${sides.join(" x ")} pixels`,
      where: "tiled()",
      fix: "give a whole number of at least 1",
    }));
  }
  const { contents } = dataset;
  const tiles = new Map<string, { sample: string; tile: Box }>();
  const subjects = contents.subjects.map((subject): Subject => {
    const { id, samples, shape, otherShapes } = subject;
    const own = samples.flatMap((sample) =>
      tilesOf(otherShapes?.[sample] ?? shape, sides, rim).map((tile) => {
        const name = tile.name === "" ? sample : `${sample}-${tile.name}`;
        tiles.set(`${id}/${name}`, { sample, tile });
        return { name, shape: [...tile.extents, shape.at(-1)!] };
      })
    );
    const { otherShapes: _, ...rest } = subject;
    const common = own[0].shape;
    const others = own.filter((tile) => String(tile.shape) !== String(common));
    return {
      ...rest,
      samples: own.map(({ name }) => name),
      shape: common,
      ...(others.length === 0
        ? {}
        : { otherShapes: Object.fromEntries(others.map(({ name, shape }) => [name, shape])) }),
    };
  });
  // A plane's tiles are asked for one after the other.
  let last: { key: string; sample: Promise<Sample> } | undefined;
  return {
    contents: { ...contents, subjects, hash: sha256(`${contents.hash}/tiles of ${sides} within ${rim}`) },
    async sample(subject, id) {
      const found = tiles.get(`${subject}/${id}`);
      if (found === undefined) {
        throw new RangeError(`there is no sample "${id}" of subject "${subject}"`);
      }
      const key = `${subject}/${found.sample}`;
      if (last?.key !== key) last = { key, sample: dataset.sample(subject, found.sample) };
      const { image, measurement, reference, label, emitters, ...rest } = await last.sample;
      const cut = (name: string, whole?: Image) =>
        whole === undefined ? {} : { [name]: tileFrom(whole, found.tile) };
      return {
        ...rest,
        id,
        ...cut("image", image),
        ...cut("measurement", measurement),
        ...cut("reference", reference),
        ...cut("label", label),
        ...emittersIn(found.tile, emitters, rest.acquisition),
        tile: { of: found.sample, at: found.tile.origin },
      };
    },
    close: () => dataset.close(),
  };
}

/** A box of an image: its corner and its size along the axes in front of the channels. */
interface Box {
  readonly name: string;
  readonly origin: readonly number[];
  readonly extents: readonly number[];
}

const letters = { 2: ["r", "c"], 3: ["z", "r", "c"] } as const;

function tilesOf(shape: readonly number[], sides: readonly number[], rim: number): Box[] {
  const extents = shape.slice(0, -1);
  const names = letters[extents.length as 2 | 3];
  const along = extents.map((extent, axis) => {
    const side = sides[axis] ?? sides[0];
    const count = Math.max(1, Math.floor((extent - 2 * rim) / side));
    const length = Math.min(side, extent);
    const first = Math.floor((extent - count * length) / 2);
    return Array.from({ length: count }, (_, i) => ({ at: first + i * length, length, i }));
  });
  const isWhole = along.every((places) => places.length === 1);
  const tuples = along.reduce<{ at: number; length: number; i: number }[][]>(
    (all, places) => all.flatMap((tuple) => places.map((place) => [...tuple, place])),
    [[]],
  );
  return tuples.map((places) => ({
    name: isWhole ? "" : places.map(({ i }, axis) => `${names[axis]}${i}`).join(""),
    origin: places.map(({ at }) => at),
    extents: places.map(({ length }) => length),
  }));
}

/** Emitters from the corner of a tile of a plane; none where nobody knows how large its pixels are. */
function emittersIn({ origin }: Box, emitters?: Points, acquisition?: Sample["acquisition"]) {
  const size = acquisition?.pixelSizeNm;
  if (emitters === undefined || !Array.isArray(size)) return {};
  const [down, across] = origin.map((at, axis) => -at * Number(size[axis]));
  return { emitters: shifted(emitters, across, down) };
}

function tileFrom({ shape, data }: Image, { origin, extents }: Box): Image {
  const channels = shape.at(-1)!;
  const result = new Float32Array(sizeOf(extents) * channels);
  // Planes, rows and the pixels of a row; an image has one plane.
  const [planes, rows, columns] = extents.length === 3 ? extents : [1, ...extents];
  const [z, y, x] = origin.length === 3 ? origin : [0, ...origin];
  const [height, width] = shape.slice(-3, -1);
  for (let plane = 0; plane < planes; plane++) {
    for (let row = 0; row < rows; row++) {
      const from = (((z + plane) * height + y + row) * width + x) * channels;
      result.set(
        data.subarray(from, from + columns * channels),
        (plane * rows + row) * columns * channels,
      );
    }
  }
  return { shape: [...extents, channels], data: result };
}
