import assert from "node:assert/strict";
import { claims } from "../benchmarks/claims.ts";
import { benchmarks } from "../commands/suite.ts";
import { metricsUnder } from "../harness/evaluate.ts";
import { latexFragment } from "../reports/latex.ts";
import { markdownTable } from "../reports/markdown.ts";
import { terminalVerdicts } from "../reports/verdict_words.ts";
import { judge, type Verdict, verdictsJson } from "../reports/verdicts.ts";
import { statisticsCsv } from "../reports/csv.ts";
import type { ResultRecord } from "../results/record.ts";
import type { Claim, Run } from "../results/run.ts";
import { summarise } from "../results/summary.ts";
import { stream } from "../core/random.ts";
import { metrics, record, row, run, score } from "./reports_made_run.ts";

const rng = stream("tests/verdicts");
const noise = Array.from({ length: 200 }, () => rng.normal());
const diverged = { kind: "diverged", update: 9, reason: "NaN" } as const;
const failed = { kind: "failed", reason: "out of memory" } as const;

/** Rows whose PSNR is so many decibels, and differs by `spread` between subjects and by `drift` between seeds. */
function made(
  levels: Readonly<Record<string, number>>,
  { subjects = 12, seeds = [1, 2, 3], drift = 0.01, metric = 0, spread = 0.1 } = {},
): Run {
  const names = Object.keys(levels);
  const records = names.flatMap((name, at) =>
    seeds.map((seed) =>
      record(
        name,
        seed,
        Array.from({ length: subjects }, (_, s) => {
          const own = spread * noise[12 * at + s] + drift * noise[100 + 3 * at + seed % 3];
          return score(metric, `s${s}`, metric === 0 ? "" : "a", levels[name] + noise[s] + own);
        }),
      )
    )
  );
  return run(names.map((name) => row(name, true)), records, { seeds });
}

function claim(direction: Claim["direction"], more: Partial<Claim> = {}): Claim {
  const said = { benchmark: "mri", claim: "a beats b", source: "A paper, Table 1" };
  return { ...said, methods: ["a", "b"], metric: "psnr", direction, ...more };
}

function verdictOn(made: Run, ...asked: Claim[]): Verdict {
  return judge({ ...made, file: { ...made.file, claims: asked } }, summarise(made))[0];
}

function withState(made: Run, method: string, seed: number, state: ResultRecord["state"]): Run {
  return {
    ...made,
    records: made.records.map((one) => one.method === method && one.seed === seed ? { ...one, state } : one),
  };
}

Deno.test("an ordering is reproduced, contradicted or undecided as the difference is surely so, surely not, or neither", () => {
  assert.equal(verdictOn(made({ a: 25, b: 20 }), claim("better")).outcome, "reproduced");
  assert.equal(verdictOn(made({ a: 20, b: 25 }), claim("better")).outcome, "contradicted");
  const neither = verdictOn(made({ a: 20, b: 20 }, { spread: 1 }), claim("better"));
  assert.deepEqual([neither.outcome, neither.reason], [
    "undecided",
    "the difference is not significant over subjects",
  ]);
});

Deno.test("better is what the metric calls so, and by more than the margin where there is one", () => {
  const lower = made({ a: 20, b: 25 }, { metric: 3 });
  assert.equal(verdictOn(lower, claim("better", { metric: "data-consistency" })).outcome, "reproduced");
  const half = claim("better", { metric: "data-consistency", margin: 4 });
  assert.equal(verdictOn(lower, half).outcome, "reproduced");
  assert.equal(verdictOn(lower, { ...half, margin: 6 }).outcome, "contradicted");
});

Deno.test("comparable is reproduced within the margin, contradicted beyond it on either side, else undecided", () => {
  const comparable = claim("comparable", { margin: 0.5 });
  assert.equal(verdictOn(made({ a: 20.1, b: 20 }), comparable).outcome, "reproduced");
  for (const a of [18, 22]) assert.equal(verdictOn(made({ a, b: 20 }), comparable).outcome, "contradicted");
  const near = verdictOn(made({ a: 20.5, b: 20 }), comparable);
  assert.equal(near.outcome, "undecided");
  assert.match(near.reason, /neither shown to lie within ±0.5, nor beyond/);
  assert.deepEqual(near.found!.equivalences.map(({ margin }) => margin), [0.5, 0.1]);
});

