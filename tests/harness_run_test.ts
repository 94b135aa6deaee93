import { deepStrictEqual, equal, match, ok, rejects } from "node:assert/strict";
import { loadSuite } from "../commands/suite.ts";
import { execute, type Watcher } from "../harness/execute.ts";
import { type Order, prepare } from "../harness/prepare.ts";
import { localWorkers } from "../harness/workers.ts";
import type { ResultRecord } from "../results/record.ts";
import { readRun } from "../results/run.ts";
import { inFolder, namesIn, pathOf, recordsOf } from "./commands_running.ts";

const use = [pathOf("toy_extension.ts")];
const suite = await loadSuite(use);

function order(out: string, more: Partial<Order["request"]> = {}, others: Partial<Order> = {}): Order {
  return {
    request: { benchmark: "toy", profile: "smoke", set: [], ...more },
    data: [],
    split: "subjects",
    dataSeed: 1,
    use,
    backend: "cpu",
    portable: false,
    out,
    fresh: false,
    keepImages: false,
    ...others,
  };
}

/** Writes down what it is told. */
class Notebook implements Watcher {
  readonly lines: string[] = [];
  readonly ends: ResultRecord[] = [];
  onStart: () => void = () => {};
  planned(): void {}
  said(line: string): void {
    this.lines.push(line);
  }
  started(): void {
    this.onStart();
  }
  progressed(): void {}
  ended(_job: unknown, record: ResultRecord): void {
    this.ends.push(record);
  }
  seedDone(seed: number): Promise<void> {
    this.lines.push(`seed ${seed}`);
    return Promise.resolve();
  }
}

Deno.test("prepare() gives a run the same identity whatever its methods and seeds, and another for other data or settings", () =>
  inFolder(async (out) => {
    const hashes = async (...orders: Order[]) => {
      const found: string[] = [];
      for (const one of orders) found.push((await prepare(suite, one)).run.configuration);
      return found;
    };
    const [plain, methods, seeds, equalValue] = await hashes(
      order(`${out}/a`),
      order(`${out}/b`, { methods: ["half"] }),
      order(`${out}/c`, { seeds: "7-9" }),
      order(`${out}/d`, { set: ["strength=2", "rate=1e-1"] }),
    );
    deepStrictEqual([methods, seeds, equalValue], [plain, plain, plain]);
    const others = await hashes(
      order(`${out}/e`, { set: ["strength=3"] }),
      order(`${out}/f`, { set: ["rate=0.2"] }),
      order(`${out}/g`, { set: ["trained.rate=0.2"] }),
      order(`${out}/h`, { profile: "quick" }),
      order(`${out}/i`, {}, { dataSeed: 2 }),
      order(`${out}/j`, {}, { backend: "wasm" }),
    );
    equal(new Set([plain, ...others]).size, 7);
  }));

Deno.test("run.json holds the split by subject, the seeds, and what computed", () =>
  inFolder(async (out) => {
    const { run } = await prepare(suite, order(out, { methods: ["trained"], seeds: "4,2" }));
    deepStrictEqual(run.seeds, [2, 4]);
    const subjects = Object.values(run.split.parts).flatMap((part) => part.subjects);
    deepStrictEqual(subjects.toSorted(), Array.from({ length: 14 }, (_, i) => `s${i}`).toSorted());
    equal(run.provenance.backend, "cpu");
    equal(run.provenance.deno, Deno.version.deno);
    match(JSON.stringify(run.provenance.packages), /"@tensorflow\/tfjs-core":"\d+\.\d+\.\d+"/);
    deepStrictEqual(await namesIn(out), [], "preparing writes nothing");
  }));

Deno.test("execute() makes a failed record of a worker that dies, and does the other jobs", () =>
  inFolder(async (out) => {
    const prepared = await prepare(suite, order(out, { methods: ["input", "dying"] }));
    const notebook = new Notebook();
    const { failed, records } = await execute(
      prepared,
      localWorkers(2),
      notebook,
      new AbortController().signal,
    );
    equal(failed, 1);
    deepStrictEqual(records.map(({ method, state }) => [method, state.kind]), [["input", "done"], [
      "dying",
      "failed",
    ]]);
    const { state } = (await recordsOf(out)).get("dying.json")!;
    match(state.kind === "failed" ? state.reason : "", /worker ended with code 7/);
    equal((await readRun(out)).records.length, 2);
  }));

