import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import { bench, ended, inFolder, lasting, namesIn, pathOf, recordsOf, started } from "./commands_running.ts";
import { stream } from "../core/random.ts";
import { keepReconstructions } from "../datasets/formats/reconstructions.ts";

const toy = ["toy", "--profile", "smoke", "--use", pathOf("toy_extension.ts"), "--workers", "1"];

const mount = (...args: string[]) => new Deno.Command("mount", { args, stderr: "null" }).output();
const umount = (path: string) => new Deno.Command("umount", { args: ["-l", path], stderr: "null" }).output();

/** Whether this user may mount; elsewhere what needs a small disk is skipped. */
let mayMount = false;
await inFolder(async (folder) => {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return;
  const tried = await mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", folder).catch(() => undefined);
  mayMount = tried?.success ?? false;
  if (mayMount) await umount(folder);
});

/** A disk of this size in kilobytes for one test. */
function onDisk(kilobytes: number, test: (disk: string, elsewhere: string) => Promise<void>): Promise<void> {
  return inFolder(async (folder) => {
    const disk = `${folder}/disk`;
    await Deno.mkdir(disk);
    ok((await mount("-t", "tmpfs", "-o", `size=${kilobytes}k`, "tmpfs", disk)).success);
    try {
      await test(disk, folder);
    } finally {
      await umount(disk);
    }
  });
}

const fill = (path: string, left: number) =>
  new Deno.Command("sh", {
    args: [
      "-c",
      `dd if=/dev/zero of=${path} bs=1k count=$(( $(df -k --output=avail ${
        path.replace(/[^/]*$/, "")
      } | tail -1) - ${left} ))`,
    ],
    stderr: "null",
  }).output();

Deno.test({
  name:
    "on a full disk bench says so and ends with 1; with room again the same command goes on to the same bytes",
  ignore: !mayMount,
  fn: () =>
    onDisk(4096, async (disk, elsewhere) => {
      const args = [...toy, "--methods", "input,half,trained,slow", "--seeds", "2", "--set", "updates=6"];
      const whole = await bench(...args, "--out", `${elsewhere}/whole`);
      equal(whole.code, 0, whole.err);

      const child = started("bench", ...args, "--out", `${disk}/run`);
      const end = ended(child);
      await recordsBegin(`${disk}/run`);
      await fill(`${disk}/other`, 0);
      const full = await end;
      equal(full.code, 1, full.out);
      match(full.err, /error: cannot write a file: No space left on device[^]*where: [^]*fix: +make room/);
      ok(!/\bat .*\.ts:\d+/.test(full.err), full.err);
      const kept = await recordsOf(`${disk}/run`);
      ok(kept.size > 0, "what was finished is kept");
      for (const [name, { state }] of kept) equal(state.kind, "done", name);

      // While there is no room, it says so again.
      const again = await bench(...args, "--out", `${disk}/run`);
      equal(again.code, 1, again.out + again.err);
      match(again.err, /No space left on device/);

      await Deno.remove(`${disk}/other`);
      const rest = await bench(...args, "--out", `${disk}/run`);
      equal(rest.code, 0, rest.err);
      match(rest.out, /finished already: [1-5]; to be done: [1-5]/);
      deepStrictEqual(await lasting(`${disk}/run`), await lasting(`${elsewhere}/whole`));
      deepStrictEqual((await namesIn(`${disk}/run`)).filter((name) => name.endsWith(".tmp")), []);
    }),
});

Deno.test({
  name: "kept reconstructions that do not fit on the disk are an error, and no file with holes",
  ignore: !mayMount,
  fn: () =>
    onDisk(128, async (disk) => {
      const rng = stream("storage");
      const image = () => ({
        shape: [64, 64, 1],
        data: Float32Array.from({ length: 4096 }, () => rng.uniform()),
      });
      const slices = Array.from({ length: 30 }, () => ({ reconstruction: image(), channels: 2 }));
      const error = await keepReconstructions(`${disk}/a`, slices).catch((error: Error) => error);
      match(String(error), /cannot write a file: No space left on device\n {2}where: .*\/a\.h5\n/);
      deepStrictEqual(await namesIn(disk), []);
    }),
});

