/** What `deno task report` writes besides tables: results.json, figures, and the page's markup. */

import assert from "node:assert/strict";
import Ajv2020 from "ajv/dist/2020.js";
import { type Json, sha256 } from "../core/json.ts";
import { figuresOf } from "../reports/figures.ts";
import { repeatCommand } from "../reports/page/configuration.ts";
import { reportPage } from "../reports/page/page.ts";
import { coursePlot, quantitiesOf } from "../reports/plots/courses.ts";
import { curvesOf } from "../reports/plots/curves.ts";
import { pageLook } from "../reports/plots/plot.ts";
import { scoresPlot } from "../reports/plots/scores.ts";
import { resultsJson } from "../reports/results_json.ts";
import { pdfFile, svgFile } from "../reports/typeset.ts";
import { type Format, writeReport } from "../reports/write.ts";
import { record, row, run, score } from "./reports_made_run.ts";
import { fullRun, hostileRun, metrics, runWithoutTruth, withPictures } from "./reports_made_run.ts";
import { type LogEntry, parseRecord, recordLine, type ResultRecord } from "../results/record.ts";
import { mergeRuns } from "../results/merge.ts";
import type { Claim, Run } from "../results/run.ts";
import { summarise } from "../results/summary.ts";
import { inFolder, namesIn } from "./commands_running.ts";

const schema = JSON.parse(await Deno.readTextFile(new URL("../docs/results.schema.json", import.meta.url)));
const validate = new Ajv2020.default({
  strict: true,
  allErrors: true,
  strictRequired: false,
  allowUnionTypes: true,
})
  .compile(schema);

const tableOf = (made: Run) => ({ run: made, summary: summarise(made) });

const claims: Claim[] = [
  {
    claim: "OT-cycleGAN is better than the standard cycleGAN",
    source: "a paper",
    benchmark: "mri",
    methods: ["ot-cyclegan", "cyclegan"],
    metric: "psnr",
    direction: "better",
  },
  {
    claim: "it has a row that is not there",
    source: "a paper",
    benchmark: "mri",
    methods: ["ot-cyclegan", "nobody"],
    metric: "psnr",
    direction: "comparable",
    margin: 0.5,
  },
];

for (
  const [name, make] of Object.entries<() => Run>({
    "a run of every kind of row, with verdicts": () => ({
      ...fullRun(),
      file: { ...fullRun().file, claims },
    }),
    "a run without a truth": runWithoutTruth,
    "a run that has not begun": () => ({ ...fullRun(), records: [] }),
    "infinite and missing scores": () =>
      run([row("input", false)], [
        record("input", null, [
          score(0, "s6", "", "Inf"),
          score(2, "s6", "a", null),
          score(3, "s6", "a", "-Inf"),
        ]),
      ]),
    "jobs that failed": () =>
      run([row("input", true)], [record("input", 1, [], { state: { kind: "failed", reason: "no memory" } })]),
  })
) {
  Deno.test(`results.json is as its schema says: ${name}`, () => {
    const json = JSON.parse(JSON.stringify(resultsJson([tableOf(make())])));
    assert.ok(validate(json), JSON.stringify(validate.errors, null, 1));
  });
}

Deno.test("the schema of results.json refuses a table without its rows, and a member that nobody knows", () => {
  const json = JSON.parse(JSON.stringify(resultsJson([tableOf(fullRun())])));
  assert.ok(!validate({ ...json, more: 1 }));
  assert.ok(!validate({ ...json, version: 2 }));
  const { rows: _, ...without } = json.tables[0];
  assert.ok(!validate({ ...json, tables: [without] }));
});

Deno.test("results.json holds the table's means, and each seed's score", () => {
  const made = fullRun();
  const [table] = (resultsJson([tableOf(made)]) as { tables: { rows: Record<string, Json>[] }[] }).tables;
  for (const [i, { head, cells, records }] of summarise(made).rows.entries()) {
    const own = table.rows[i] as unknown as {
      method: string;
      cells: { mean: number }[];
      jobs: { seed: number | null; scores: { metric: string; convention: string; value: number }[] }[];
    };
    assert.equal(own.method, head.name);
    assert.equal(own.cells[0].mean, cells[0].mean);
    assert.deepEqual(own.jobs.map(({ seed }) => seed), records.map(({ seed }) => seed));
    const values = own.jobs.flatMap(({ scores }) =>
      scores.filter(({ metric }) => metric === "psnr").slice(0, 1)
    );
    const mean = values.reduce((sum, { value }) => sum + value, 0) / values.length;
    assert.ok(Math.abs(mean - cells[0].mean!) < 1e-12);
  }
});

