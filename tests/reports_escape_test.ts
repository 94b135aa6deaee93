import assert from "node:assert/strict";
import Papa from "papaparse";
import { csvField, latexText, markdownText, visible, xmlText } from "../reports/escape.ts";

Deno.test("csvField() is read back as it was by an independent parser, commas and quotes and all", () => {
  const fields = ["a", "a,b", 'say "no"', '","', "", " padded ", "Größe ½", "-1.5", "-Inf"];
  const { data, errors } = Papa.parse(fields.map(csvField).join(",") + "\n", { skipEmptyLines: true });
  assert.deepEqual(errors, []);
  assert.deepEqual(data, [fields]);
});

Deno.test("csvField() writes numbers so that they are read back to the last bit", () => {
  for (const value of [0.1 + 0.2, 1e-300, -5e21, 119432]) assert.equal(Number(csvField(value)), value);
});

Deno.test("csvField() takes the power from formulas", () => {
  for (
    const formula of ["=1+1", "+cmd", "-2+3", "@SUM(A1)", '=HYPERLINK("http://x")', " =1", "\t=1", "＝1"]
  ) {
    assert.match(csvField(formula), /^"?'/, formula);
  }
});

Deno.test("visible() keeps a text on one line and shows what cannot be seen", () => {
  assert.equal(visible("a\r\nb\tc"), "a b c");
  assert.equal(visible("\x1b[31m\x00\u202e\u2028\ud800"), "\\u{1b}[31m\\u{0}\\u{202e}\\u{2028}\\u{d800}");
  assert.equal(visible("½·ℓ_cycle 你好 😀"), "½·ℓ_cycle 你好 😀");
});

Deno.test("markdownText() leaves no character that Markdown would read", () => {
  assert.equal(markdownText("a_b|c*"), "a\\_b\\|c\\*");
  assert.equal(markdownText("# no heading"), "\\# no heading");
  assert.equal(markdownText("<img src=x>&amp;"), "\\<img src=x\\>\\&amp;");
  assert.equal(markdownText("ot-cyclegan 1.5"), "ot-cyclegan 1.5");
});

Deno.test("xmlText() closes no quote and opens no tag", () => {
  assert.equal(xmlText(`"><script>'&`), "&quot;&gt;&lt;script&gt;&#39;&amp;");
});

Deno.test("latexText() sets special characters, mathematics, accents, and numbers for what is left", () => {
  assert.equal(
    latexText("50% of a_b & #1 {x} \\input"),
    "50\\% of a\\_b \\& \\#1 \\{x\\} \\textbackslash{}input",
  );
  assert.equal(latexText("½·ℓ ± ∞ ≠"), "$\\frac{1}{2}$$\\cdot$$\\ell$ $\\pm$ $\\infty$ $\\ne$");
  assert.equal(latexText("Schönlieb, naïve, x̂"), 'Sch{\\"{o}}nlieb, na{\\"{\\i}}ve, {\\^{x}}');
  assert.equal(latexText("中"), "{[}U+4E2D{]}");
});
