import assert from "node:assert/strict";
import { recordLine, recordName, type ResultRecord } from "../results/record.ts";
import { readRun } from "../results/run.ts";
import { record, row, run, score } from "./reports_made_run.ts";

const good = record("network", 1, [score(0, "s6", "", 20)]);

Deno.test("readRun() returns the records of the plan, in its order, as far as they are there", async () => {
  await inFolder(async (folder) => {
    const second = record("network", 2, []);
    await write(folder, { "network.seed-2.json": second, "network.seed-1.json": good }, [
      "network.seed-1.json",
      "network.seed-2.json",
      "network.seed-3.json",
    ]);
    const { records, refused } = await readRun(folder);
    assert.deepEqual(records.map(({ seed }) => seed), [1, 2]);
    assert.deepEqual(refused, []);
  });
});

const broken: { name: string; content: ResultRecord | string; says: RegExp }[] = [
  { name: "a truncated record", content: recordLine(good).slice(0, 100), says: /expected one JSON object/ },
  { name: "an empty record", content: "", says: /cannot read a record/ },
  { name: "a record without scores", content: '{"version":1}', says: /"benchmark" is missing/ },
  { name: "a record of another job", content: record("other", 2, []), says: /method "other"/ },
  {
    name: "a record of another run",
    content: record("network", 2, [], { configuration: "d".repeat(64) }),
    says: /another run/,
  },
  ...Object.entries({
    state: { kind: "diverged" },
    log: [{ update: "1", values: {} }],
    pictures: [{ name: "truth", subject: "s6", sample: "a", shape: [2, 2], sha256: "" }],
    notes: [1],
  }).map(([member, value]) => ({
    name: `a record whose ${member} ${member === "state" ? "says" : "say"} too little`,
    content: recordLine({ ...good, seed: 2, [member]: value } as ResultRecord),
    says: new RegExp(`its "${member}" is missing or of the wrong kind`),
  })),
];
for (const { name, content, says } of broken) {
  Deno.test(`readRun() refuses ${name} by its file's name, and keeps the others`, async () => {
    await inFolder(async (folder) => {
      await write(folder, { "network.seed-1.json": good, "network.seed-2.json": content }, [
        "network.seed-1.json",
        "network.seed-2.json",
      ]);
      const { records, refused } = await readRun(folder);
      assert.deepEqual(records, [good]);
      assert.equal(refused!.length, 1);
      assert.match(refused![0], says);
      assert.match(refused![0], /records\/network\.seed-2\.json/);
    });
  });
}

Deno.test("readRun() names what lies in records/ and is of no job, and takes the others", async () => {
  await inFolder(async (folder) => {
    const own = { "network.seed-1.json": good };
    const passing = [".DS_Store", "network.seed-1.json.17-1.tmp"];
    const strange = ["network.seed-1-copy.json", "network.seed-2.json", "notes.txt", "wiener.json"];
    const beside = Object.fromEntries([...passing, ...strange].map((name) => [name, good]));
    await write(folder, { ...own, ...beside }, Object.keys(own));
    const { records, refused, strays } = await readRun(folder);
    assert.deepEqual(records, [good]);
    assert.deepEqual(refused, []);
    assert.equal(strays!.length, strange.length);
    strange.forEach((name, at) => {
      assert.match(strays![at], /^no job of the run's plan leaves a record of this name\n/);
      assert.ok(strays![at].includes(`where: ${folder}/records/${name}\n`));
    });
  });
});

Deno.test("readRun() names the file where run.json is broken, and says what to do", async () => {
  await inFolder(async (folder) => {
    await write(folder, {}, []);
    await Deno.writeTextFile(`${folder}/run.json`, "{");
    await assert.rejects(readRun(folder), /not valid JSON[^]*run\.json[^]*--fresh/);
    await Deno.writeTextFile(`${folder}/run.json`, '{"compilerOptions":{}}');
    await assert.rejects(readRun(folder), /has no "identity"[^]*run\.json[^]*--fresh/);
  });
});

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function write(
  folder: string,
  records: Readonly<Record<string, ResultRecord | string>>,
  plan: readonly string[],
): Promise<void> {
  const { file } = run([row("network", true)], []);
  assert.ok(plan.every((name) => /^network\.seed-\d\.json$/.test(name)));
  assert.equal(recordName("network", 1), "network.seed-1.json");
  await Deno.mkdir(`${folder}/records`);
  await Deno.writeTextFile(`${folder}/run.json`, JSON.stringify(file));
  await Deno.writeTextFile(
    `${folder}/plan.json`,
    JSON.stringify({ jobs: plan.map((record) => ({ record })) }),
  );
  for (const [name, content] of Object.entries(records)) {
    const text = typeof content === "string" ? content : recordLine(content);
    await Deno.writeTextFile(`${folder}/records/${name}`, text);
  }
}