Deno.test("a report is the same bytes from the same records, whatever order they are read in", async () => {
  await inFolder(async (folder) => {
    const made = await withPictures(fullRun(), `${folder}/run`, 16);
    const all: Format[] = ["json", "html", "svg", "pdf"];
    const names = await writeReport([made], `${folder}/one`, all);
    const turned = { ...made, records: made.records.toReversed() };
    assert.deepEqual(await writeReport([turned], `${folder}/two`, all), names);
    assert.ok(names.includes("report.html") && names.includes("figures/scores-88mm.pdf"));
    for (const name of names) {
      const [one, two] = [
        await Deno.readFile(`${folder}/one/${name}`),
        await Deno.readFile(`${folder}/two/${name}`),
      ];
      assert.deepEqual(two, one, name);
    }
  });
});

Deno.test("a report of several benchmarks has a folder for each, and one page of all", async () => {
  await inFolder(async (folder) => {
    const mri = fullRun();
    const ct: Run = { ...mri, file: { ...mri.file, benchmark: "../ct", title: "Low-dose CT" } };
    const names = await writeReport([mri, ct], folder, ["csv", "html"]);
    assert.deepEqual(await namesIn(folder), ["-ct-quick", "mri-quick", "report.html"]);
    assert.ok(names.includes("mri-quick/table.csv"));
    const page = await Deno.readTextFile(`${folder}/report.html`);
    assert.match(page, /<h2>Accelerated MRI[\s\S]*<h2>Low-dose CT/);
  });
});

