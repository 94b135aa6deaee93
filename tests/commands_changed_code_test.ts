import { deepStrictEqual, equal, match } from "node:assert/strict";
import { cp } from "node:fs/promises";
import { type Ended, ended, inFolder, pathOf, timesOf } from "./commands_running.ts";
import { flagsOf } from "./tasks.ts";

const folders = ["baselines", "benchmarks", "commands", "core", "datasets", "engine", "harness", "methods"]
  .concat("metrics", "physics", "reports", "results");

/** Runs the copy of the suite in a folder. */
function benchOf(suite: string, ...args: string[]): Promise<Ended> {
  return ended(
    new Deno.Command(Deno.execPath(), {
      args: ["run", ...flagsOf("bench"), `${suite}/commands/bench.ts`, ...args],
      cwd: suite,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn(),
  );
}

function changed(path: string): Promise<void> {
  return Deno.writeTextFile(path, "// changed\n", { append: true });
}

Deno.test("a changed source has the rows that reach it run again and no other, and it is said which it was", () =>
  inFolder(async (folder) => {
    const suite = `${folder}/suite`;
    await Deno.mkdir(suite);
    for (const name of ["deno.json", "deno.lock", "mod.ts", ...folders]) {
      await cp(pathOf(`../${name}`), `${suite}/${name}`, { recursive: true });
    }
    await Deno.writeTextFile(`${folder}/gain.ts`, "export const gain = 0.5;\n");
    await Deno.writeTextFile(
      `${folder}/mine.ts`,
      `import { gain } from "./gain.ts";
import { input } from "./suite/baselines/input.ts";
export default { rows: { mri: [{ name: "mine", method: { ...input, name: "mine", about: \`\${gain}\` } }] } };
`,
    );
    const out = `${folder}/run`;
    const args = ["mri", "--profile", "smoke", "--methods", "zero-filled,mean-image,mine"]
      .concat("--use", `${folder}/mine.ts`, "--out", out);
    const first = await benchOf(suite, ...args);
    equal(first.code, 0, first.err);
    const before = await timesOf(out);

    const elsewhere = ["reports/words.ts", "commands/progress.ts", "methods/wgan.ts", "benchmarks/ct.ts"];
    for (const path of elsewhere) await changed(`${suite}/${path}`);
    const none = await benchOf(suite, ...args);
    equal(none.code, 0, none.err);
    match(none.out, /finished already: 3; to be done: 0/);
    deepStrictEqual(await timesOf(out), before);

    await changed(`${suite}/baselines/mean_image.ts`);
    await changed(`${folder}/gain.ts`);
    const two = await benchOf(suite, ...args);
    equal(two.code, 0, two.err);
    match(
      two.out,
      /mean-image was run by other code \(changed: baselines\/mean_image\.ts\) and is run again/,
    );
    match(two.out, /mine was run by other code \(changed: use0\/gain\.ts\) and is run again/);
    match(two.out, /finished already: 1; to be done: 2/);
    equal((await timesOf(out))["zero-filled.json"], before["zero-filled.json"]);

    // As a run of a version that did not keep what its sources were.
    const { code: _, ...plan } = JSON.parse(await Deno.readTextFile(`${out}/plan.json`));
    await Deno.writeTextFile(`${out}/plan.json`, JSON.stringify(plan));
    await changed(`${suite}/metrics/psnr.ts`);
    const all = await benchOf(suite, ...args);
    equal(all.code, 0, all.err);
    for (const row of ["zero-filled", "mean-image", "mine"]) {
      match(all.out, new RegExp(`${row} was run by other code and is run again`));
    }
  }));