Deno.test("a part that adds no more than the margin does not earn its place; one that adds more does; one that takes away does harm", () => {
  const part = claim("contributes", { claim: "the adversary", margin: 0.5 });
  const words = (levels: Record<string, number>) => {
    const one = made(levels);
    return terminalVerdicts({ ...one, file: { ...one.file, claims: [part] } });
  };
  assert.match(
    words({ a: 20.05, b: 20 }),
    /Ablation: the adversary does not earn its place here; what the method gains/,
  );
  assert.match(words({ a: 20.2, b: 20 }), /Ablation: the adversary gains less than the margin here\./);
  assert.match(
    words({ a: 23, b: 20 }),
    /Ablation: the adversary earns its place\. a less b: PSNR \+\d\.\d\d dB/,
  );
  assert.match(words({ a: 17, b: 20 }), /Ablation: the adversary does harm here\./);
  assert.match(words({ a: 20.5, b: 20 }), /Ablation: whether the adversary earns its place is undecided/);
  assert.equal(verdictOn(made({ a: 20.05, b: 20 }), part).outcome, "contradicted");
});

Deno.test("rows that are alike for want of learning are not comparable: the second has to beat the input, surely", () => {
  const comparable = claim("comparable", { margin: 0.5, over: "input" });
  assert.equal(verdictOn(made({ a: 25.05, b: 25, input: 20 }), comparable).outcome, "reproduced");
  const vacuous = verdictOn(made({ a: 20.05, b: 20, input: 20.02 }), comparable);
  assert.equal(vacuous.outcome, "undecided");
  assert.match(vacuous.reason, /^b itself is not surely better than input, so being like it says nothing$/);
  assert.equal(verdictOn(made({ a: 22, b: 20, input: 20.02 }), comparable).outcome, "contradicted");
  assert.match(verdictOn(made({ a: 25, b: 25 }), comparable).reason, /the run has no row input/);
  const part = claim("contributes", { margin: 0.5, over: "input" });
  assert.equal(verdictOn(made({ a: 20.05, b: 20, input: 20.02 }), part).outcome, "undecided");
});

const unanswerable: { name: string; made: Run; claim?: Claim; says: RegExp }[] = [
  {
    name: "with four subjects",
    made: made({ a: 30, b: 20 }, { subjects: 4 }),
    says: /^with 4 subjects the smallest reachable p is 0.125$/,
  },
  {
    name: "with one seed",
    made: made({ a: 30, b: 20 }, { seeds: [1] }),
    says: /^one seed says nothing of how seeds differ/,
  },
  { name: "without the row", made: made({ b: 20 }), says: /^the run has no row a$/ },
  {
    name: "without the metric",
    made: made({ a: 30, b: 20 }),
    claim: claim("better", { metric: "frc-truth" }),
    says: /^the run does not measure frc-truth$/,
  },
  {
    name: "under another convention",
    made: made({ a: 30, b: 20 }),
    claim: claim("better", { convention: "wang2004" }),
    says: /does not measure psnr/,
  },
  {
    name: "where every seed of the rival diverged",
    made: [1, 2, 3].reduce((run, seed) => withState(run, "b", seed, diverged), made({ a: 30, b: 20 })),
    says: /^seed 1, seed 2, seed 3 of b diverged, and no score can stand for that$/,
  },
  {
    name: "where a job failed",
    made: withState(made({ a: 30, b: 20 }), "b", 2, failed),
    says: /^seed 2 of b failed, and has to be run again$/,
  },
  {
    name: "before its jobs are done",
    made: { ...made({ a: 30, b: 20 }), records: made({ a: 30, b: 20 }).records.slice(0, -2) },
    says: /^2 jobs of b not finished$/,
  },
  {
    name: "where seeds disagree",
    made: made({ a: 20.4, b: 20 }, { drift: 0.7, spread: 0.02 }),
    says: /^the sign is not the same in every seed$|^at 98 % other subjects or seeds could turn the sign$/,
  },
  {
    name: "where no subject has a score",
    made: run([row("a", false), row("b", false)], [record("a", null, []), record("b", null, [])]),
    says: /^no test subject has a finite score of both rows/,
  },
];
for (const { name, made, claim: asked = claim("better"), says } of unanswerable) {
  Deno.test(`a claim is left undecided ${name}, and the verdict says so`, () => {
    const { outcome, reason } = verdictOn(made, asked);
    assert.equal(outcome, "undecided");
    assert.match(reason, says);
  });
}

Deno.test("a rival's diverged seed does not spare it: the other seeds decide", () => {
  const verdict = verdictOn(withState(made({ a: 30, b: 20 }), "b", 2, diverged), claim("better"));
  assert.equal(verdict.outcome, "reproduced");
  assert.deepEqual(verdict.found!.comparison.seeds, [1, 3]);
});

