/** Part `report`: the reports of very many records, in time and memory. */

import { writeWhole } from "../../core/files.ts";
import { stream } from "../../core/random.ts";
import { recordLine } from "../../results/record.ts";
import { record, row, run, score } from "../reports_made_run.ts";
import { Table } from "./table.ts";

const counts = [1000, 10_000, 100_000];
const methods = ["input", "supervised", "cyclegan", "ours"];
const subjects = ["s6", "s7", "s8"];

/** Reports of made-up records, each in a process of its own; prints, and returns Markdown. */
export async function report(): Promise<string> {
  const table = new Table(
    "| records | records.jsonl, MB | read, s | csv, s | all formats, s | peak memory, MB | report.html, MB |",
    "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
  );
  for (const count of counts) {
    const folder = await Deno.makeTempDir({ prefix: "ot-cyclegan-bench-perf-" });
    try {
      await leave(folder, count);
      const csv = await measured(folder, "csv");
      const all = await measured(folder, "md,csv,json,tex,html,svg,pdf");
      const megabytes = async (name: string) =>
        ((await Deno.stat(`${folder}/${name}`)).size / 2 ** 20).toFixed(1);
      table.add(
        `| ${all.records} | ${await megabytes("records.jsonl")} | ${all.readSeconds.toFixed(1)} | ${
          csv.writeSeconds.toFixed(1)
        } | ${all.writeSeconds.toFixed(1)} | ${all.megabytes.toFixed(0)} | ${await megabytes(
          "out/report.html",
        )} |`,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  return table.text;
}

/** A run of so many records, each with 12 scores and a log of six points. */
async function leave(folder: string, count: number): Promise<void> {
  const seeds = Array.from({ length: count / methods.length }, (_, i) => i + 1);
  const rng = stream("perf/report");
  const { file } = run(methods.map((name) => row(name, true)), [], { seeds });
  function* lines(): Generator<string> {
    for (const [place, method] of methods.entries()) {
      for (const seed of seeds) {
        const scores = [0, 1, 2, 3].flatMap((metric) =>
          subjects.map((subject) => score(metric, subject, metric < 2 ? "" : "a", 20 + place + rng.normal()))
        );
        const log = [1, 2, 3, 4, 5, 6].map((update) => ({
          update,
          values: { loss: rng.uniform(), cycle: 1 / update },
        }));
        yield recordLine(
          record(method, seed, scores, { log, cost: { "train-seconds": 10 + rng.uniform() } }),
        );
      }
    }
  }
  await writeWhole(`${folder}/run.json`, JSON.stringify(file));
  await writeWhole(`${folder}/records.jsonl`, lines());
}

async function measured(folder: string, formats: string): Promise<Record<string, number>> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${import.meta.dirname}/report_worker.ts`, folder, `${folder}/out`, formats],
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error("a report could not be written; what it said stands above");
  return JSON.parse(new TextDecoder().decode(stdout));
}
