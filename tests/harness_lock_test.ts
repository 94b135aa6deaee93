import { deepStrictEqual, equal, match, ok, rejects } from "node:assert/strict";
import { Lock } from "../harness/lock.ts";
import { workerPermissions } from "../harness/permissions.ts";
import type { Plan } from "../harness/plan.ts";
import { inFolder, namesIn, pathOf } from "./commands_running.ts";

const what = "the thing";

/** A process with a worker's permissions that takes the lock in a folder and holds it until it is killed. */
async function holder(folder: string): Promise<Deno.ChildProcess> {
  const code = `import { Lock } from ${JSON.stringify(`file://${pathOf("../harness/lock.ts")}`)};
    try {
      const lock = await Lock.take(${JSON.stringify(`${folder}/one.lock`)}, { what: "the thing" });
      console.log("held", lock.path);
      setInterval(() => {}, 1000);
    } catch (error) { console.log(error.message.replaceAll("\\n", " ")); }`;
  await Deno.writeTextFile(`${folder}/holder.ts`, code);
  const plan = { use: [], data: { paths: [] }, backend: { name: "wasm" } } as unknown as Plan;
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--config",
      pathOf("../deno.json"),
      "--no-prompt",
      ...workerPermissions(folder, plan),
      `${folder}/holder.ts`,
    ],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** What a process says first. */
async function firstWords(child: Deno.ChildProcess): Promise<string> {
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return new TextDecoder().decode(value);
}

async function ended(child: Deno.ChildProcess): Promise<void> {
  await Promise.all([child.stdout.cancel(), child.stderr.cancel(), child.status]);
}

Deno.test("a lock is held once, says who holds it, and is free again afterwards", () =>
  inFolder(async (folder) => {
    const path = `${folder}/deep/one.lock`;
    {
      await using _held = await Lock.take(path, { what });
      await rejects(Lock.take(path, { what }), (error: Error) => {
        match(error.message, new RegExp(`the thing is held by process ${Deno.pid} on ${Deno.hostname()}`));
        match(error.message, /one\.lock/);
        return true;
      });
    }
    deepStrictEqual(await namesIn(`${folder}/deep`), []);
    await using _again = await Lock.take(path, { what });
  }));

Deno.test("a worker's lock keeps another worker off, and is free as soon as the worker is killed", () =>
  inFolder(async (folder) => {
    const first = await holder(folder);
    match(await firstWords(first), /^held/);
    const second = await holder(folder);
    match(await firstWords(second), new RegExp(`the thing is held by process ${first.pid} on `));
    first.kill("SIGKILL");
    await ended(first);
    await ended(second);
    ok((await namesIn(folder)).includes("one.lock"), "it was killed, and could not clear away");
    await using _lock = await Lock.take(`${folder}/one.lock`, { what });
    ok((await Deno.readTextFile(`${folder}/one.lock`)).includes(String(Deno.pid)));
  }));

Deno.test("of many who want a lock at once, one gets it, also one that somebody left behind", () =>
  inFolder(async (folder) => {
    const path = `${folder}/one.lock`;
    for (let turn = 0; turn < 50; turn++) {
      if (turn % 2 === 1) await Deno.writeTextFile(path, "process 1 on elsewhere\n");
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => Lock.take(path, { what })));
      const held = results.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
      equal(held.length, 1);
      await held[0][Symbol.asyncDispose]();
    }
  }));

Deno.test("a lock that is waited for is taken when its holder gives it back, and it is told once who that is", () =>
  inFolder(async (folder) => {
    const path = `${folder}/one.lock`;
    const first = await Lock.take(path, { what });
    const told: string[] = [];
    const second = Lock.take(path, { what, waits: (holder) => told.push(holder) });
    await new Promise((resolve) => setTimeout(resolve, 700));
    deepStrictEqual(told, [`process ${Deno.pid} on ${Deno.hostname()}`]);
    await first[Symbol.asyncDispose]();
    await using _ = await second;
    await rejects(Lock.take(path, { what }), /held by process/);
  }));
