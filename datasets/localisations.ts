/**
 * Localisations: where emitters are, or are believed to be, frame by frame.
 *
 * Tables differ in unit, in which frame is the first, and by half a pixel in where the origin is. Here all are brought to
 * one convention: x runs along the columns and y along the rows, in nm from the outer corner of the first pixel, so that
 * pixel (row, column) covers [column·p, (column + 1)·p) × [row·p, (row + 1)·p); the first frame is 0. What a table says and
 * what was taken for granted stands in `said`.
 */

import { explain } from "../core/errors.ts";
import type { Points } from "../core/points.ts";
import { HdfReader } from "./formats/hdf5.ts";
import { type Column, parseLocalisations } from "./formats/localisation_text.ts";

/** A table of localisations, sorted by frame. */
export interface Localisations extends Points {
  /** From 0. */
  readonly frame: Int32Array;
  /** What the table says of units, origin and frames, and what was taken for granted. */
  readonly said: readonly string[];
}

/** Where a table's origin is: at the outer corner of the first pixel, or at its centre. */
export type Origin = "corner" | "centre";

/** What a table does not say, or says wrongly. */
export interface LocalisationOptions {
  /** Size of a camera pixel, for tables in pixels and for those whose origin is a pixel's centre. */
  readonly pixelSizeNm?: number;
  /** In place of the writer's own convention. */
  readonly origin?: Origin;
  /** The number of the first frame, in place of the writer's own convention. */
  readonly firstFrame?: number;
}

/** What each writer means: origin, and number of the first frame. Held to the frames that the tables were made of. */
const conventions: Readonly<Record<string, { origin: Origin; firstFrame: number }>> = {
  "ThunderSTORM": { origin: "corner", firstFrame: 1 },
  "plain CSV": { origin: "corner", firstFrame: 1 },
  "rapidSTORM": { origin: "centre", firstFrame: 0 },
  "Picasso": { origin: "centre", firstFrame: 0 },
};

const nanometres: Readonly<Record<string, number>> = {
  nm: 1,
  nanometer: 1,
  um: 1e3,
  "µm": 1e3,
  micrometer: 1e3,
};
const pixels = ["px", "pixel", "pixels"];

// The largest text that is read at once; a localisation has about 30 bytes.
const mostBytes = 256 * 2 ** 20;

// Frames are counted in 32 bits.
const lastFrame = 2 ** 31 - 1;

/**
 * Reads a table: ThunderSTORM's CSV, CSV with units in its header, rapidSTORM's text, or Picasso's HDF5.
 *
 * @throws {SyntaxError} where it is no such table.
 * @throws {TypeError} where a unit or a pixel size is neither said nor given.
 * @throws {RangeError} where a position or a frame is no number.
 */
export async function readLocalisations(
  path: string,
  options: LocalisationOptions = {},
): Promise<Localisations> {
  const { by, columns } = /\.h(?:df)?5$/i.test(path) ? await readPicasso(path) : await readText(path);
  const column = (name: string): Column => {
    const found = columns.find((column) => column.name === name);
    if (found !== undefined) return found;
    throw new SyntaxError(explain({
      what: `it has no column "${name}": it has ${columns.map(({ name }) => `"${name}"`).join(", ")}`,
      where: path,
      fix: 'give a header such as frame,x_nm,y_nm or "frame","x [nm]","y [nm]"',
    }));
  };
  const [x, y, frame] = [column("x"), column("y"), column("frame")];
  const { origin, firstFrame } = { ...conventions[by], ...given(options) };
  const scale = scaleOf(x, path, options.pixelSizeNm);
  if (scaleOf(y, path, options.pixelSizeNm) !== scale) {
    throw new TypeError(explain({
      what: `x is in ${x.unit} and y in ${y.unit}`,
      where: path,
      fix: "write both in nm",
    }));
  }
  if (origin === "centre" && options.pixelSizeNm === undefined) {
    throw new TypeError(explain({
      what: `${by} counts from the centre of the first pixel, and nobody says how large a pixel is`,
      where: path,
      fix: "give the pixel size, e.g. --pixel-nm 100",
    }));
  }
  const source = (isGiven: boolean) =>
    isGiven
      ? "as given"
      : by === "plain CSV"
      ? "taken for granted, since it does not say"
      : `as ${by} counts`;
  const shift = origin === "centre" ? options.pixelSizeNm! / 2 : 0;
  const count = frame.values.length;
  for (let i = 0; i < count; i++) {
    const index = frame.values[i] - firstFrame;
    const inFrames = Number.isInteger(index) && index >= 0 && index <= lastFrame;
    if (inFrames && Number.isFinite(x.values[i]) && Number.isFinite(y.values[i])) continue;
    throw new RangeError(explain({
      what:
        `localisation ${i + 1} is at x ${x.values[i]}, y ${y.values[i]} in frame ${
          frame.values[i]
        }; the first ` +
        `frame is ${firstFrame}`,
      where: path,
      fix: inFrames
        ? "leave it out"
        : "number the frames from there on, at most two thousand millions, or say which is the first",
    }));
  }
  const order = Array.from({ length: count }, (_, i) => i);
  order.sort((a, b) => frame.values[a] - frame.values[b] || a - b);
  return {
    frame: Int32Array.from(order, (i) => frame.values[i] - firstFrame),
    xNm: Float64Array.from(order, (i) => x.values[i] * scale + shift),
    yNm: Float64Array.from(order, (i) => y.values[i] * scale + shift),
    said: [
      `${by}: positions in ${x.unit}${scale === options.pixelSizeNm ? ` of ${scale} nm` : ""}, as it says`,
      `from the ${origin} of the first pixel, ${source(options.origin !== undefined)}`,
      `the first frame is ${firstFrame}, ${source(options.firstFrame !== undefined)}`,
    ],
  };
}

