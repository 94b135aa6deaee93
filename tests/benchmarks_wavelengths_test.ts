import assert from "node:assert/strict";
import { asMeasured, atWavelengths } from "../benchmarks/wavelengths.ts";
import type { Contents } from "../datasets/dataset.ts";
import { metricsUnder } from "../harness/evaluate.ts";
import { meanAbsoluteError } from "./toy.ts";

Deno.test("each wavelength is one condition more, and is measured with", () => {
  const conditions = atWavelengths({ wavelengths: "400, 610,400", psfSigmaNm: 0 }, [meanAbsoluteError]);
  assert.deepEqual(conditions.map(({ name, settings }) => [name, settings]), [
    ["400nm", { measuredWith: "400nm" }],
    ["610nm", { measuredWith: "610nm" }],
  ]);
  const [{ id, condition }] = metricsUnder(conditions[1]);
  assert.deepEqual([id, condition], [`${meanAbsoluteError.id}-610nm`, "at 610 nm"]);
  assert.deepEqual(atWavelengths({ wavelengths: "", psfSigmaNm: 150 }, []), []);
});

Deno.test("what is no wavelength is refused, and so are wavelengths of a Gaussian, which has none", () => {
  assert.throws(() => atWavelengths({ wavelengths: "blue", psfSigmaNm: 0 }, []), /"blue" is no wavelength/);
  assert.throws(
    () => atWavelengths({ wavelengths: "400", psfSigmaNm: 150 }, []),
    /does not depend on the wavelength/,
  );
});

Deno.test("measurements cannot be measured with another microscope, images can", () => {
  const data = (holds: Contents["holds"]) => ({ contents: { holds } as Contents });
  const [stack, truth] = [data("measurements"), data("images")];
  const [as, other] = [{ wavelengths: "", measuredWith: "" }, { wavelengths: "", measuredWith: "g2.62" }];
  assert.equal(asMeasured(stack, as), stack);
  assert.equal(asMeasured(truth, other), truth);
  assert.throws(() => asMeasured(stack, other), /measured already[^]*measured-with/);
  assert.throws(() => asMeasured(stack, { ...as, wavelengths: "400" }), /measured already[^]*--wavelengths/);
});
