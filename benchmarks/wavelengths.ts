/** Tests at other wavelengths: the robustness that Lim et al. 2020 claim (IEEE TCI 6, Tables I and II). */

import { UsageError } from "../core/errors.ts";
import type { Settings, Values } from "../core/settings.ts";
import type { Condition } from "./benchmark.ts";

/** The setting of {@linkcode atWavelengths}. */
export const wavelengthSettings = {
  wavelengths: {
    default: "",
    about:
      "wavelengths in nm, e.g. 400,500,600,610, that the test samples are measured and scored at besides",
  },
} as const satisfies Settings;

/** A condition for each wavelength: the test samples are measured at it, while methods believe in what they trained with. */
export function atWavelengths({ wavelengths }: Values<typeof wavelengthSettings>): Condition[] {
  const texts = wavelengths.split(",").map((text) => text.trim()).filter((text) => text !== "");
  for (const text of texts) {
    if (/^\d+(\.\d+)?$/.test(text) && Number(text) > 0) continue;
    throw new UsageError({
      what: `"${text}" is no wavelength`,
      where: "--wavelengths",
      fix: "give nanometres, e.g. --wavelengths 400,500,600",
    });
  }
  return [...new Set(texts)].map((text) => ({
    name: `${text}nm`,
    about: `at ${text} nm`,
    settings: { measuredWith: `${text}nm` },
  }));
}
