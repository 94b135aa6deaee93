/**
 * `deno task evidence [RUN…]`: makes the suite's own results anew. Each run of {@linkcode evidence} is made with seeds on which
 * nothing was chosen, and leaves its tables and records here, in a folder of its own; tables and verdicts are put into the
 * pages between their markers, whose texts are written by hand. What is finished in `runs/evidence/` is not run again, so
 * this can be interrupted. With `--as-is` nothing is run: tables and pages are made of the runs that are there.
 */

import { claims } from "../../benchmarks/claims.ts";
import { isThere, writeWhole } from "../../core/files.ts";
import { prettyJson } from "../../core/json.ts";
import { terminalVerdicts } from "../../reports/verdict_words.ts";
import { readRun } from "../../results/run.ts";

interface Evidence {
  /** The folder in `runs/evidence/`, here, and the marker in the pages. */
  readonly name: string;
  /** What `deno task bench` is told. */
  readonly order: readonly string[];
  /** Metrics that the pages show; the folder's table has all. */
  readonly metrics: readonly string[];
}

const wavelengths = ["--wavelengths", "400,500,600,610"];
const otherMicroscope = ["--set", "measured-with=g2.62"];
const kernel = ["kernel correlation", "kernel correlation initial", "kernel radius", "kernel radius truth"];

/** Blind deconvolution whose kernel starts too narrow and too broad. */
function starts(name: string, rows: string, more: readonly string[]): Evidence[] {
  return ([["narrow", "0.7"], ["broad", "5.6"]] as const).map(([start, sigma]) => ({
    name: `${name}-${start}-start`,
    order: [
      "deconvolution",
      "--seeds",
      "101-103",
      ...more,
      "--methods",
      rows,
      "--set",
      `startSigma=${sigma}`,
    ],
    metrics: ["PSNR", ...kernel],
  }));
}

/** The runs. */
const evidence: readonly Evidence[] = [
  {
    name: "mri",
    order: ["mri", "--seeds", "101-106"],
    metrics: ["PSNR fastmri", "SSIM fastmri", "null space error", "data consistency"],
  },
  {
    name: "ct",
    order: ["ct", "--seeds", "101-106"],
    metrics: ["PSNR ct-window:40/600", "SSIM ct-window:40/600", "RMSE HU", "noise HU", "NPS distance"],
  },
  {
    name: "misaligned-ct",
    order: ["misaligned-ct", "--seeds", "101-106"],
    metrics: ["PSNR object", "PSNR label", "plateau", "edge width", "centroid error"],
  },
  {
    name: "deconvolution",
    order: ["deconvolution", "--seeds", "101-106", ...wavelengths],
    metrics: ["PSNR", "SSIM wang2004", "FRC truth", "kernel correlation", "kernel radius"],
  },
  {
    name: "deconvolution-other-microscope",
    order: [
      ...["deconvolution", "--seeds", "101-106", ...otherMicroscope],
      ...["--methods", "widefield,richardson-lucy,supervised,ot-cyclegan-blind,spectrum-matching"],
    ],
    metrics: ["PSNR", "SSIM wang2004", ...kernel],
  },
  ...starts("deconvolution", "widefield,ot-cyclegan-non-blind,ot-cyclegan-blind", []),
  ...starts("deconvolution-other-microscope", "widefield,ot-cyclegan-blind", otherMicroscope),
  {
    name: "deconvolution-3d",
    order: ["deconvolution-3d", "--seeds", "101-106"],
    metrics: ["PSNR", "SSIM", "FSC truth", "kernel correlation", "kernel radius", "kernel radius truth"],
  },
  {
    name: "smlm",
    order: ["smlm", "--seeds", "101-106"],
    metrics: ["density correlation", "FRC truth", "jaccard", "jaccard 50nm", "kernel radius", "kernel sigma"],
  },
];

const root = new URL("../../", import.meta.url).pathname;
const here = `${root}docs/results`;

async function deno(...args: string[]): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), { args, cwd: root }).spawn().status;
  if (success) return;
  console.error(`deno ${args.join(" ")} did not end well; the same command goes on`);
  Deno.exit(1);
}

