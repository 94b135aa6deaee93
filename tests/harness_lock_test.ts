import { deepStrictEqual, match, ok, rejects } from "node:assert/strict";
import { Lock } from "../harness/lock.ts";
import { inFolder, namesIn } from "./commands_running.ts";

const what = "the thing";

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
    await using _again = await Lock.take(path, { what });
    deepStrictEqual(await namesIn(`${folder}/deep`), ["one.lock"]);
  }));

Deno.test("a lock that a process of this host left behind is taken at once", () =>
  inFolder(async (folder) => {
    const path = `${folder}/one.lock`;
    const child = new Deno.Command("true").spawn();
    await child.status;
    const holder = { host: Deno.hostname(), pid: child.pid, since: "then", beats: 3 };
    await Deno.writeTextFile(path, JSON.stringify(holder));
    await using _lock = await Lock.take(path, { what });
    ok(!(await Deno.readTextFile(path)).includes("then"));
  }));

Deno.test("a lock of another host is taken where it gives no sign of life, and left where it does", () =>
  inFolder(async (folder) => {
    const path = `${folder}/one.lock`;
    const holder = { host: "elsewhere", pid: 1, since: "then", beats: 3 };
    const told: string[] = [];
    await Deno.writeTextFile(path, JSON.stringify(holder));
    const beating = setTimeout(
      () => Deno.writeTextFileSync(path, JSON.stringify({ ...holder, beats: 4 })),
      300,
    );
    await rejects(
      Lock.take(path, { what, patience: 2, told: (line) => told.push(line) }),
      /process 1 on elsewhere/,
    );
    clearTimeout(beating);
    match(told.join(), /process 1 on elsewhere; it is watched for 2 seconds/);
    await using _lock = await Lock.take(path, { what, patience: 1 });
    ok((await Deno.readTextFile(path)).includes(Deno.hostname()));
  }));

Deno.test("a lock that was cut off while it was written is no obstacle for ever", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/one.lock`, '{"host":');
    await using _lock = await Lock.take(`${folder}/one.lock`, { what, patience: 1 });
    ok(true);
  }));

Deno.test("of many who want a lock at once, one gets it", () =>
  inFolder(async (folder) => {
    const path = `${folder}/one.lock`;
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => Lock.take(path, { what })));
    const held = results.filter(({ status }) => status === "fulfilled");
    deepStrictEqual(held.length, 1);
    await (held[0] as PromiseFulfilledResult<Lock>).value[Symbol.asyncDispose]();
  }));
