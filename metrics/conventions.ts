/** What conventions have in common: their names and the range of values that they assume. */

import { explain, suggest } from "../core/errors.ts";
import type { Image } from "../core/image.ts";
import { maximum } from "./scoring.ts";

/** The conventions of METRICS.md that these metrics know. */
export type Convention = "fastmri" | "wang2004" | "paper";

/** The range of values that images can have: given, or taken from the truth of each image. */
export type ValueRange = number | "truth-maximum";

/** The range of one image under a setting. */
export function rangeOf(truth: Image, range: ValueRange): number {
  return range === "truth-maximum" ? maximum([truth]) : range;
}

/** The range in words, for captions. */
export function wordsOf(range: ValueRange): string {
  return range === "truth-maximum" ? "range its largest true value" : `range ${range}`;
}

/** Refuses a convention that a metric does not have; `further` ones are known elsewhere, and suggested too. */
export function requireConvention<C extends string>(
  metric: string,
  convention: C,
  known: Readonly<Record<C, string>>,
  further: readonly string[] = [],
): C {
  if (Object.hasOwn(known, convention)) return convention;
  throw new TypeError(explain({
    what: `${metric} has no convention "${convention}"`,
    where: metric,
    fix: suggest(convention, [...Object.keys(known), ...further]),
  }));
}

/** Refuses a range that was left out: for float images nobody can guess it. */
export function requireRange(metric: string, range: ValueRange | undefined): asserts range is ValueRange {
  if (range === undefined) {
    throw new TypeError(explain({
      what: `${metric} by "wang2004" needs the range of the values`,
      where: metric,
      fix: `give { range: 255 } for bytes, { range: 1 } for images in [0, 1], or { range: "truth-maximum" }`,
    }));
  }
  if (range !== "truth-maximum") requirePositive(metric, range);
}

/** Refuses a range that is no positive number. */
export function requirePositive(metric: string, range: number): void {
  if (range > 0 && Number.isFinite(range)) return;
  throw new RangeError(explain({
    what: `${metric} cannot have the range ${range}`,
    where: metric,
    fix: "give the difference between the greatest and the least value that images can have",
  }));
}