Deno.test({
  name:
    "a folder that becomes read-only during a run is an error in words, and the same command goes on afterwards",
  ignore: !mayMount,
  fn: () =>
    inFolder(async (folder) => {
      const run = `${folder}/run`;
      const args = [...toy, "--methods", "input,slow", "--seeds", "1", "--set", "updates=20", "--out", run];
      const end = ended(started("bench", ...args));
      await recordsBegin(run);
      // Linux makes no disk read-only on which a lock is held, so one that is goes over the folder of the records.
      ok((await mount("-t", "tmpfs", "-o", "ro", "tmpfs", `${run}/records`)).success);
      try {
        const closed = await end;
        equal(closed.code, 1, closed.out);
        match(closed.err, /error: cannot write a file: Read-only file system/);
      } finally {
        await umount(`${run}/records`);
      }
      const rest = await bench(...args);
      equal(rest.code, 0, rest.err);
      match(rest.out, /finished already: 1; to be done: 1/);
    }),
});

Deno.test({
  name: "a disk that is read-only from the start is refused before anything is run",
  ignore: !mayMount,
  fn: () =>
    inFolder(async (folder) => {
      ok((await mount("-t", "tmpfs", "-o", "ro", "tmpfs", folder)).success);
      try {
        const { code, err } = await bench(...toy, "--methods", "input", "--out", `${folder}/run`);
        equal(code, 2);
        match(err, /the folder cannot be written: Read-only file system/);
      } finally {
        await umount(folder);
      }
    }),
});

Deno.test("a run's folder that vanishes is an error in words, and is not made anew with half a run in it", () =>
  inFolder(async (folder) => {
    const run = `${folder}/run`;
    const args = [...toy, "--methods", "input,slow", "--seeds", "2", "--set", "updates=8", "--out", run];
    const end = ended(started("bench", ...args));
    await recordsBegin(run);
    await Deno.rename(run, `${folder}/elsewhere`);
    const { code, err, out } = await end;
    equal(code, 1, out);
    match(err, /error: cannot write a file: No such file[^]*where: .*run\.json/);

    // It comes back, as a disk that was unplugged does.
    await Deno.remove(run, { recursive: true }).catch(() => {});
    await Deno.rename(`${folder}/elsewhere`, run);
    const rest = await bench(...args);
    equal(rest.code, 0, rest.err);
    match(rest.out, /finished already: [12]; to be done: [12]/);
  }));

Deno.test("Ctrl-C ends bench within a second or so, a second one at once; nothing is lost by either", () =>
  inFolder(async (folder) => {
    const args = [...toy, "--methods", "input,slow", "--seeds", "1", "--set", "updates=10"];
    equal((await bench(...args, "--out", `${folder}/whole`)).code, 0);
    for (const times of [1, 2]) {
      const run = `${folder}/${times}`;
      const child = started("bench", ...args, "--out", run);
      const end = ended(child);
      await recordsBegin(run);
      const start = performance.now();
      for (let i = 0; i < times; i++) child.kill("SIGINT");
      const { code } = await end;
      equal(code, 130);
      // A second is promised; the machines of CI are busy.
      ok(performance.now() - start < 5000);
      const rest = await bench(...args, "--out", run);
      equal(rest.code, 0, rest.err);
      match(rest.out, /finished already: 1; to be done: 1/);
      deepStrictEqual(await lasting(run), await lasting(`${folder}/whole`));
    }
  }));

/** Waits until a run has its first record. */
async function recordsBegin(folder: string): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    const names = await namesIn(`${folder}/records`).catch(() => []);
    if (names.some((name) => name.endsWith(".json"))) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the run has come to nothing");
}
