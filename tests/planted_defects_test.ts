/**
 * The quality gate against defects that are really there: a copy of the suite, one line of it changed as a slip of the hand
 * would, and `deno task check` run from the copy against the baseline of the sound one.
 */

import { deepEqual, equal, match } from "node:assert/strict";
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
const ofTheInstrument: Readonly<
  Record<string, Slip & { benchmark: string; row: string; settings?: readonly string[] }>
> = {
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
  "the camera's own light is left out of what Richardson and Lucy explain": {
    benchmark: "deconvolution",
    row: "richardson-lucy",
    // Its iterations are chosen on validation subjects, and all are run.
    settings: ["trainSubjects=2", "validationSubjects=1", "testSubjects=2"],
    file: "baselines/richardson_lucy.ts",
    is: "const measured = tf.clipByValue(tf.add(y, light), 0, Infinity);",
    becomes: "const measured = tf.clipByValue(y, 0, Infinity);",
  },
  "a volume's focus lies a plane off": {
    benchmark: "deconvolution-3d",
    row: "widefield",
    file: "physics/born_wolf.ts",
    is: "(i - (depth - 1) / 2) * stepNm",
    becomes: "(i - (depth + 1) / 2) * stepNm",
  },
  "frames lie half a fine pixel off the image's grid": {
    benchmark: "smlm",
    row: "widefield",
    file: "physics/super_resolution.ts",
    is: "const place = (column + 0.5) / factor - reach - 0.5;",
    becomes: "const place = column / factor - reach - 0.5;",
  },
};

for (const [name, { benchmark, row, settings = [], ...slip }] of Object.entries(ofTheInstrument)) {
  Deno.test(`the gate of ${benchmark} finds that ${name}, and nothing in a copy without it`, () =>
    inFolder(async (folder) => {
      const sound = await suiteWith(`${folder}/sound`);
      const broken = await suiteWith(`${folder}/broken`, slip);
      const args = [
        ...["--benchmarks", benchmark, "--methods", row, "--baseline", `${folder}/baseline.json`],
        ...settings.flatMap((setting) => ["--set", setting]),
      ];
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
const ofTraining: readonly (Slip & { benchmark: string; row: string; name: string; note?: string })[] = [
  {
    name: "a learning rate tenfold",
    benchmark: "mri",
    row: "ot-cyclegan",
    file: "methods/known_operator.ts",
    is: "rate: { default: 2e-3,",
    becomes: "rate: { default: 2e-2,",
    note: "rate: 0.002 there, 0.02 here",
  },
  {
    name: "a learning rate tenfold",
    benchmark: "misaligned-ct",
    row: "primal-dual-l2",
    file: "methods/primal_dual.ts",
    is: "rate: { default: 1e-3,",
    becomes: "rate: { default: 1e-2,",
    note: "rate: 0.001 there, 0.01 here",
  },
  {
    name: "a blur left out of the cycle of measurements",
    benchmark: "deconvolution",
    row: "ot-cyclegan-blind",
    file: "methods/noisy_measurements.ts",
    is: "d(y, H.forward(fake.G))",
    becomes: "d(y, inField(scene, fake.G))",
  },
  {
    name: "a learning rate tenfold",
    benchmark: "smlm",
    row: "deep-storm",
    file: "methods/supervised.ts",
    is: "rate: { default: 2e-3,",
    becomes: "rate: { default: 2e-2,",
    note: "rate: 0.002 there, 0.02 here",
  },
];

for (const { name, benchmark, row, note, ...slip } of ofTraining) {
  Deno.test(`the gate of ${benchmark} finds ${name}, with one seed`, () =>
    inFolder(async (folder) => {
      const broken = await suiteWith(`${folder}/broken`, slip);
      const args = ["--benchmarks", benchmark, "--methods", row, "--seeds", "1-1"];
      const { code, out, err } = await checkOf(broken, ...args);
      equal(code, 1, out + err);
      const notes = [...out.matchAll(/note: (.*)/g)].map(([, note]) => note);
      deepEqual(notes, note === undefined ? [] : [`${row}: ${note}`]);
      match(out, new RegExp(`REGRESSION +${row} .*: worse by `));
    }));
}
