/**
 * Cartesian sampling masks: which phase-encoding lines of k-space are measured.
 *
 * Lines run along the height of an image and are numbered along its width, so a mask of an image of width W
 * is a set of line numbers in [0, W), with the lowest frequency at ⌊W/2⌋. Every mask holds a block of central
 * lines, the auto-calibration signal (ACS).
 */

import { explain, suggest } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import { numpyRandom } from "./numpy_random.ts";

/** Line numbers that are measured, ascending, each once. */
export type Lines = readonly number[];

/** The ways of choosing lines, the default first. */
export const maskKinds = [
  "random",
  "equispaced",
  "fastmri",
  "fastmri-equispaced",
  "random-with-replacement",
] as const;

/** One of {@linkcode maskKinds}. */
export type MaskKind = typeof maskKinds[number];

/** What a mask is to be like. */
export interface MaskSettings {
  readonly kind: MaskKind;
  /** How many times fewer lines than a full measurement, at least 1. */
  readonly acceleration: number;
  /** Share of the lines that the ACS block takes, in [0, 1]. */
  readonly acs: number;
}

/**
 * Chooses the lines of an image of `width` lines.
 *
 * - `random`: round(W / acceleration) lines exactly, the ACS block among them; the others are drawn without
 *   replacement, each equally likely.
 * - `equispaced`: as many, the others evenly spread over what lies outside the ACS block, from a random
 *   start.
 * - `random-with-replacement`: the public code of OT-cycleGAN for MRI (okt0711/cycleGAN_AccMRI): ⌊W /
 *   acceleration⌋ draws from [1, W) with replacement, and the ACS block besides. Some draws meet, some fall
 *   into the block: at 4x with an ACS of 8 % about one line in 3.5 is measured.
 *
 * `fastmri` and `fastmri-equispaced` are drawn by {@linkcode fastmriLines}, since they take a file name.
 *
 * @throws {RangeError} where there are fewer lines than the ACS block needs, or none at all.
 */
export function drawLines(width: number, settings: MaskSettings, rng: Rng): Lines {
  const { kind, acceleration, acs } = settings;
  const block = centralLines(width, checked(width, acceleration, acs));
  const outside = range(width).filter((line) => !block.includes(line));
  if (kind === "random-with-replacement") {
    const draws = Array.from({ length: Math.floor(width / acceleration) }, () => 1 + rng.integer(width - 1));
    return ascending([...block, ...draws]);
  }
  const rest = Math.round(width / acceleration) - block.length;
  if (rest < 0 || rest + block.length === 0) {
    throw new RangeError(explain({
      what: `${acceleration}x acceleration of ${width} lines leaves ${rest + block.length} lines, ` +
        `and the ACS block alone takes ${block.length}`,
      where: "mask",
      fix: "lower acceleration or acs",
    }));
  }
  switch (kind) {
    case "random":
      return ascending([...block, ...rng.shuffled(outside).slice(0, rest)]);
    case "equispaced": {
      const start = rng.uniform();
      const spread = range(rest).map((i) => outside[Math.floor((i + start) * outside.length / rest)]);
      return ascending([...block, ...spread]);
    }
    default:
      throw new TypeError(explain({
        what: `masks of kind "${kind}" are not drawn from a stream`,
        where: "mask",
        fix: suggest(kind, maskKinds),
      }));
  }
}

/**
 * The lines of fastMRI's own masks, which published numbers were made with (facebookresearch/fastMRI,
 * `fastmri/data/subsample.py`): drawn from `RandomState` seeded by the character codes of the file's name, so
 * that all slices of a volume share a mask. The number of lines is right on average only.
 *
 * - `fastmri`: `RandomMaskFunc`, each line outside the ACS block with one probability;
 * - `fastmri-equispaced`: `EquispacedMaskFractionFunc`, a comb whose spacing makes up for the ACS block.
 *
 * @param fileName with its ending and without its folder, e.g. `"file1000031.h5"`.
 */
export function fastmriLines(
  width: number,
  settings: MaskSettings & { readonly kind: "fastmri" | "fastmri-equispaced" },
  fileName: string,
): Lines {
  const { kind, acceleration, acs } = settings;
  const low = checked(width, acceleration, acs);
  const rng = numpyRandom(Array.from(fileName, (character) => character.codePointAt(0)!));
  const block = centralLines(width, low);
  if (kind === "fastmri") {
    const probability = (width / acceleration - low) / (width - low);
    return ascending([...block, ...range(width).filter(() => rng.uniform() < probability)]);
  }
  const spacing = acceleration * (low - width) / (low * acceleration - width);
  if (!(spacing > 0.5 && spacing < width)) {
    throw new RangeError(explain({
      what:
        `fastMRI's equispaced mask has no spacing where ${low} of ${width} lines are ACS at ${acceleration}x`,
      where: "mask",
      fix: "lower acceleration or acs",
    }));
  }
  const start = rng.integer(roundHalfEven(spacing));
  const comb = range(Math.max(0, Math.ceil((width - 1 - start) / spacing)));
  return ascending([...block, ...comb.map((i) => roundHalfEven(start + i * spacing))]);
}

/**
 * The `count` central lines, placed as fastMRI does: evenly about the lowest frequency where `count` is odd.
 */
export function centralLines(width: number, count: number): Lines {
  const first = Math.floor((width - count + 1) / 2);
  return range(count).map((i) => first + i);
}

/**
 * The run of measured lines about the lowest frequency: the ACS block, with neighbours that happen to be
 * measured.
 */
export function calibrationLines(width: number, lines: Lines): Lines {
  const measured = new Set(lines);
  const centre = Math.floor(width / 2);
  if (!measured.has(centre)) return [];
  let [first, last] = [centre, centre];
  while (measured.has(first - 1)) first -= 1;
  while (measured.has(last + 1)) last += 1;
  return range(last - first + 1).map((i) => first + i);
}

/** Refuses lines that an image of `width` lines does not have. */
export function requireLines(width: number, lines: Lines): void {
  const strange = lines.find((line) => !Number.isInteger(line) || line < 0 || line >= width);
  if (strange !== undefined || lines.length === 0) {
    throw new RangeError(explain({
      what: strange === undefined
        ? "no k-space line is measured"
        : `k-space line ${strange} is not in [0, ${width})`,
      where: "mask",
      fix: "number the measured lines along the width, the lowest frequency being ⌊width/2⌋",
    }));
  }
}

/** Number of ACS lines. */
function checked(width: number, acceleration: number, acs: number): number {
  const refuse = (what: string, fix: string): never => {
    throw new RangeError(explain({ what, where: "mask", fix }));
  };
  if (!Number.isInteger(width) || width < 2) {
    refuse(`no mask has ${width} lines`, "give a whole width of at least 2");
  }
  if (!(acceleration >= 1)) refuse(`acceleration cannot be ${acceleration}`, "give a number of at least 1");
  if (!(acs >= 0 && acs <= 1)) refuse(`the ACS share cannot be ${acs}`, "give a share between 0 and 1");
  return roundHalfEven(width * acs);
}

/** Python's `round`: halves go to the even neighbour. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function ascending(lines: readonly number[]): Lines {
  return [...new Set(lines)].sort((a, b) => a - b);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
