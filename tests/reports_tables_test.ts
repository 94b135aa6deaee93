import assert from "node:assert/strict";
import Papa from "papaparse";
import { stream } from "../core/random.ts";
import { scoresCsv, tableCsv } from "../reports/csv.ts";
import { latexDocument, latexFragment } from "../reports/latex.ts";
import { markdownTable, withoutCosts } from "../reports/markdown.ts";
import { terminalTable } from "../reports/terminal.ts";
import { ranges } from "../reports/words.ts";
import type { ResultRecord } from "../results/record.ts";
import type { Run } from "../results/run.ts";
import { summarise, type Summary } from "../results/summary.ts";
import { fullRun, metrics, record, row, run, runWithoutTruth, score } from "./reports_made_run.ts";

const tables: Record<string, (run: Run, summary: Summary) => string> = {
  "table.md": markdownTable,
  "table.tex": latexFragment,
  "table-standalone.tex": latexDocument,
  "table.csv": tableCsv,
  "scores.csv": (run, summary) => [...scoresCsv(run, summary)].join(""),
};

for (const [name, make] of Object.entries(tables)) {
  Deno.test(`${name} is the same bytes whatever order the jobs finished in`, () => {
    const made = fullRun();
    const shuffled = { ...made, records: stream("tests/order").shuffled(made.records) };
    assert.notDeepEqual(shuffled.records, made.records);
    assert.equal(make(shuffled, summarise(shuffled)), make(made, summarise(made)));
  });

  Deno.test(`${name} without cost lines is the same bytes whatever the jobs cost`, () => {
    const made = fullRun();
    const slower: Run = {
      ...made,
      records: made.records.map((record) => ({
        ...record,
        cost: { "train-seconds": 12345.6, "updates-per-second": 1e-7, "peak-memory": 0 },
      })),
    };
    const [a, b] = [made, slower].map((run) => make(run, summarise(run)));
    assert.notEqual(a, b);
    assert.equal(withoutCosts(a), withoutCosts(b));
  });
}

Deno.test("withoutCosts() takes away cost lines only", () => {
  const made = fullRun();
  const table = tableCsv(made, summarise(made));
  const lines = parsed(table);
  const left = parsed(withoutCosts(table));
  assert.equal(left.length, lines.filter(({ convention }) => convention !== "cost").length);
  assert.ok(left.some(({ metric }) => metric === "macs"));
  const hostile = run([row("cost", false)], [record("cost", null, [score(0, "cost", "", 1)])]);
  assert.equal(parsed(withoutCosts([...scoresCsv(hostile, summarise(hostile))].join("")))[0].subject, "cost");
});

Deno.test("table.csv has exactly its columns, and an independent parser reads the summary back", () => {
  const made = fullRun();
  const summary = summarise(made);
  const text = tableCsv(made, summary);
  assert.equal(text.split("\n")[0], "benchmark,profile,method,metric,convention,unit,mean,std,n");
  const lines = parsed(text);
  const cells = summary.rows.flatMap(({ head, cells, sizes, costs }) =>
    [...cells, ...sizes, ...costs].map((cell) => ({ head, cell }))
  );
  assert.equal(lines.length, cells.length);
  for (const [i, { head, cell }] of cells.entries()) {
    assert.equal(lines[i].method, head.name);
    assert.equal(lines[i].metric, cell.metric.id);
    assert.equal(lines[i].convention, cell.metric.convention);
    assert.equal(lines[i].mean, cell.mean === null ? "NA" : String(cell.mean));
    assert.equal(lines[i].std, cell.std === null ? "" : String(cell.std));
    assert.equal(lines[i].n, String(cell.n));
  }
});

Deno.test("table.csv lists rows and metrics in the order of run.json, the benchmark's own convention first", () => {
  const made = fullRun();
  const lines = parsed(tableCsv(made, summarise(made))).filter(({ method }) => method === "cyclegan");
  assert.deepEqual(lines.map(({ metric, convention }) => `${metric} ${convention}`), [
    ...metrics.map(({ id, convention }) => `${id} ${convention}`),
    "parameters count",
    "macs count",
    "train-seconds cost",
    "updates-per-second cost",
    "inference-ms cost",
    "peak-memory cost",
  ]);
});