Deno.test("execute() ends its workers when it is aborted, and leaves whole records only", () =>
  inFolder(async (out) => {
    const prepared = await prepare(
      suite,
      order(out, { methods: ["slow"], seeds: "2", set: ["updates=1000"] }),
    );
    const notebook = new Notebook();
    const stop = new AbortController();
    notebook.onStart = () => setTimeout(() => stop.abort(new Error("enough")), 400);
    const start = performance.now();
    await rejects(execute(prepared, localWorkers(2), notebook, stop.signal), /enough/);
    // Either job alone would take 150 s.
    ok(performance.now() - start < 60_000);
    deepStrictEqual(notebook.ends, []);
    ok(!(await namesIn(out)).includes("records"));
  }));

Deno.test("execute() tells of each seed once, when all its jobs are there", () =>
  inFolder(async (out) => {
    const request = { methods: ["input", "trained"], seeds: "2" };
    const notebook = new Notebook();
    await execute(
      await prepare(suite, order(out, request)),
      localWorkers(1),
      notebook,
      new AbortController().signal,
    );
    deepStrictEqual(notebook.lines, ["seed 1", "seed 2"]);
    deepStrictEqual(notebook.ends.map(({ seed }) => seed), [1, null, 2]);
  }));

Deno.test("execute() says of a job that its code is another one than was planned", () =>
  inFolder(async (out) => {
    const prepared = await prepare(suite, order(out, { methods: ["input"] }));
    const notebook = new Notebook();
    const planned = { ...prepared, sourcesOf: () => ({ "metrics/psnr.ts": "as it was" }) };
    await execute(planned, localWorkers(1), notebook, new AbortController().signal);
    match(notebook.lines[0], /^input was run by other code than was planned; /);
  }));

Deno.test("execute() runs a job again whose record is another job's", () =>
  inFolder(async (out) => {
    const request = { methods: ["trained"], seeds: "2" };
    const run = async () => {
      const notebook = new Notebook();
      await execute(
        await prepare(suite, order(out, request)),
        localWorkers(1),
        notebook,
        new AbortController().signal,
      );
      return notebook;
    };
    await run();
    await Deno.copyFile(`${out}/records/trained.seed-1.json`, `${out}/records/trained.seed-2.json`);
    match((await readRun(out)).refused!.join(), /not what its file name says/);
    const again = await run();
    match(again.lines[0], /trained seed 2 has the record of another job and is run again/);
    deepStrictEqual(again.ends.map(({ seed }) => seed), [2]);
    deepStrictEqual((await readRun(out)).refused, []);
  }));

Deno.test("prepare() refuses a damaged run.json or plan.json in words, and --fresh starts over", () =>
  inFolder(async (out) => {
    for (
      const [name, text, says] of [
        ["run.json", "{", /not valid JSON/],
        ["run.json", "null", /no "identity"/],
        ["plan.json", "[]", /no "jobs"/],
        ["plan.json", "", /not valid JSON/],
      ] as const
    ) {
      const folder = `${out}/${name}-${text.length}`;
      await execute(
        await prepare(suite, order(folder)),
        localWorkers(1),
        new Notebook(),
        new AbortController().signal,
      );
      await Deno.writeTextFile(`${folder}/${name}`, text);
      const refusal = await prepare(suite, order(folder)).then(() => undefined, (error: Error) => error);
      equal(refusal?.name, "UsageError");
      match(refusal!.message, says);
      match(refusal!.message, new RegExp(`where: .*${name}[^]*--fresh`));
      await prepare(suite, order(folder, {}, { fresh: true }));
      deepStrictEqual(await namesIn(folder), []);
    }
  }));
