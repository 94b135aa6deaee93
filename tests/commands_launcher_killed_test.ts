import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import { keptUpdates } from "../harness/checkpoint.ts";
import { bench, ended, inFolder, lasting, namesIn, started, timesOf } from "./commands_running.ts";
import { plan } from "./killing.ts";

const updates = 60;
const jobs = ["zero-filled.json", "ot-cyclegan.seed-1.json"];
const args = ["mri", "--profile", "smoke", "--methods", "zero-filled,ot-cyclegan", "--seeds", "1-1"]
  .concat("--set", `updates=${updates}`, "--workers", "1", "--checkpoint-seconds", "0", "--keep-images");

const isThere = (path: string) => Deno.stat(path).then(() => true, () => false);
const kept = (folder: string) =>
  keptUpdates(`${folder}/checkpoints/ot-cyclegan.seed-1`).then((update) => update ?? 0);

/** What a launcher is killed in, and by what of its folder that is seen. */
const moments: Readonly<Record<string, (folder: string) => Promise<boolean>>> = {
  "the folder is opened": (folder) => isThere(`${folder}/run.lock`),
  "the plan is written": (folder) => isThere(`${folder}/plan.json`),
  "a job trains": async (folder) => await kept(folder) > updates / 4,
  "a job is scored": async (folder) => await kept(folder) === updates,
  "reports are written": (folder) => isThere(`${folder}/table.md`),
};

Deno.test("a launcher that is killed, whatever it was at, goes on by the same command to the same bytes", () =>
  inFolder(async (out) => {
    const [whole, cut] = [`${out}/whole`, `${out}/cut`];
    const undisturbed = await bench(...args, "--out", whole);
    equal(undisturbed.code, 0, undisturbed.err);

    for (const [what, isNow] of Object.entries(moments)) {
      const before = await timesOf(cut).catch(() => ({}));
      await killedWhen(() => isNow(cut), cut, what);
      // Whoever had finished before is left alone.
      const after = await timesOf(cut).catch((): Record<string, number> => ({}));
      for (const [name, time] of Object.entries(before)) equal(after[name], time, `${what}: ${name}`);
    }
    ok((await namesIn(`${cut}/records`)).length === jobs.length);

    const { code, err } = await bench(...args, "--out", cut);
    equal(code, 0, err);
    deepStrictEqual(await lasting(cut), await lasting(whole));
    deepStrictEqual(await tree(cut), await tree(whole));
  }));

Deno.test("a worker whose launcher is gone ends without a record, and the next one waits for it and goes on", () =>
  inFolder(async (folder) => {
    await plan(folder, ...args, "--methods", "ot-cyclegan", "--set", "updates=400");
    const left = started("job", folder, "0", "--worker");
    while (await kept(folder) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    left.kill("SIGSTOP");
    const next = started("job", folder, "0", "--worker");
    const errors = next.stderr.cancel();
    let text = "";
    for await (
      const part of next.stdout.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
    ) {
      // Nobody hears any more what the one that is left tells.
      if (text === "") {
        await left.stdout.cancel();
        left.kill("SIGCONT");
      }
      text += part;
    }
    deepStrictEqual([(await left.status).code, (await next.status).code], [1, 0]);
    await Promise.all([left.stderr.cancel(), errors]);
    const [first, second] = text.split("\n").map((line) => line === "" ? {} : JSON.parse(line));
    match(first.told, new RegExp(`^the job is still held by process ${left.pid} on .*: it is waited for$`));
    deepStrictEqual(second, { phase: "preparing", done: 0 });
    const training = text.split("\n").find((line) => line.includes('"training"'))!;
    ok(JSON.parse(training).done > 1 / 400, `it started over: ${training}`);
    deepStrictEqual(await namesIn(`${folder}/records`), ["ot-cyclegan.seed-1.json"]);
  }));

/** Kills the launcher at once when it is time, and sees that it was not done by then. */
async function killedWhen(isTime: () => Promise<boolean>, folder: string, what: string): Promise<void> {
  // A launcher that writes its reports may be done before it is seen to: it writes them once more then.
  for (let tries = 0; tries < 10; tries++) {
    await Deno.remove(`${folder}/table.md`).catch(() => {});
    const child = started("bench", ...args, "--out", folder);
    const end = ended(child);
    let isOver = false;
    end.then(() => isOver = true);
    while (!isOver && !await isTime()) await new Promise((resolve) => setTimeout(resolve, 2));
    if (!isOver) child.kill("SIGKILL");
    const { code, err } = await end;
    if (code === 137) return;
    equal(code, 0, `${what}: ${err}`);
  }
  throw new Error(`it was always done before it could be killed: ${what}`);
}

/** The paths of all files in a folder. */
async function tree(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const paths = await Promise.all(
    entries.map(async ({ name, isDirectory }) =>
      isDirectory ? (await tree(`${folder}/${name}`)).map((path) => `${name}/${path}`) : [name]
    ),
  );
  return paths.flat().sort();
}