Deno.test("scores.csv has exactly its columns; what a score is not of stays empty", () => {
  const made = run([row("input", false), row("network", true)], [
    record("input", null, [score(0, "s6", "", "Inf"), score(2, "s6", "a", 20.5)], {
      parameters: 0,
      cost: { "inference-ms": 2 },
    }),
    record("network", 2, [score(4, "", "", -0.5), score(2, "s6", "b", null)], { macs: null }),
  ]);
  const text = [...scoresCsv(made, summarise(made))].join("");
  assert.equal(
    text,
    "benchmark,profile,method,seed,subject,sample,metric,convention,unit,value\n" +
      "mri,quick,input,,s6,,psnr,fastmri,dB,Inf\n" +
      "mri,quick,input,,s6,a,psnr,paper,dB,20.5\n" +
      "mri,quick,input,,,,parameters,count,,0\n" +
      "mri,quick,input,,,,inference-ms,cost,ms,2\n" +
      "mri,quick,network,2,s6,b,psnr,paper,dB,NA\n" +
      "mri,quick,network,2,,,certificate,proposition-3.1,,-0.5\n" +
      "mri,quick,network,2,,,parameters,count,,119432\n",
  );
});

Deno.test("table.md shows means with spreads, conventions, split, data, budget, notes and banners", () => {
  const made = fullRun();
  const text = markdownTable(made, summarise(made));
  const [mean, std] = meanAndStd(made, "supervised");
  assert.match(text, new RegExp(`\\| supervised +\\| +${mean.toFixed(2)} ± ${std!.toFixed(2)} \\|`));
  for (
    const part of [
      "> **K-space was simulated from magnitudes.**",
      "PSNR fastmri ↑ (dB)",
      "fastmri: PSNR, SSIM; paper: PSNR",
      "test 2 subjects with 3 samples",
      "SHA-256 0123456789ab",
      "over the seeds 1, 2, 3",
      "Trained for 1200 generator updates",
      "acceleration 4, updates 1200",
      "mean-image is a negative control",
      "2 of 3, 1 diverged at update 17",
      "wgan, seed 2, diverged at update 17: the generator's loss is NaN",
      "wgan: the mean is over 2 of 3 seeds",
    ]
  ) assert.ok(text.includes(part), part);
  assert.ok(text.indexOf("K-space was simulated") < text.indexOf("| method"));
  assert.ok(!/\| wgan .*NaN/.test(text));
});

Deno.test("table.md says what was left out of a mean, and why", () => {
  const made = run([row("input", false)], [
    record("input", null, [
      score(2, "s6", "a", "Inf"),
      score(2, "s6", "b", 20),
      score(3, "s6", "a", null),
      score(0, "s6", "", "Inf"),
    ]),
  ]);
  const text = markdownTable(made, summarise(made));
  assert.match(text, /^- PSNR \(paper\) of input: 1 of 2 samples left out of the mean as ∞\.$/m);
  assert.match(text, /\| input +\| +∞ \| +20\.00 \|/);
});

Deno.test("a table says once what holds for many rows and metrics: that no test subject has a truth", () => {
  const made = runWithoutTruth();
  const summary = summarise(made);
  const said = "Columns left out, as every score is without a value (the truth is unknown): " +
    "PSNR (fastmri), SSIM, PSNR (paper).";
  for (const text of [markdownTable(made, summary).replaceAll("\\", ""), latexFragment(made, summary)]) {
    assert.ok(text.replaceAll("\n", " ").includes(said), text);
    assert.equal(text.split("the truth is unknown").length, 2);
    assert.ok(!text.includes("NA"));
  }
  assert.match(terminalTable(made), /^method +data consistency ↓ +certificate ↓ +seeds$/m);
  // In the list for programs nothing is left out.
  const lines = parsed(tableCsv(made, summary)).filter(({ metric }) => metric === "psnr");
  assert.deepEqual(lines.map(({ mean }) => mean), Array(2 * made.file.rows.length).fill("NA"));
});