Deno.test("figures have their journal's width, and their font within them", async () => {
  await inFolder(async (folder) => {
    const made = await withPictures(fullRun(), folder, 16);
    let count = 0;
    for await (const figure of figuresOf(made, summarise(made))) {
      count += 1;
      const svg = await svgFile(figure);
      assert.match(svg, new RegExp(`^<svg[^>]* width="${figure.width}mm"`));
      assert.match(svg, /@font-face\{font-family:"DejaVu Sans";src:url\(data:font\/woff2;base64,/);
      assert.ok(!/https?:(?!\/\/www\.w3\.org\/)/.test(svg.replace(/base64,[^")]*/g, "")), figure.name);
      const pdf = new TextDecoder("latin1").decode(await pdfFile(figure));
      const [, width] = /\/MediaBox \[0 0 ([\d.]+)/.exec(pdf)!;
      assert.ok(Math.abs(Number(width) - figure.width * 72 / 25.4) < 0.02, figure.name);
      assert.match(pdf, /\/FontFile2/);
      assert.ok(!/\/BaseFont \/(Helvetica|Times|Courier)/.test(pdf), figure.name);
    }
    assert.equal(count, 2 * (1 + 1 + 2));
  });
});

Deno.test("no text from a file becomes markup in the page or in a figure", async () => {
  const made = hostileRun();
  const page = await reportPage([tableOf(made)]);
  assert.equal(page.match(/<script/g)!.length, 2, "the list of jobs, and the page's own");
  assert.ok(!page.includes("<img src=x"));
  assert.ok(!/[\u202e\0]/.test(page));
  for await (const { name, svg } of figuresOf(made, summarise(made))) {
    assert.ok(!svg.includes("<script") && !svg.includes("<img"), name);
  }
});

Deno.test("the page lets no script run but its own, and fetches nothing", async () => {
  const page = await reportPage([tableOf(fullRun())]);
  const [, policy] = /Content-Security-Policy" content="([^"]+)"/.exec(page)!;
  assert.match(policy, /default-src &#39;none&#39;/);
  const script = page.slice(page.lastIndexOf("<script>") + "<script>".length, page.lastIndexOf("</script>"));
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script));
  assert.ok(policy.includes(`sha256-${new Uint8Array(hash).toBase64()}`));
  const sources = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, source]) => source);
  assert.deepEqual(sources.filter((source) => !/^(#|data:image\/png;)/.test(source)), []);
});

Deno.test("a page does not grow with seeds but for its list of jobs", async () => {
  const made = (count: number) => {
    const seeds = Array.from({ length: count }, (_, i) => i + 1);
    const records = seeds.map((seed) => {
      const scores = ["s6", "s7"].map((subject, at) => score(0, subject, "", 20 + at + Math.sin(seed)));
      return record("network", seed, scores);
    });
    return tableOf(run([row("network", true)], records, { seeds }));
  };
  const [few, many] = [await reportPage([made(20)]), await reportPage([made(2000)])].map((page) =>
    page.replace(/<script type="application\/json">[\s\S]*?<\/script>/, "").replace(
      /over the seeds [\d, ]+/g,
      "",
    )
  );
  assert.ok(many.length < few.length + 8000, `${few.length} and ${many.length} characters`);
});

Deno.test("a page of an unfinished run says so and loads itself again, and one of a finished run does not", async () => {
  const finished = run([row("network", true)], [1, 2, 3].map((seed) => record("network", seed, [])));
  const going = { ...finished, records: finished.records.slice(1) };
  assert.match(
    await reportPage([tableOf(going)], { refresh: 15 }),
    /http-equiv="refresh" content="15"[\s\S]*2 of 3 jobs done/,
  );
  const page = await reportPage([tableOf(finished)]);
  assert.ok(!page.includes('http-equiv="refresh"') && !page.includes("jobs done"));
});

Deno.test("scoresPlot() has a line a seed, of many seeds one, and nothing where nothing is finite", () => {
  const labels = (svg: string) => [...svg.matchAll(/>(seed \d+|\d+ seeds)</g)].map(([, text]) => text);
  const summaryOf = (seeds: number[], value: number | null) =>
    summarise(
      run([row("network", true)], seeds.map((seed) => record("network", seed, [score(0, "s6", "", value)])), {
        seeds,
      }),
    );
  const plot = (seeds: number[], value: number | null = 20) =>
    scoresPlot(summaryOf(seeds, value), metrics[0], pageLook(700));
  assert.deepEqual(labels(plot([4, 9])!), ["seed 4", "seed 9"]);
  assert.deepEqual(labels(plot([1, 2, 3, 4, 5, 6, 7])!), ["7 seeds"]);
  assert.equal(plot([1], null), undefined);
});

Deno.test("coursePlot() shows every quantity that was logged, the validation score first, and none that was not", () => {
  const log: LogEntry[] = [{ update: 10, values: { loss: 2, "validation-psnr": 20 } }, {
    update: 20,
    values: { loss: 1, certificate: 3 },
  }];
  const summary = summarise(run([row("network", true)], [record("network", 1, [], { log })]));
  assert.deepEqual(quantitiesOf(summary), ["validation-psnr", "certificate", "loss"]);
  assert.equal(coursePlot(summary, "nothing", pageLook(300)), undefined);
  assert.match(coursePlot(summary, "loss", pageLook(300))!, /aria-label="loss in the course of training"/);
});

Deno.test("repeatCommand() quotes for a shell whatever a setting holds", () => {
  const { file } = run([row("a'b", true)], [], {
    identity: {
      settings: { mask: "two words" },
      set: { "a'b": { gamma: 3 } },
      data: { seed: 7 },
      arithmetic: "muladd",
    },
  });
  const command = repeatCommand(file);
  for (
    const part of [
      "--methods 'a'\\''b'",
      "--seeds 1-3",
      "--data-seed 7",
      "--portable",
      "--set 'mask=two words'",
    ]
  ) {
    assert.ok(command.includes(part), `${part} in ${command}`);
  }
});

Deno.test("the page draws the curves that records have, of each row the first seed, with what they are held against", async () => {
  const curve = (subject: string, y: readonly number[]) => ({
    name: "frc",
    subject,
    sample: "a",
    axes: { x: "spatial frequency (1/nm)", y: "correlation" },
    x: [0, 0.01, 0.02],
    y,
    limit: { label: "1/7", y: [1 / 7, 1 / 7, 1 / 7] },
  });
  const records = [
    record("one", 1, [], { curves: [curve("s6", [1, 0.5, 0]), curve("s7", [1, 0.4, 0])] }),
    record("one", 2, [], { curves: [curve("s6", [1, 0.3, 0])] }),
    record("two", 1, [], { curves: [curve("s6", [1, 0.2, 0])] }),
    record("none", 1, []),
  ];
  const made = run([row("one", true), row("two", true), row("none", true)], records);
  const found = curvesOf(summarise(made));
  assert.deepEqual(found.map(({ subject, curves }) => [subject, ...curves.map(({ curve }) => curve.y[1])]), [
    ["s6", 0.5, 0.2],
    ["s7", 0.4],
  ]);
  for (const one of records) assert.deepEqual(parseRecord(recordLine(one), "here"), one);
  const page = await reportPage([tableOf(made)]);
  assert.match(page, /<h3>Curves<\/h3>[\s\S]*aria-label="frc of s6, a"[\s\S]*>1\/7</);
  const broken = { ...records[0], curves: [{ ...curve("s6", [1, 0.5, 0]), x: [0] }] };
  assert.throws(
    () => parseRecord(recordLine(broken), "here"),
    /its "curves" is missing or of the wrong kind/,
  );
});

Deno.test("the page shows what methods learned besides, of each row the first seed, from the folder that has it", async () => {
  await inFolder(async (folder) => {
    const learned = async (seed: number): Promise<ResultRecord> => {
      const data = Float32Array.from([0, seed, 2, 3]);
      const bytes = new Uint8Array(data.buffer);
      await Deno.mkdir(`${folder}/${seed}`, { recursive: true });
      await Deno.writeFile(`${folder}/${seed}/kernel.f32`, bytes);
      const picture = { name: "learned", subject: "", sample: "kernel", path: "kernel.f32" };
      return record("network", seed, [], {
        pictures: [{ ...picture, shape: [2, 2, 1], sha256: sha256(bytes) }],
      });
    };
    const runs = [2, 1].map(async (seed): Promise<Run> => ({
      ...run([row("network", true)], [await learned(seed)]),
      folder: `${folder}/${seed}`,
    }));
    const [merged] = mergeRuns(await Promise.all(runs));
    const page = await reportPage([tableOf(merged)]);
    assert.match(page, /<h3>Learned besides<\/h3>[\s\S]*network: kernel<\/b> <small>0 to 3\.00, seed 1</);
    assert.ok(!page.includes("no picture"));
  });
});
