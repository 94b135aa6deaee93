/**
 * Conventions for images in HU: within a display window, `ct-window:CENTRE/WIDTH`, and on the full range of 12 bits, `hu`.
 *
 * SSIM depends on where the values begin. So images are shown from the window's lower end, as if it were mapped to [0, 1]
 * and all values divided by the same width.
 */

import { explain } from "../core/errors.ts";
import type { Image } from "../core/image.ts";
import type { Pair } from "./scoring.ts";

/** `hu`, or a window by its centre and width, e.g. `ct-window:40/600` for −260 to 340 HU. */
export type HounsfieldConvention = "hu" | `ct-window:${number}/${number}`;

/** What they look like, for suggestions. */
export const hounsfieldConventions: readonly HounsfieldConvention[] = ["hu", "ct-window:40/600"];

/** A range of HU. */
export interface HounsfieldRange {
  /** Its lower end in HU. */
  readonly low: number;
  /** Its width in HU: the range of the values that are shown. */
  readonly width: number;
  /** For captions, after "PSNR of each image". */
  readonly words: string;
  /** Whether what lies outside is shown as the nearer end; without that, no error is hidden. */
  readonly clips: boolean;
}

/** Names of usual windows. */
const names: Readonly<Record<string, string>> = {
  "40/600": "wide abdomen",
  "50/400": "abdomen",
  "-600/1500": "lung",
  "400/1800": "bone",
};

/**
 * The range of a convention; undefined for a convention that is not about HU.
 *
 * @throws {TypeError} for a window that is not two numbers, or has no width.
 */
export function hounsfieldRange(convention: string): HounsfieldRange | undefined {
  if (convention === "hu") {
    return {
      low: -1024,
      width: 4095,
      clips: false,
      words: "on the full range of 12 bits, −1024 to 3071 HU, nothing clipped",
    };
  }
  if (!convention.startsWith("ct-window:")) return undefined;
  const window = convention.slice("ct-window:".length);
  const [centre, width, ...rest] = window.split("/").map((text) => text.trim() === "" ? NaN : Number(text));
  if (!(Number.isFinite(centre) && width > 0 && Number.isFinite(width)) || rest.length > 0) {
    throw new TypeError(explain({
      what: `"${window}" is no CT window`,
      where: `convention "${convention}"`,
      fix: "give its centre and its width in HU, e.g. ct-window:40/600",
    }));
  }
  const name = Object.hasOwn(names, window) ? `${names[window]}, ` : "";
  const [low, high] = [centre - width / 2, centre + width / 2].map((end) => String(end).replace("-", "−"));
  return {
    low: centre - width / 2,
    width,
    clips: true,
    words: `in the window ${
      window.replace("-", "−")
    } (${name}${low} to ${high} HU), mapped to [0, 1], range 1`,
  };
}

/** Both images as the range shows them: from 0 at its lower end, to its width at the upper. */
export function shownIn({ low, width, clips }: HounsfieldRange, { reconstruction, truth }: Pair): Pair {
  const shown = ({ shape, data }: Image): Image => ({
    shape,
    data: data.map((value) => clips ? Math.min(Math.max(value - low, 0), width) : value - low),
  });
  return { reconstruction: shown(reconstruction), truth: shown(truth) };
}
