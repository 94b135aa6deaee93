import { deepStrictEqual } from "node:assert/strict";
import { deconvolution, deconvolutionSettings } from "../benchmarks/deconvolution.ts";
import { resolve } from "../core/settings.ts";

Deno.test("a run of deconvolution is known by the files that its settings name, whatever their names end in", () => {
  const files = (psf: string, measuredWith: string) =>
    deconvolution.files!(resolve(deconvolutionSettings, { psf, measuredWith }, "test"));
  deepStrictEqual(files("", ""), []);
  deepStrictEqual(files("measured-psf", "610nm"), ["measured-psf"]);
  deepStrictEqual(files("psf.tif", "bead.TIFF"), ["psf.tif", "bead.TIFF"]);
});