for (const direction of ["better", "comparable", "contributes"] as const) {
  const asked = claim(direction, direction === "better" ? {} : { margin: 0.5 });
  const cases = { a: [30, 20, 20.05], b: direction === "comparable" ? [30, 20, 20.05] : [20] };
  for (const [method, levels] of Object.entries(cases)) {
    Deno.test(`no seeds that survived praise ${method} where it is claimed to be "${direction}"`, () => {
      for (const a of levels) {
        const whole = made({ a: method === "a" ? a : 20, b: method === "a" ? 20 : a + 5 });
        assert.ok(verdictOn(whole, asked).found !== undefined);
        const { outcome, reason } = verdictOn(withState(whole, method, 2, diverged), asked);
        assert.equal(outcome, "undecided");
        assert.match(reason, new RegExp(`^seed 2 of ${method} diverged, and no score can stand for that$`));
      }
    });
  }
}

Deno.test("all claims that a run can answer are one family for Holm, and those that it cannot are not in it", () => {
  const one = made({ a: 25, b: 20 });
  const alone = verdictOn(one, claim("better"));
  assert.deepEqual([alone.found!.family, alone.found!.adjusted], [1, alone.found!.p]);
  const [first] = [verdictOn(one, claim("better"), claim("better"), claim("better", { metric: "none" }))];
  assert.deepEqual([first.found!.family, first.found!.adjusted], [2, 2 * alone.found!.p]);
});

Deno.test("that the second row beats the input is part of the claim: its p is corrected with the others", () => {
  // Seven subjects: no two-sided p is below 2/128, of which three are below 0.05 and four are not.
  const one = made({ a: 25.02, b: 25, input: 20 }, { subjects: 7, spread: 0.01, drift: 0.001 });
  const comparable = claim("comparable", { margin: 0.5, over: "input" });
  const alone = verdictOn(one, comparable);
  assert.deepEqual([alone.outcome, alone.found!.p], ["reproduced", 2 / 128]);
  const first = (family: number) => verdictOn(one, ...Array.from({ length: family }, () => comparable));
  assert.deepEqual([first(3).outcome, first(3).found!.adjusted], ["reproduced", 6 / 128]);
  const crowded = first(4);
  assert.deepEqual([crowded.outcome, crowded.found!.adjusted], ["undecided", 8 / 128]);
  assert.match(crowded.reason, /^b itself is not surely better than input/);
});

