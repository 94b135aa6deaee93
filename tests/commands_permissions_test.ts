import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import settings from "../deno.json" with { type: "json" };
import { inFolder, pathOf } from "./commands_running.ts";
import { flagsOf, type TaskName } from "./tasks.ts";

/**
 * What each task may do. A launcher reads the user's data and writes the user's folder, wherever they are; the workers that
 * it starts are held to both by name (tests/commands_killed_test.ts).
 */
const may: Partial<Record<TaskName, readonly string[]>> = {
  bench: ["read", "write", "start deno"],
  check: ["read", "write", "start deno"],
  reproduce: ["read", "write", "start deno"],
  report: ["read", "write"],
  reconstruct: ["read", "write"],
  job: ["read", "write"],
  data: ["read"],
  verify: ["read"],
};

/**
 * Tasks for those who work on the suite, which start browsers, compilers, mounts and each other; and those that build and
 * try code of the machine's own.
 */
const unbounded: readonly string[] = [
  ...["test", "perf", "simulate", "evidence", "power", "kills", "soak", "fuzz", "kernels", "lint"],
  ...["native", "backends"],
];

Deno.test("every task is held to a list of what it may do, or is for those who work on the suite", () => {
  const unheld = Object.keys(settings.tasks).filter((task) => !(task in may));
  for (const task of unheld) ok(unbounded.includes(task), `nobody says what ${task} may do`);
  for (const task of Object.keys(may)) {
    const text = settings.tasks[task as TaskName];
    ok(!/ -A|--allow-(all|net|import|ffi(?!=\.native ))/.test(text), text);
  }
});

for (const [task, list] of Object.entries(may)) {
  Deno.test(`deno task ${task} may ${list.join(", ")}, and nothing else`, async () => {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", ...flagsOf(task as TaskName), pathOf("trespasser.ts")],
    }).output();
    const text = new TextDecoder();
    ok(stdout.length > 0, text.decode(stderr));
    deepStrictEqual(JSON.parse(text.decode(stdout)), list);
  });
}

Deno.test("the tasks do their work with no more than that, from the shell that deno task has", () =>
  inFolder(async (folder) => {
    const run = `${folder}/a run`;
    const task = async (...args: string[]) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["task", ...args],
        cwd: pathOf("../"),
        env: { NO_COLOR: "1" },
      }).output();
      const text = new TextDecoder();
      return { code, out: text.decode(stdout), err: text.decode(stderr) };
    };
    const orders: [string[], RegExp][] = [
      [[
        "bench",
        "mri",
        "--profile",
        "smoke",
        "--methods",
        "zero-filled,supervised",
        "--keep-images",
        "--out",
        run,
      ], /0\./],
      [["verify", run], /all of it holds/],
      [["report", run, "--out", `${folder}/report`, "--format", "csv,pdf"], /table\.csv/],
      [["reproduce", run], /every byte is the same/],
      [["job", run, "0"], /^$/],
      [["data", run], /HDF5|h5/],
    ];
    for (const [args, says] of orders) {
      const { code, out, err } = await task(...args);
      // What a run keeps is no data set, which is for `data` to say.
      equal(code, args[0] === "data" ? 2 : 0, `${args[0]}: ${out}${err}`);
      match(out, says);
    }
  }));
