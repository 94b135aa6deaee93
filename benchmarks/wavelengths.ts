/** Tests at other wavelengths: the robustness that Lim et al. 2020 claim (IEEE TCI 6, Tables I and II). */

import { UsageError } from "../core/errors.ts";
import type { Settings, Values } from "../core/settings.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { Metric } from "../metrics/metric.ts";
import type { Condition } from "./benchmark.ts";

/** The setting of {@linkcode atWavelengths}. */
export const wavelengthSettings = {
  wavelengths: {
    default: "",
    about:
      "wavelengths in nm, e.g. 400,500,600,610, that the test samples are measured and scored at besides",
  },
} as const satisfies Settings;

/**
 * A condition for each wavelength, under which `metrics` are scored: the test samples are measured at it, while methods
 * believe in what they trained with.
 *
 * @throws {UsageError} for what is no wavelength, and where the point spread function is a Gaussian, which has none.
 */
export function atWavelengths(
  { wavelengths, psfSigmaNm }: Values<typeof wavelengthSettings> & { readonly psfSigmaNm: number },
  metrics: readonly Metric[],
): Condition[] {
  const texts = wavelengths.split(",").map((text) => text.trim()).filter((text) => text !== "");
  for (const text of texts) {
    if (/^\d+(\.\d+)?$/.test(text) && Number(text) > 0) continue;
    throw new UsageError({
      what: `"${text}" is no wavelength`,
      where: "--wavelengths",
      fix: "give nanometres, e.g. --wavelengths 400,500,600",
    });
  }
  if (texts.length > 0 && psfSigmaNm > 0) {
    throw new UsageError({
      what: "a Gaussian of a given width does not depend on the wavelength",
      where: "--wavelengths with --psf-sigma-nm",
      fix: "leave one of the two out",
    });
  }
  return [...new Set(texts)].map((text) => ({
    name: `${text}nm`,
    about: `at ${text} nm`,
    settings: { measuredWith: `${text}nm` },
    metrics,
  }));
}

/**
 * Measurements as they are, which nothing can be measured with any more.
 *
 * @throws {UsageError} where another microscope is asked for.
 */
export function asMeasured<D extends Pick<Dataset, "contents">>(
  stacks: D,
  { wavelengths, measuredWith }: Values<typeof wavelengthSettings> & { readonly measuredWith: string },
): D {
  if (stacks.contents.holds === "images" || (wavelengths.trim() === "" && measuredWith === "")) return stacks;
  throw new UsageError({
    what: "these data were measured already, and cannot be measured in another way",
    where: measuredWith === "" ? "--wavelengths" : "--set measured-with",
    fix: "leave it out, or give images: the embedded ones, or stacks named …_ground_truth",
  });
}