/** Keeps a run's tables, and what they are made of. Its records are held to the claims as they are read today. */
async function keep(run: string, name: string): Promise<void> {
  const file = JSON.parse(await Deno.readTextFile(`${run}/run.json`));
  const own = claims.filter(({ benchmark }) => benchmark === file.benchmark);
  await writeWhole(`${run}/run.json`, prettyJson({ ...file, claims: own }));
  await Deno.mkdir(`${here}/${name}`, { recursive: true });
  await Deno.copyFile(`${run}/run.json`, `${here}/${name}/run.json`);
  const records = (await Deno.open(`${run}/records.jsonl`)).readable;
  const packed = await Deno.open(`${here}/${name}/records.jsonl.gz`, {
    write: true,
    create: true,
    truncate: true,
  });
  await records.pipeThrough(new CompressionStream("gzip")).pipeTo(packed.writable);
  await deno("task", "report", run, "--out", `${here}/${name}`, "--format", "md,csv,json,tex,svg");
  // What `deno task report` makes of the records whenever it is asked, and is large.
  for (const file of ["scores.csv", "results.json"]) await Deno.remove(`${here}/${name}/${file}`);
  for await (const { name: figure } of Deno.readDir(`${here}/${name}/figures`)) {
    if (figure !== "scores-180mm.svg") await Deno.remove(`${here}/${name}/figures/${figure}`);
  }
}

/** The columns of a Markdown table whose heads begin with these words. */
function columns(lines: readonly string[], metrics: readonly string[]): string[] {
  const cells = lines.map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  const isWanted = (head: string) =>
    head === "method" || metrics.some((name) => head.replace(/ [↑↓(].*/, "") === name);
  const wanted = cells[0].flatMap((head, at) => isWanted(head) ? [at] : []);
  return cells.map((row) => `| ${wanted.map((at) => row[at]).join(" | ")} |`);
}

/** What a page shows of a run: its tables, where the rest is, and the verdicts. */
async function excerpt(table: string, { name, metrics }: Evidence): Promise<string> {
  const blocks = table.split("\n\n").slice(1);
  const costs = blocks.findIndex((block) => block.includes("<!-- cost -->"));
  const [own, ...conditions] = blocks.slice(0, costs < 0 ? undefined : costs)
    .filter((block) => block.startsWith("| method")).map((block) => block.split("\n"));
  // Of what was measured otherwise the leading metric, side by side.
  const beside = own.map((row, at) => `${first(row)}${conditions.map((rows) => second(rows[at])).join("")}`);
  const shown = [columns(own, metrics), ...(conditions.length > 0 ? [beside] : [])];
  const files =
    `All columns, conventions and costs: [table.md](${name}/table.md); statistics: [statistics.csv](${name}/statistics.csv).`;
  const verdicts = terminalVerdicts(await readRun(`${here}/${name}`));
  return [
    ...shown.map((rows) => rows.join("\n")),
    files,
    ...(verdicts === "" ? [] : ["```text\n" + verdicts + "\n```"]),
  ].join("\n\n");
}

const first = (row: string) => `|${row.split("|")[1]}|`;
const second = (row: string) => `${row.split("|")[2]}|`;

/** Puts a text between the two markers of a page, where the page has them. */
async function fill(path: string, marker: string, text: string): Promise<void> {
  const [begin, end] = [`<!-- ${marker} -->`, `<!-- /${marker} -->`];
  const page = await Deno.readTextFile(path);
  if (!page.includes(begin)) return;
  await Deno.writeTextFile(path, `${page.split(begin)[0]}${begin}\n\n${text}\n\n${end}${page.split(end)[1]}`);
}

const known = evidence.map(({ name }) => name);
const names = Deno.args.filter((name) => name !== "--as-is");
const strange = names.find((name) => !known.includes(name));
if (strange !== undefined) {
  console.error(`unknown run "${strange}"; known: ${known.join(", ")}`);
  Deno.exit(2);
}
const asked = evidence.filter(({ name }) => names.length === 0 || names.includes(name));
for (const { name, order } of asked) {
  const run = `${root}runs/evidence/${name}`;
  if (!Deno.args.includes("--as-is")) await deno("task", "bench", ...order, "--out", run);
  if (await isThere(run)) await keep(run, name);
}
const pages = [...Deno.readDirSync(here)].filter(({ name }) => name.endsWith(".md")).map(({ name }) =>
  `${here}/${name}`
);
for (const one of asked) {
  if (!await isThere(`${here}/${one.name}/table.md`)) continue;
  const table = await Deno.readTextFile(`${here}/${one.name}/table.md`);
  const shown = await excerpt(table, one);
  for (const page of pages) await fill(page, one.name, shown);
  if (one.name === "mri") {
    await fill(
      `${root}README.md`,
      "table",
      columns(table.split("\n\n")[1].split("\n"), one.metrics).join("\n"),
    );
  }
}
await deno("fmt", "--quiet", ...pages, `${root}README.md`);
