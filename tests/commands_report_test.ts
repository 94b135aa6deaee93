/** `deno task report` as a person calls it. */

import assert from "node:assert/strict";
import { recordLine } from "../results/record.ts";
import { type Ended, ended, inFolder, namesIn, pathOf } from "./commands_running.ts";
import { fullRun, withPictures } from "./reports_made_run.ts";
import type { Run } from "../results/run.ts";

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