Deno.test("a table says of which subjects and samples some lack a value, whatever the number of seeds", () => {
  const half = (scores: ResultRecord["scores"]) =>
    scores.map((score, i) => score.subject === "s6" ? runWithoutTruth().records[0].scores[i] : score);
  const made = fullRun();
  const records = made.records.map((record) => ({ ...record, scores: half(record.scores) }));
  const text = markdownTable({ ...made, records }, summarise({ ...made, records }));
  assert.match(
    text,
    /^- PSNR \(fastmri\), SSIM of all rows: 1 of 2 subjects without a value \(the truth is/m,
  );
  assert.match(
    text,
    /^- PSNR \(paper\) of all rows: 2 of 4 samples without a value \(the truth is unknown\)\.$/m,
  );
  assert.equal(text.split("the truth is unknown").length, 3);
});

Deno.test("a table keeps the columns of what has not finished, and names the rows of which something is said", () => {
  const scores = [score(0, "s6", "", null), score(3, "s6", "a", 1)];
  const rows = ["one", "two"].map((name) => row(name, false));
  const [one, two] = rows.map(({ name }) => record(name, null, scores));
  const text = (records: ResultRecord[]) => {
    const made = run([...rows, row("network", true)], records);
    return markdownTable(made, summarise(made));
  };
  assert.match(text([one, two]), /PSNR fastmri ↑ \(dB\)/);
  assert.match(text([one]), /PSNR \(fastmri\) of one: 1 subject without a value \(the image is constant\)\./);
  assert.match(text([one, two]), /PSNR \(fastmri\) of one, two: 1 subject without a value/);
});

Deno.test("a caption lists the parts of a split as one reads them, and none that is empty", () => {
  const subjects = (...ids: string[]) => ({ subjects: ids, samples: ids.length });
  const parts = { other: subjects("o"), test: subjects("t"), validation: subjects(), x: subjects("a", "b") };
  const made = run([], [], { split: { kind: "subjects", parts: { ...parts, y: subjects("c") } } });
  const [line] = markdownTable(made, summarise(made)).match(/^Split.*$/m)!;
  assert.equal(
    line,
    "Split (subjects): x 2 subjects with 2 samples, y 1 subject with 1 sample, test 1 subject with 1 sample, " +
      "other 1 subject with 1 sample.",
  );
});

Deno.test("banners and notes are sentences, with a capital and a full stop, in every format", () => {
  const made = run([], [], {
    banners: ["measured k-space was cropped", "k-space was simulated.", "a.h5 has no mask"],
    notes: ["ot-cyclegan saw no pairs", "is that all?"],
  });
  const [md, tex] = [markdownTable, latexDocument].map((make) => make(made, summarise(made)));
  const wanted = ["Measured k-space was cropped.", "K-space was simulated.", "a.h5 has no mask."];
  for (const banner of wanted) {
    assert.ok(md.includes(`> **${banner}**\n`));
    assert.ok(tex.includes(`\\textbf{${banner}}\\par\n`));
    assert.ok(terminalTable(made).includes(`! ${banner}\n`));
  }
  for (const note of ["ot-cyclegan saw no pairs.", "is that all?"]) {
    assert.ok(md.includes(`- ${note}\n`));
    assert.ok(tex.includes(`\n${note}\n`));
  }
});

Deno.test("table.md names a record that could not be read, above the table", () => {
  const made = {
    ...run([row("network", true)], []),
    refused: ["cannot read a record\n  where: records/x.json"],
  };
  const text = markdownTable(made, summarise(made));
  assert.ok(text.includes("records/x.json"));
  assert.ok(text.indexOf("records/x.json") < text.indexOf("| method"));
});

Deno.test("table.md says so where its records were made by different commits", () => {
  const [one, two] = ["c0ffee", "decade"].map((commit, seed) =>
    record("network", seed, [score(0, "s6", "", 30)], { provenance: { commit, deno: "2.9.6" } })
  );
  const text = (records: ResultRecord[]) => {
    const made = run([row("network", true)], records);
    return markdownTable(made, summarise(made));
  };
  assert.match(text([one, two]), /made in 2 different ways: commit c0ffee.*; commit decade/);
  assert.doesNotMatch(text([one, { ...one, seed: 1 }]), /different ways/);
});

Deno.test("table.md names the backend of a run whose bits do not repeat, and no other", () => {
  const on = (provenance: Run["file"]["provenance"]) => {
    const made = run([row("zero-filled", false)], [], { provenance });
    return markdownTable(made, summarise(made));
  };
  assert.match(on({ backend: "webgpu", device: "a card" }), /Computed on the backend webgpu \(a card\)/);
  assert.match(on({ backend: "native" }), /Computed on the backend native, whose last digits/);
  assert.doesNotMatch(on({ backend: "wasm" }), /Computed on/);
});

Deno.test("table.md writes numbers with the digits that their metric deserves", () => {
  const made = run([row("input", false)], [
    record("input", null, [
      score(0, "s6", "", 22.149),
      score(1, "s6", "", 0.62349),
      score(3, "s6", "a", 0.0123456),
      score(4, "", "", 3.21e-8),
    ], { parameters: 999_600, macs: 31_549_000 }),
  ]);
  const cells = /\| input (.*)/.exec(markdownTable(made, summarise(made)))![1].split("|").map((cell) =>
    cell.trim()
  );
  assert.deepEqual(cells.slice(1, 7), ["22.15", "0.623", "0.0123", "3.2e-8", "1.00 M", "31.5 M"]);
});

Deno.test("every line of every Markdown table has as many cells as its head, hostile names or not", () => {
  const name = "a|b\n| c \\| <script> `x` **y** [z](javascript:0)";
  const made = run([row(name, true)], [record(name, 1, [score(0, name, "", 1)])], { banners: [name] });
  const text = markdownTable(made, summarise(made));
  const table = text.split("\n").filter((line) => line.startsWith("| ") && !line.includes("cost -->"));
  const cells = (line: string) => line.replace(/\\[|\\]/g, "").split("|").length;
  const heads = table.filter((line) => line.startsWith("| method"));
  assert.equal(heads.length, 2);
  assert.equal(cells(table[0]), cells(table[2]));
  assert.ok(!/(?<!\\)<script|(?<!\\)`x|(?<!\\)\[z/.test(text));
});

Deno.test("table.tex gives every row two columns a metric, and balances its braces", () => {
  const made = fullRun();
  const text = latexFragment(made, summarise(made));
  const [main] = /\\midrule\n([^]*?)\\bottomrule/.exec(text)!.slice(1);
  for (const line of main.trim().split("\n")) {
    const spans = [...line.matchAll(/\\multicolumn\{2\}/g)].length;
    const columns = line.split(/(?<!\\)&/).length + spans;
    assert.equal(columns, 1 + 2 * (metrics.length + 2) + 1, line);
    assert.ok(line.endsWith("\\\\"));
  }
  let depth = 0;
  for (const [brace] of text.replace(/%.*$/gm, "").matchAll(/(?<!\\)[{}]/g)) {
    depth += brace === "{" ? 1 : -1;
    assert.ok(depth >= 0);
  }
  assert.equal(depth, 0);
  assert.ok([...latexDocument(made, summarise(made))].every((character) => character.charCodeAt(0) < 128));
});

Deno.test("a worker's last words come into the text as one line, without its colours", () => {
  const reason = "\n\x1b[31merror\x1b[0m: out of memory\n    at somewhere.ts:1\n" + "x".repeat(4000);
  const made = run([row("network", true)], [
    record("network", 1, [], { state: { kind: "failed", reason } }),
  ]);
  const text = markdownTable(made, summarise(made));
  assert.ok(text.includes("network, seed 1, failed: error: out of memory."));
  assert.ok(!text.includes("somewhere"));
});

Deno.test({
  name: "table-standalone.tex compiles with pdfLaTeX as it is, whatever the names",
  ignore: !await there("pdflatex"),
  fn: async () => {
    const hostile = '[*] \\input{/etc/passwd} $x$ #1 50% a_b ^~ {{ 中文 é½ℓ‖x̂‖ \x1b "<>|';
    const made = run([row(hostile, true)], [
      record(hostile, 1, [score(0, "s", "", 3e-9), score(1, "s", "", "Inf"), score(3, "s", "a", 1e-8)]),
      record(hostile, 2, [score(0, "s", "", 3), score(3, "s", "a", 2e-8), score(4, "", "", null)]),
    ], { title: hostile, question: hostile, banners: [hostile], notes: [hostile], benchmark: hostile });
    await compiles(made);
  },
});

Deno.test({
  name: "table-standalone.tex compiles without a truth, and however much there is to say",
  ignore: !await there("pdflatex"),
  fn: async () => {
    await compiles(runWithoutTruth());
    // A caption of some 3500 characters is wider than any length that TeX knows.
    const made = fullRun();
    const long = (what: string) =>
      Array.from({ length: 80 }, (_, i) => `${what} ${i}: ${"word ".repeat(40)}`);
    const records = made.records.map((record) =>
      record.seed === null ? record : {
        ...record,
        state: { kind: "failed", reason: long("reason").join(" ") } as const,
      }
    );
    const file = { ...made.file, notes: long("note"), banners: long("banner").slice(0, 9) };
    await compiles({ ...made, file, records, refused: long("refused") });
  },
});

Deno.test("terminalTable() aligns its columns, and shows what has not finished as …", () => {
  const made = fullRun();
  const part = {
    ...made,
    records: made.records.filter(({ method, seed }) => method !== "wgan" && seed !== 3),
  };
  const lines = terminalTable(part).split("\n");
  assert.equal(lines[0], "! K-space was simulated from magnitudes.");
  const end = lines[1].indexOf("(dB)") + 4;
  const body = lines.slice(3);
  assert.equal(body.length, made.file.rows.length);
  assert.ok(body.every((line) => line[end - 1] !== " " && line[end] === " "));
  assert.match(body.find((line) => line.startsWith("wgan"))!, /^wgan +… +… +….*0\/3$/);
  assert.match(body.find((line) => line.startsWith("cyclegan"))!, /2\/3$/);
});

Deno.test("terminalTable() keeps to the width, and never sends a control character", () => {
  const made = fullRun();
  for (const width of [64, 80, 110]) {
    const lines = terminalTable({ ...made, file: { ...made.file, banners: [] } }, width).split("\n");
    assert.ok(lines.every((line) => line.length <= width), `${width}`);
  }
  const hostile = "\x1b[2Jred\u202e";
  const text = terminalTable(run([row(hostile, false)], [record(hostile, null, [])], { banners: [hostile] }));
  assert.ok(!/(?!\n)[\p{Cc}\u202e]/u.test(text));
  assert.ok(text.includes("\\u{1b}[2Jred\\u{202e}"));
});

async function compiles(made: Run): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/table.tex`, latexDocument(made, summarise(made)));
    const args = ["-interaction=nonstopmode", "-halt-on-error", "table.tex"];
    const { success, stdout } = await new Deno.Command("pdflatex", { args, cwd: folder }).output();
    const log = new TextDecoder().decode(stdout);
    assert.ok(success, log);
    assert.doesNotMatch(log, /Float too large/);
    assert.ok((await Deno.stat(`${folder}/table.pdf`)).size > 10_000);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function there(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).output())
      .success;
  } catch {
    return false;
  }
}