Deno.test("ablations are counted apart from published claims, and have their own words", () => {
  const one = made({ a: 25, b: 20, c: 25.02 });
  const ablation = (without: string) => claim("contributes", { methods: ["a", without], margin: 0.5 });
  const said = (...claims: Claim[]) => {
    const judged = { ...one, file: { ...one.file, claims } };
    return markdownTable(judged, summarise(judged)).replaceAll("\\", "");
  };
  const both = said(claim("better"), ablation("b"), ablation("c"), ablation("missing"));
  assert.match(
    both,
    /1 published claim: 1 reproduced, 0 contradicted, 0 undecided\. 3 ablations of our own: 1 in favour of the part, 1 against it, 1 undecided\./,
  );
  assert.match(both, /Holm's correction for the 1 claim and 2 ablations that this run can answer\./);
  assert.match(both, /1 ablation left undecided: the run has no row missing\./);
  assert.doesNotMatch(said(ablation("b")), /published claim/);
});

Deno.test("table.md, the terminal and verdicts.json tell the same verdicts, with the source", () => {
  const one = made({ a: 25, b: 20, c: 25.02 });
  const file = {
    ...one.file,
    claims: [
      claim("better"),
      claim("comparable", { methods: ["a", "c"], margin: 0.5 }),
      claim("better", { metric: "frc-truth" }),
      claim("better", { methods: ["a", "missing"] }),
    ],
  };
  const judged = { ...one, file };
  const summary = summarise(judged);
  const text = markdownTable(judged, summary).replaceAll("\\", "");
  const terminal = terminalVerdicts(judged);
  for (const said of [text, terminal]) {
    assert.match(said, /4 published claims: 2 reproduced, 0 contradicted, 2 undecided\./);
    assert.match(said, /1 claim left undecided: the run does not measure frc-truth\./);
    assert.match(said, /1 claim left undecided: the run has no row missing\./);
  }
  assert.match(
    text,
    /\*\*Reproduced: a better than b in PSNR\*\*: \+\d\.\d\d dB \[\+\d\.\d\d, \+\d\.\d\d\], p 0\.0005, better in 12 of 12/,
  );
  assert.match(text, /A paper, Table 1: a beats b\./);
  assert.match(terminal, /reproduced +a comparable with c in PSNR, within ±0\.5 dB/);
  const json = verdictsJson(judged, judge(judged, summary));
  assert.deepEqual(json.verdicts.map(({ outcome }) => outcome), [
    "reproduced",
    "reproduced",
    "undecided",
    "undecided",
  ]);
  assert.deepEqual(JSON.parse(JSON.stringify(json)), json);
});

Deno.test("a run without claims says nothing of them, be it from before there were any", () => {
  const one = made({ a: 25, b: 20 });
  assert.equal(terminalVerdicts(one), "");
  assert.ok(!markdownTable(one, summarise(one)).includes("Verdicts"));
});

Deno.test("a hostile claim stays one line of text", () => {
  const one = made({ a: 25, b: 20 });
  const hostile = { ...claim("better"), claim: "\x1b[2J\n| <script>", source: "**x**\n# y" };
  const judged = { ...one, file: { ...one.file, claims: [hostile] } };
  const text = markdownTable(judged, summarise(judged));
  assert.ok(!/^# y/m.test(text) && !text.includes("\x1b") && !/(?<!\\)<script/.test(text));
});

Deno.test("tables mark the sure places in bold and underlined, say what that means, and mark nothing else", () => {
  const one = made({ a: 20, b: 25, c: 30 });
  const summary = summarise(one);
  const text = markdownTable(one, summary);
  assert.match(text, /\| c +\| +\*\*\d\d\.\d\d ± \d\.\d\d\*\* \|/);
  assert.match(text, /\| b +\| +<ins>\d\d\.\d\d ± \d\.\d\d<\/ins> \|/);
  assert.match(text, /\| a +\| +\d\d\.\d\d ± \d\.\d\d \|/);
  assert.match(
    text,
    /Bold is the best of a column and underlined the second, each only where the place is sure/,
  );
  const tex = latexFragment(one, summary);
  assert.match(tex, /^c & \$\\mathbf\{\d\d\.\d\d\}\$ & /m);
  assert.match(tex, /^b & \\underline\{\$\d\d\.\d\d\$\} & /m);

  const few = made({ a: 20, b: 25, c: 30 }, { subjects: 4 });
  const bare = markdownTable(few, summarise(few));
  assert.ok(!bare.includes("<ins>") && !/\| +\*\*/.test(bare));
  assert.match(
    bare,
    /No row is marked as best, since no first place is sure: with 4 subjects the smallest reachable p is 0\.125\./,
  );
});

Deno.test("statistics.csv has a line for each row and metric, and the leader's difference from each", () => {
  const one = made({ a: 20, b: 25 });
  const lines = statisticsCsv(one, summarise(one)).trimEnd().split("\n").map((line) => line.split(","));
  const [head, a, b] = lines.map((line) =>
    Object.fromEntries(line.map((field, at) => [lines[0][at], field]))
  );
  assert.equal(lines.length, 1 + metrics.length * 2);
  assert.ok(Object.keys(head).includes("p_holm"));
  assert.deepEqual([a.method, a.leader, a.place, a.subjects, a.seeds], ["a", "b", "", "12", "3"]);
  assert.deepEqual([b.leader, b.place], ["", "best"]);
  assert.ok(Math.abs(Number(a.leader_minus_row) - (Number(b.mean) - Number(a.mean))) < 1e-9);
  assert.ok(Number(a.low) < Number(a.leader_minus_row) && Number(a.leader_minus_row) < Number(a.high));
});

Deno.test("every claim on a benchmark that is there names rows of its table and metrics that it has", () => {
  for (const benchmark of benchmarks) {
    const { name, rows, byName, metrics, followed, conditions } = benchmark;
    // Those of the papers' wavelengths are there when they are asked for.
    const further = conditions?.({ wavelengths: "400,500,600,610" } as never) ?? [];
    const ids = [
      ...[...metrics, ...followed].map(({ id }) => id),
      ...further.flatMap((condition) => metricsUnder(condition).map(({ id }) => id)),
    ];
    const known = [...rows, ...byName].map((row) => row.name);
    // A benchmark is there before the methods that it is about.
    if (!known.some((row) => /^(ot-cyclegan|primal-dual)/.test(row))) continue;
    for (const { benchmark: of, methods, metric, over = methods[1] } of claims) {
      if (of !== name) continue;
      for (const method of [...methods, over]) {
        assert.ok(known.includes(method), `${name} has no row ${method}`);
      }
      assert.ok(ids.includes(metric), `${name} has no metric ${metric}`);
    }
  }
});

Deno.test("the claims are those of the papers' tables: two of every kind of image, with a source and margins where needed", () => {
  const count = (benchmark: string) => claims.filter((claim) => claim.benchmark === benchmark).length;
  assert.deepEqual(
    ["mri", "ct", "smlm", "deconvolution", "deconvolution-3d", "misaligned-ct"].map(count),
    [12, 8, 3, 26, 26, 4],
  );
  for (const { direction, margin, source } of claims) {
    assert.match(source, /(Table|Fig\.|§)/);
    assert.equal(margin !== undefined, direction !== "better");
  }
});
