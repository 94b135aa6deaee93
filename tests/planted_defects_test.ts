/**
 * The quality gate against defects that are really there: a copy of the suite, one line of it changed as a slip of the hand
 * would, and `deno task check` run from the copy against the baseline of the sound one.
 */

import { equal, match } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type Ended, ended, inFolder } from "./commands_running.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
/** What a copy does without. */
const left = new Set(["tests", "docs", "runs", "node_modules"]);

/** A line that is one thing, and should not be the other. */
interface Slip {
  readonly file: string;
  readonly is: string;
  readonly becomes: string;
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (name.startsWith(".") || (from === root && left.has(name))) continue;
    if (isDirectory) await copy(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/** A copy of the suite in a folder, with the slip in it where there is one. */
async function suiteWith(folder: string, slip?: Slip): Promise<string> {
  await copy(root, folder);
  if (slip !== undefined) {
    const path = `${folder}/${slip.file}`;
    const text = await Deno.readTextFile(path);
    equal(text.split(slip.is).length, 2, `${slip.file} has ${JSON.stringify(slip.is)} once`);
    await Deno.writeTextFile(path, text.replace(slip.is, slip.becomes));
  }
  return folder;
}

function checkOf(suite: string, ...args: string[]): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "-A", `${suite}/commands/check.ts`, ...args, "--out", `${suite}/runs`],
    cwd: suite,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", GITHUB_STEP_SUMMARY: "" },
  }).spawn();
  return ended(child);
}

/** Of rows that train nothing, whose check takes seconds: each against a baseline of the sound suite. */
const ofTheScanner: Readonly<Record<string, Slip & { benchmark: string; row: string }>> = {
  "a line of the mask's centre is not measured": {
    benchmark: "mri",
    row: "zero-filled",
    file: "physics/masks.ts",
    is: "return ascending([...block, ...rng.shuffled(outside).slice(0, rest)]);",
    becomes: "return ascending([...block.slice(1), ...rng.shuffled(outside).slice(0, rest)]);",
  },
  "half of the photons get lost": {
    benchmark: "ct",
    row: "low-dose",
    file: "physics/low_dose_ct.ts",
    is: 'countPhotons(depths, photons, rng.stream("photons"))',
    becomes: 'countPhotons(depths, photons / 2, rng.stream("photons"))',
  },
  "filtered back-projection is scaled by the wrong number of views": {
    benchmark: "misaligned-ct",
    row: "fbp",
    file: "physics/filtered_back_projection.ts",
    is: "Math.PI / (views * pixelSize)",
    becomes: "Math.PI / ((views + 1) * pixelSize)",
  },
};

for (const [name, { benchmark, row, ...slip }] of Object.entries(ofTheScanner)) {
  Deno.test(`the gate of ${benchmark} finds that ${name}, and nothing in a copy without it`, () =>
    inFolder(async (folder) => {
      const sound = await suiteWith(`${folder}/sound`);
      const broken = await suiteWith(`${folder}/broken`, slip);
      const args = ["--benchmarks", benchmark, "--methods", row, "--baseline", `${folder}/baseline.json`];
      equal((await checkOf(sound, ...args, "--update")).code, 0);
      const same = await checkOf(sound, ...args, "--fresh");
      equal(same.code, 0, same.out + same.err);
      match(same.out, /1 row checked: 1 bit-identical/);
      const { code, out, err } = await checkOf(broken, ...args);
      equal(code, 1, out + err);
      match(out, new RegExp(`REGRESSION +${row} .*: worse by `));
    }));
}

/** Of rows that train, against the suite's own baseline: one seed is enough for what costs so much. */
const ofTraining = [
  {
    benchmark: "mri",
    row: "ot-cyclegan",
    file: "methods/known_operator.ts",
    is: "rate: { default: 2e-3,",
    becomes: "rate: { default: 2e-2,",
  },
  {
    benchmark: "misaligned-ct",
    row: "primal-dual-l2",
    file: "methods/primal_dual.ts",
    is: "rate: { default: 1e-3,",
    becomes: "rate: { default: 1e-2,",
  },
] as const;

for (const { benchmark, row, ...slip } of ofTraining) {
  Deno.test(`the gate of ${benchmark} finds a learning rate tenfold, with one seed, and says that the setting is another`, () =>
    inFolder(async (folder) => {
      const broken = await suiteWith(`${folder}/broken`, slip);
      const args = ["--benchmarks", benchmark, "--methods", row, "--seeds", "1-1"];
      const { code, out, err } = await checkOf(broken, ...args);
      equal(code, 1, out + err);
      match(out, new RegExp(`note: ${row}: rate: 0\\.00(\\d) there, 0\\.0\\1 here`));
      match(out, new RegExp(`REGRESSION +${row} .*: worse by `));
    }));
}