function parsed(csv: string): Record<string, string>[] {
  const { data, errors } = Papa.parse(csv, { header: true, skipEmptyLines: true });
  assert.deepEqual(errors, []);
  return data as Record<string, string>[];
}

/** PSNR (fastmri) of a row, summed the long way round. */
function meanAndStd({ records }: Run, method: string): [number, number | null] {
  const perSeed = records.filter((record: ResultRecord) => record.method === method).map(({ scores }) => {
    const values = scores.filter((score) => score.metric === "psnr" && score.convention === "fastmri");
    return values.reduce((sum, { value }) => sum + (value as number), 0) / values.length;
  });
  const mean = perSeed.reduce((a, b) => a + b) / perSeed.length;
  return [mean, Math.sqrt(perSeed.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (perSeed.length - 1))];
}

Deno.test("ranges() names every number once, and of more than three that follow each other the ends", () => {
  assert.equal(ranges([1, 2, 3]), "1, 2, 3");
  assert.equal(ranges([1, 2, 3, 4, 7, 9, 10]), "1 to 4, 7, 9, 10");
  assert.equal(ranges(Array.from({ length: 25_000 }, (_, i) => i + 1)), "1 to 25000");
  assert.equal(ranges([]), "");
});

Deno.test("scores under another condition stand in a table of their own, in Markdown, in LaTeX, and where all is done on terminals", () => {
  const made = run([row("a", false)], [
    record("a", null, [score(0, "s", "", 11), { ...score(0, "s", "", 22), metric: "psnr-400nm" }]),
  ]);
  const at400 = { ...metrics[0], id: "psnr-400nm", condition: "at 400 nm" };
  const both: Run = { ...made, file: { ...made.file, metrics: [metrics[0], at400] } };
  const summary = summarise(both);
  const [main, further] = markdownTable(both, summary).split("Measured at 400 nm:");
  assert.match(main, /\| a +\| +11\.00 \|/);
  assert.doesNotMatch(main, /22\.00/);
  assert.match(further, /\| a +\| +22\.00 \|/);
  const tables = latexFragment(both, summary).split("\\begin{table}");
  assert.deepEqual(tables.map((table) => [/11\.00/, /22\.00/].map((number) => number.test(table))), [
    [false, false],
    [true, false],
    [false, true],
    [false, false],
  ]);
  assert.match(tables[2], /\\caption\{[^}]*measured at 400 nm/);
  assert.match(terminalTable(both), /^a +11\.00$[^]*^Measured at 400 nm:\n[^]*^a +22\.00$/m);
  assert.doesNotMatch(terminalTable({ ...both, records: [] }), /400 nm/);
  assert.deepEqual(parsed(tableCsv(both, summary)).slice(0, 2).map(({ metric }) => metric), [
    "psnr",
    "psnr-400nm",
  ]);
});
