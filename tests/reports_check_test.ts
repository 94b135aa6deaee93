/** The words of the quality gate: well-formed and safe wherever they are shown, whatever rows are called. */

import assert from "node:assert/strict";
import { JSDOM } from "jsdom";
import { checkJunit, checkLines, checkMarkdown, overall, overallText, type Pair } from "../reports/check.ts";
import type { Checked } from "../results/baseline.ts";
import { judgeChecks } from "../results/regression.ts";

const hostile = 'a<b>&"c"|d\u202e\u0007';

/** A check of three rows whose seeds score so. */
function made(scores: Readonly<Record<string, readonly number[]>>, arithmetic = "fma"): Checked {
  return {
    benchmark: "mri",
    metric: { id: "psnr", convention: "fastmri", unit: "dB", better: "higher", about: "" },
    identity: {},
    provenance: { arithmetic, commit: "c0ffee00c0ffee" },
    samples: [["s1", ""]],
    rows: Object.entries(scores).map(([name, seeds]) => ({
      name,
      margin: 0.3,
      settings: { rate: seeds.length },
      jobs: seeds.map((score, at) => ({
        seed: at + 1,
        state: { kind: "done" },
        weights: `${score}`,
        scores: [score],
      })),
    })),
  };
}

const before = made({ [hostile]: [29, 29.1, 29.2, 29.1], same: [25, 25], noisy: [18.6, 19.4, 19, 19.2] });
const after = made({ [hostile]: [28, 28.1, 28.2], same: [25, 25], noisy: [18.8, 19.4] }, "muladd");
const pairs: Pair[] = [[before, after]];
const findings = judgeChecks(pairs);

Deno.test("the outcome of a check is the worst of its rows, and its sentence counts all", () => {
  assert.deepEqual(findings.map(({ outcome }) => outcome), ["regression", "identical", "inconclusive"]);
  assert.equal(overall(findings), "regression");
  assert.equal(overall(findings.slice(1)), "inconclusive");
  assert.equal(overall(findings.slice(1, 2)), "identical");
  assert.equal(
    overallText(findings),
    "3 rows checked: 1 worse than the baseline, 1 inconclusive, 1 bit-identical.",
  );
});

Deno.test("JUnit XML is well-formed: a failure, a skip, and the rest passed, each with its numbers", () => {
  const { window } = new JSDOM("");
  const page = new window.DOMParser().parseFromString(checkJunit(pairs, findings), "text/xml");
  assert.equal(page.querySelector("parsererror"), null);
  const suite = page.querySelector("testsuites > testsuite")!;
  assert.deepEqual(
    ["name", "tests", "failures", "skipped", "errors"].map((name) => suite.getAttribute(name)),
    ["mri", "3", "1", "1", "0"],
  );
  const [failed, passed, skipped] = suite.querySelectorAll("testcase");
  assert.match(failed.getAttribute("name")!, /^a<b>&"c"\|d.*: PSNR fastmri$/);
  assert.match(
    failed.querySelector("failure")!.getAttribute("message")!,
    /29\.10 → 28\.10 dB: worse by 1\.00 \(−/,
  );
  assert.match(passed.querySelector("system-out")!.textContent!, /to the bit/);
  assert.match(skipped.querySelector("skipped")!.getAttribute("message")!, /seeds? would decide/);
});

Deno.test("on a terminal and in Markdown a row stays one line, and other arithmetic and settings are told", () => {
  const text = checkLines(pairs, findings);
  assert.match(text, /note: arithmetic is muladd here and fma there, so no bits are the same/);
  assert.match(text, /baseline made at commit c0ffee0, arithmetic fma/);
  assert.match(text, /rate: 4 there, 3 here/);
  const nameless = pairs.map(([before, after]) =>
    [{ ...before, provenance: { ...before.provenance, commit: null } }, after] as const
  );
  assert.match(checkLines(nameless, findings), /baseline names no commit, arithmetic fma/);
  // deno-lint-ignore no-control-regex -- that is what must not be there
  assert.doesNotMatch(text, /[\u0007\u202e]/);
  const table = checkMarkdown(pairs, findings).split("\n").filter((line) => line.startsWith("| "));
  assert.equal(table.length, 5);
  for (const line of table) assert.equal(line.replaceAll("\\|", "").split("|").length, 5, line);
});

Deno.test("a metric without a unit is judged by its own margin, and told without one", () => {
  const correlation = (scores: readonly number[]): Checked => {
    const { rows, ...check } = made({ "deep-storm": scores });
    return {
      ...check,
      benchmark: "smlm",
      metric: { id: "density-correlation", convention: "pearson", unit: "", better: "higher", about: "" },
      rows: rows.map((row) => ({ ...row, margin: 0.01 })),
    };
  };
  const known = correlation([0.886, 0.888, 0.887, 0.891]);
  const texts = [[0.866, 0.868], [0.886, 0.8884]].map((scores) => {
    const now: Pair = [known, correlation(scores)];
    return checkLines([now], judgeChecks([now]));
  });
  assert.match(texts[0], /REGRESSION +deep-storm +0\.888 → 0\.867: worse by 0\.0210 \(/);
  assert.match(texts[1], /pass +deep-storm +0\.888 → 0\.887: worse by 8\.0e-4 \(/);
});