/** The localisations of one frame. */
export function inFrame({ frame, xNm, yNm }: Localisations, index: number): Points {
  const [from, to] = [firstAtLeast(frame, index), firstAtLeast(frame, index + 1)];
  return { xNm: xNm.subarray(from, to), yNm: yNm.subarray(from, to) };
}

function firstAtLeast(sorted: Int32Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function given({ origin, firstFrame }: LocalisationOptions) {
  return { ...(origin && { origin }), ...(firstFrame !== undefined && { firstFrame }) };
}

/** nm of one unit of the column. */
function scaleOf({ name, unit }: Column, path: string, pixelSizeNm: number | undefined): number {
  const plain = unit?.trim().replace("μ", "µ").toLowerCase();
  if (plain !== undefined && Object.hasOwn(nanometres, plain)) return nanometres[plain];
  if (plain !== undefined && pixels.includes(plain)) {
    if (pixelSizeNm !== undefined) return pixelSizeNm;
    throw new TypeError(explain({
      what: `"${name}" is in pixels, and nobody says how large a pixel is`,
      where: path,
      fix: "give the pixel size, e.g. --pixel-nm 100",
    }));
  }
  throw new TypeError(explain({
    what: unit === undefined
      ? `"${name}" has no unit`
      : `"${name}" is in "${unit}", which is no unit of length here`,
    where: path,
    fix: `write the unit into the header, e.g. "${name} [nm]", "${name}_nm" or "${name} [px]"`,
  }));
}

async function readText(path: string): Promise<{ by: string; columns: readonly Column[] }> {
  const { size } = await Deno.stat(path);
  if (size > mostBytes) {
    throw new SyntaxError(explain({
      what: `it has ${Math.ceil(size / 2 ** 20)} MB, more than the ${
        mostBytes / 2 ** 20
      } MB that are read at once`,
      where: path,
      fix: "leave columns out that are not needed, or split it by frames",
    }));
  }
  try {
    return parseLocalisations(await Deno.readTextFile(path));
  } catch (cause) {
    throw new SyntaxError(
      explain({
        what: `cannot read the table of localisations: ${(cause as Error).message}`,
        where: path,
        fix:
          'give a header such as frame,x_nm,y_nm or "frame","x [nm]","y [nm]", and a row of numbers a line',
      }),
      { cause },
    );
  }
}

/** Picasso (J. Schnitzbauer et al., Nature Protocols 12, 2017): records in "locs", positions in camera pixels. */
async function readPicasso(path: string): Promise<{ by: string; columns: readonly Column[] }> {
  using reader = new HdfReader();
  const names = ["frame", "x", "y"];
  const columns = await reader.columns(path, "locs", names);
  return {
    by: "Picasso",
    columns: names.map((name, i) => ({
      name,
      unit: name === "frame" ? undefined : "px",
      values: columns[i],
    })),
  };
}
