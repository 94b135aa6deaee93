/** `deno task report` as a person calls it. */

import assert from "node:assert/strict";
import { LivePage } from "../commands/live_page.ts";
import { repeatCommand } from "../reports/page/configuration.ts";
import { recordLine } from "../results/record.ts";
import { bench, type Ended, ended, inFolder, namesIn, pathOf } from "./commands_running.ts";
import { fullRun, withPictures } from "./reports_made_run.ts";
import type { Run, RunFile } from "../results/run.ts";

async function report(...args: string[]): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "-A", pathOf("../commands/report.ts"), ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  return await ended(child);
}

/** Leaves a run as its folder keeps it. */
async function leave(folder: string, { file, records }: Run, more = ""): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/run.json`, JSON.stringify(file));
  await Deno.writeTextFile(`${folder}/records.jsonl`, records.map(recordLine).join("") + more);
}

Deno.test("deno task report writes every format, and only those asked for", async () => {
  await inFolder(async (folder) => {
    await leave(`${folder}/run`, await withPictures(fullRun(), `${folder}/run`, 16));
    const { code, out, err } = await report(`${folder}/run`);
    assert.equal(code, 0, err);
    assert.match(out, /ot-cyclegan +\d/);
    const names = await namesIn(`${folder}/run`);
    for (
      const name of [
        "table.md",
        "table.tex",
        "table-standalone.tex",
        "table.csv",
        "scores.csv",
        "statistics.csv",
      ]
        .concat("results.json", "verdicts.json", "report.html", "figures", "panels")
    ) assert.ok(names.includes(name), name);
    await report(`${folder}/run`, "--out", `${folder}/csv`, "--format", "csv");
    assert.deepEqual(await namesIn(`${folder}/csv`), ["scores.csv", "statistics.csv", "table.csv"]);
  });
});

Deno.test("deno task report leaves out a record that cannot be read, says so, and ends with 1", async () => {
  await inFolder(async (folder) => {
    await leave(`${folder}/run`, fullRun(), "{\n");
    const { code, err } = await report(`${folder}/run`, "--format", "md");
    assert.equal(code, 1);
    assert.match(err, /not in the report: cannot read a record: [\s\S]*records\.jsonl:19/);
    assert.match(
      await Deno.readTextFile(`${folder}/run/table.md`),
      /Not in this table: cannot read a record/,
    );
  });
});

Deno.test("deno task report refuses what it cannot do, in words", async () => {
  await inFolder(async (folder) => {
    const made = fullRun();
    const other = {
      ...made,
      file: { ...made.file, configuration: "d".repeat(64), identity: { settings: { acceleration: 8 } } },
    };
    await leave(`${folder}/a`, made);
    await leave(`${folder}/b`, other);
    const refusals: [string[], RegExp][] = [
      [[`${folder}/a`, `${folder}/b`], /not comparable: settings\.acceleration: 4 there, 8 here/],
      [[`${folder}/none`], /there is no run\.json/],
      [[`${folder}/a`, "--format", "htm"], /unknown format "htm"[\s\S]*did you mean "html"/],
      [[`${folder}/a`, "--formats", "md"], /did you mean "--format"/],
    ];
    for (const [args, says] of refusals) {
      const { code, err } = await report(...args);
      assert.equal(code, 2, err);
      assert.match(err, says);
    }
  });
});

Deno.test("the command that a page shows plans the same configuration again", async () => {
  await inFolder(async (folder) => {
    const asked = ["--methods", "zero-filled,ot-cyclegan", "--seeds", "7", "--data-seed", "3", "--portable"];
    const set = ["--set", "ot-cyclegan.gamma=50", "--set", "acceleration=2"];
    const plan = async (...args: string[]): Promise<RunFile> => {
      const out = `${folder}/${args.length}`;
      const { code, err } = await bench(...args, "--plan", "--out", out);
      assert.equal(code, 0, err);
      return JSON.parse(await Deno.readTextFile(`${out}/run.json`));
    };
    const first = await plan("mri", "--profile", "smoke", ...asked, ...set);
    const words = repeatCommand(first).replaceAll("\\\n", "").split(/\s+/);
    assert.deepEqual(words.slice(0, 4), ["deno", "task", "bench", "mri"]);
    const again = await plan(...words.slice(3));
    assert.equal(again.configuration, first.configuration);
    assert.deepEqual([again.rows, again.seeds], [first.rows, first.seeds]);
  });
});

Deno.test("a run's page is there while it goes on; what is wrong with it ends no run", async () => {
  await inFolder(async (folder) => {
    const made = fullRun();
    await leave(folder, { ...made, records: made.records.slice(0, 5) });
    const page = new LivePage(folder);
    page.refresh();
    // Drawn at once and never twice at a time; the second is for later.
    page.refresh();
    await page.close();
    const text = await Deno.readTextFile(`${folder}/report.html`);
    assert.match(text, /http-equiv="refresh"[\s\S]*5 of 18 jobs done/);
    await Deno.writeTextFile(`${folder}/run.json`, "{");
    const told: unknown[] = [];
    const log = console.error;
    console.error = (...args) => told.push(...args);
    try {
      const broken = new LivePage(folder);
      broken.refresh();
      await broken.close();
    } finally {
      console.error = log;
    }
    assert.match(String(told), /^report\.html could not be written: the file is not valid JSON/);
    assert.equal(await Deno.readTextFile(`${folder}/report.html`), text);
  });
});
