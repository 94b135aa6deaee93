import assert from "node:assert/strict";
import { UsageError } from "../core/errors.ts";
import { mergeRuns } from "../results/merge.ts";
import { recordLine, type ResultRecord } from "../results/record.ts";
import { folderOf, readRun, type Run } from "../results/run.ts";
import { summarise } from "../results/summary.ts";
import { inFolder } from "./commands_running.ts";
import { fullRun, record, row, run, score } from "./reports_made_run.ts";

/** The records with these seeds, in a folder of their own. */
function part(folder: string, made: Run, seeds: readonly (number | null)[]): Run {
  return {
    ...made,
    folder,
    file: { ...made.file, seeds: seeds.filter((seed) => seed !== null) },
    records: made.records.filter(({ seed }) => seeds.includes(seed)),
  };
}

Deno.test("a run in parts, put together, has the whole run's table, whatever is in both", () => {
  const made = fullRun();
  const parts = [part("/a", made, [null, 1, 2]), part("/b", made, [2, 3])];
  const [merged, ...others] = mergeRuns(parts);
  assert.deepEqual(others, []);
  assert.deepEqual(summarise(merged), summarise({ ...made, records: made.records }));
  assert.deepEqual(merged.file.seeds, [1, 2, 3]);
  assert.deepEqual(merged.refused, []);
  const third = merged.records.find(({ seed }) => seed === 3)!;
  assert.equal(folderOf(merged, third), "/b");
});

Deno.test("rows that were run elsewhere stand where their table has them", () => {
  const made = (names: readonly string[]) =>
    run(names.map((name) => row(name, false)), names.map((name) => record(name, null, [])));
  const [merged] = mergeRuns([made(["a", "c", "e"]), made(["a", "b", "e", "f"])]);
  assert.deepEqual(merged.file.rows.map(({ name }) => name), ["a", "b", "c", "e", "f"]);
  assert.equal(merged.records.length, 5);
});

Deno.test("runs of different benchmarks or profiles are tables side by side", () => {
  const made = fullRun();
  const smoke: Run = { ...made, file: { ...made.file, profile: "smoke", configuration: "d".repeat(64) } };
  const ct: Run = { ...made, file: { ...made.file, benchmark: "ct" } };
  const tables = mergeRuns([made, smoke, ct, made]);
  assert.deepEqual(tables.map(({ file }) => `${file.benchmark} ${file.profile}`), [
    "mri quick",
    "mri smoke",
    "ct quick",
  ]);
});

Deno.test("runs that are not comparable are refused, with the setting that differs", () => {
  const made = fullRun();
  const other: Run = {
    ...made,
    folder: "/other",
    file: {
      ...made.file,
      configuration: "d".repeat(64),
      identity: { settings: { acceleration: 8, updates: 1200 } },
    },
  };
  assert.throws(() => mergeRuns([made, other]), (error: Error) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /settings\.acceleration: 4 there, 8 here/);
    assert.match(error.message, /where: \/other/);
    return true;
  });
});

Deno.test("rows of one name with other settings are refused, too", () => {
  const made = (gamma: number) => run([{ ...row("ours", true), settings: { gamma } }], []);
  assert.throws(() => mergeRuns([made(10), made(100)]), /ours\.gamma: 10 there, 100 here/);
});

Deno.test("a job that failed here and was done there is done; machines and costs may differ", () => {
  const rows = [row("network", true)];
  const failed = record("network", 1, [], { state: { kind: "failed", reason: "killed" } });
  const done = record("network", 1, [score(0, "s6", "", 20)], {
    provenance: { processor: "another" },
    cost: { "peak-memory": 1 },
  });
  const again = { ...done, provenance: { processor: "a third" }, cost: {} };
  for (const order of [[failed, done, again], [done, again, failed]]) {
    const [merged] = mergeRuns(order.map((one) => run(rows, [one])));
    assert.deepEqual(merged.records, [done]);
    assert.deepEqual(merged.refused, []);
  }
});

Deno.test("of two records of one job that disagree the first is taken, and the other named with what differs", () => {
  const rows = [row("network", true)];
  const made = (value: number, folder: string): Run => ({
    ...run(rows, [record("network", 1, [score(0, "s6", "", value)])]),
    folder,
  });
  const [merged] = mergeRuns([made(20, "/a"), made(21, "/b")]);
  assert.equal(merged.records[0].scores[0].value, 20);
  assert.equal(merged.refused!.length, 1);
  assert.match(
    merged.refused![0],
    /method "network", seed 1 has another record in \/a, which was taken; what differs: 1 of 1 scores, by 4\.8e-2 of its value at the most: psnr \(fastmri\) of s6\n {2}where: \/b/,
  );
});

Deno.test("readRun() takes a folder that kept records.jsonl alone, and names each bad line; the others stay valid", async () => {
  await inFolder(async (folder) => {
    const made = fullRun();
    const [first, second, ...rest] = made.records;
    const foreign: ResultRecord = { ...second, configuration: "f".repeat(64) };
    const lines = [recordLine(first), "not JSON\n", recordLine(foreign), recordLine(first), "\n"];
    const last = recordLine(second);
    await Deno.writeTextFile(`${folder}/run.json`, JSON.stringify(made.file));
    await Deno.writeTextFile(
      `${folder}/records.jsonl`,
      [...lines, ...rest.map(recordLine), last.slice(0, last.length / 2)].join(""),
    );
    const { records, refused } = await readRun(folder);
    assert.deepEqual(records, [first, ...rest]);
    const at = (line: number) => `where: ${folder}/records.jsonl:${line}\n`;
    const says = [
      [2, "expected one JSON object"],
      [3, "the record is of another run: configuration ffffffffffff"],
      [4, `method "${first.method}" has a record already, ${folder}/records.jsonl:1`],
      [6 + rest.length, "expected one JSON object"],
    ] as const;
    assert.equal(refused!.length, says.length);
    for (const [index, [line, what]] of says.entries()) {
      assert.ok(refused![index].includes(what) && refused![index].includes(at(line)), refused![index]);
    }
  });
});

Deno.test("readRun() takes packed records, and of a damaged pack what comes before the damage", async () => {
  await inFolder(async (folder) => {
    const made = fullRun();
    await Deno.writeTextFile(`${folder}/run.json`, JSON.stringify(made.file));
    const lines = new Blob([made.records.map(recordLine).join("")]);
    const packed = await new Response(lines.stream().pipeThrough(new CompressionStream("gzip"))).bytes();
    await Deno.writeFile(`${folder}/records.jsonl.gz`, packed);
    assert.deepEqual((await readRun(folder)).records, made.records);
    await Deno.writeFile(`${folder}/records.jsonl.gz`, packed.subarray(0, packed.length - 12));
    const { records, refused } = await readRun(folder);
    assert.deepEqual(records, made.records.slice(0, records.length));
    assert.match(refused!.at(-1)!, /the packed file is damaged: .*\n {2}where: .*records\.jsonl\.gz/);
  });
});

Deno.test("readRun() says what a folder lacks that is no run's", async () => {
  await inFolder(async (folder) => {
    await assert.rejects(
      readRun(folder),
      /there is no run\.json\n {2}where: .*\n {2}fix: {3}name the folder of a run/,
    );
    await Deno.writeTextFile(`${folder}/run.json`, '{"identity": {}}');
    await assert.rejects(readRun(folder), /its "[a-z]+" is missing or of the wrong kind/);
    await Deno.writeTextFile(`${folder}/run.json`, JSON.stringify(fullRun().file));
    await assert.rejects(readRun(folder), /neither a plan\.json nor a records\.jsonl/);
  });
});
