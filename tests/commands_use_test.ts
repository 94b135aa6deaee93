import { deepStrictEqual, doesNotMatch, equal, match, notEqual } from "node:assert/strict";
import { bench, inFolder, pathOf, recordsOf, timesOf } from "./commands_running.ts";

const toyModule = pathOf("toy_extension.ts");
const toy = ["toy", "--profile", "smoke", "--use", toyModule];
const project = pathOf("../");

Deno.test("bench lists the benchmarks, methods, metrics and settings of a user's module", async () => {
  const { code, out } = await bench("list", "--use", toyModule);
  equal(code, 0);
  for (
    const part of [/^mri: /m, /^toy: Toy/m, /^ +diverging +a trained factor/m, /strength = 2/, /mae \(toy\)/]
  ) {
    match(out, part);
  }
});

Deno.test("a method that diverges is a row that says so, and the run is complete", () =>
  inFolder(async (folder) => {
    const { code, out } = await bench(...toy, "--methods", "input,diverging", "--out", folder);
    equal(code, 0);
    match(out, /diverging seed 1 diverged at update 2: the loss "ratio" is Infinity/);
    const { state, scores } = (await recordsOf(folder)).get("diverging.seed-1.json")!;
    deepStrictEqual(state, { kind: "diverged", update: 2, reason: 'the loss "ratio" is Infinity' });
    deepStrictEqual(scores, []);
    match(await Deno.readTextFile(`${folder}/table.md`), /\| diverging +\|.*diverged/);
    match(await Deno.readTextFile(`${folder}/table.csv`), /^toy,smoke,diverging,mae,toy,,NA,,0$/m);
  }));

Deno.test("a method that throws is a row that says why; the rest is there, and the exit code is 1", () =>
  inFolder(async (folder) => {
    const { code, err } = await bench(...toy, "--methods", "input,throwing,trained", "--out", folder);
    equal(code, 1);
    match(err, /1 of 3 jobs failed; the table says which/);
    const records = await recordsOf(folder);
    const { state } = records.get("throwing.json")!;
    match(
      state.kind === "failed" ? state.reason : "",
      /^Error: no image for you\n +at .*toy_extension\.ts:\d+/,
    );
    equal(records.get("input.json")!.state.kind, "done");
    equal(records.get("trained.seed-1.json")!.state.kind, "done");
    match(await Deno.readTextFile(`${folder}/table.md`), /throwing failed: Error: no image for you\./);
    equal(JSON.parse((await Deno.readTextFile(`${folder}/records.jsonl`)).split("\n")[1]).method, "trained");
  }));

Deno.test("what a user's module prints reaches the person and breaks nothing", () =>
  inFolder(async (folder) => {
    const { code, out } = await bench(...toy, "--methods", "printing", "--out", folder);
    equal(code, 0);
    match(out, /printing says: the gain is 1/);
    equal((await recordsOf(folder)).get("printing.json")!.state.kind, "done");
  }));

Deno.test("a module that imports from outside its folder is no worker's to read, and it is said where such belongs", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/mine`);
    await Deno.writeTextFile(`${folder}/gain.ts`, "export const gain = 2;\n");
    await Deno.writeTextFile(
      `${folder}/mine/mine.ts`,
      'import { gain } from "../gain.ts";\nexport default { claims: [].slice(gain) };\n',
    );
    const args = ["mri", "--profile", "smoke", "--methods", "zero-filled", "--use", `${folder}/mine/mine.ts`];
    const { code, out } = await bench(...args, "--out", `${folder}/run`);
    equal(code, 1, out);
    match(out, /Requires read access to "[^"]*gain\.ts"[^]*fix: +put the file itself[^]* into one folder/);
  }));

Deno.test("bench refuses a module that throws, lacks or misspells an export, or takes a name", () =>
  inFolder(async (folder) => {
    const wrong: [string, RegExp][] = [
      ["throw new Error('out of luck');", /cannot be loaded: out of luck/],
      ["throw undefined;", /cannot be loaded: undefined/],
      ["import './nowhere.ts'; export default {};", /cannot be loaded: .*nowhere\.ts/],
      ["export default {", /cannot be loaded: /],
      ["export const rows = [];", /no default export that adds anything/],
      ["export default { row: {} };", /unknown "row"[\s\S]*did you mean "rows"/],
      ["export default { rows: { mir: [] } };", /unknown benchmark "mir"[\s\S]*did you mean "mri"/],
      ["export default { rows: [] };", /"rows" is no object of lists/],
      [
        "export default { rows: { mri: [{ nam: 'x' }] } };",
        /"rows\.mri" is no list of objects with name, method/,
      ],
      ["export default { kinds: { mri: [{ kind: 'x' }] } };", /"kinds\.mri" is no list of objects with kind/],
      ["export default { benchmarks: [{}] };", /"benchmarks" is no list of benchmarks/],
      ["export default { rows: { mri: [{ name: 'x', method: {} }] } };", /row "x" has no "settings"/],
      [
        "export default { claims: [{ claim: 'x' }] };",
        /"claims" is no list of objects with benchmark, claim/,
      ],
      [
        claiming({ direction: "beter" }),
        /claim "mine wins" has the direction "beter"[\s\S]*did you mean "better"/,
      ],
      [claiming({ methods: ["a"] }), /claim "mine wins" is not of two rows/],
      [claiming({ direction: "comparable" }), /claim "mine wins" needs a margin/],
      [rowNamed("wgan"), /two of the method of mri "wgan"/],
      [rowNamed("../x"), /"\.\.\/x" cannot be the name/],
      [rowNamed("a,b"), /"a,b" cannot be the name/],
    ];
    for (const [index, [text, says]] of wrong.entries()) {
      const path = `${folder}/module-${index}.ts`;
      await Deno.writeTextFile(path, text);
      const { code, err } = await bench("mri", "--profile", "smoke", "--use", path, "--out", `${folder}/run`);
      equal(code, 2, text);
      match(err, says);
      match(err, /\n {2}where: .*module-\d+\.ts[\s\S]*\n {2}fix: |cannot be the name|two of the/);
    }
    const missing = await bench("mri", "--use", `${folder}/none.ts`);
    equal(missing.code, 2);
    match(missing.err, /none\.ts/);
  }));

Deno.test("a user's claim gets its verdict at the end of bench, in table.md and in verdicts.json; of a smoke run none", () =>
  inFolder(async (folder) => {
    const path = `${folder}/claims.ts`;
    await Deno.writeTextFile(path, claiming({}));
    const verdict = async (profile: string) => {
      const out = `${folder}/${profile}`;
      const args = ["--profile", profile, "--use", toyModule, "--use", path, "--methods", "input,half"];
      const ended = await bench("toy", ...args, "--out", out);
      equal(ended.code, 0, ended.err);
      const { verdicts } = JSON.parse(await Deno.readTextFile(`${out}/verdicts.json`));
      return { ...ended, verdicts, table: await Deno.readTextFile(`${out}/table.md`) };
    };
    const { out, table, verdicts } = await verdict("quick");
    match(
      out,
      /1 published claim: \d reproduced, \d contradicted, \d undecided\.\n +\w+ +input better than half in mae/,
    );
    match(table, /^## Verdicts$/m);
    deepStrictEqual(verdicts.map(({ claim }: { claim: string }) => claim), ["mine wins"]);
    const smoke = await verdict("smoke");
    deepStrictEqual(smoke.verdicts, []);
    doesNotMatch(smoke.out, /published claim/);
  }));

Deno.test("a user's row joins a run that is there already, and only its own jobs are run again when its module changes", () =>
  inFolder(async (out) => {
    const [folder, path] = [`${out}/run`, `${out}/mine.ts`];
    const text = `import { input } from "${project}tests/toy.ts";
      export default { rows: { toy: [{ name: "mine", method: input, settings: { gain: 0.5 } }] } };`;
    await Deno.writeTextFile(path, text);
    await bench(...toy, "--methods", "input", "--out", folder);
    const before = await timesOf(folder);
    const mine = [...toy, "--use", path, "--methods", "mine", "--out", folder];
    const joined = await bench(...mine);
    equal(joined.code, 0, joined.err);
    match(joined.out, /finished already: 1; to be done: 1/);
    const first = await recordsOf(folder);
    equal(first.get("mine.json")!.settings.gain, 0.5);
    const firstTime = (await timesOf(folder))["mine.json"];

    const without = await bench(...toy, "--methods", "half", "--out", folder);
    equal(without.code, 2);
    match(without.err, /holds the row "mine", which is not known here[\s\S]*--use .*mine\.ts/);

    await Deno.writeTextFile(path, `${text}\n// Another version.\n`);
    const again = await bench(...mine);
    match(again.out, /finished already: 1; to be done: 1/);
    const after = await timesOf(folder);
    equal(after["input.json"], before["input.json"]);
    notEqual(after["mine.json"], firstTime);
  }));

Deno.test("a module that defines the benchmark is part of the run: another version of it is another run", () =>
  inFolder(async (out) => {
    const path = `${out}/benchmark.ts`;
    const text = `import { toyBenchmark } from "${project}tests/toy.ts";
      export default { benchmarks: [toyBenchmark()] };`;
    await Deno.writeTextFile(path, text);
    const args = ["toy", "--profile", "smoke", "--use", path, "--out", `${out}/run`];
    equal((await bench(...args)).code, 0);
    await Deno.writeTextFile(path, `${text}\n`);
    const { code, err } = await bench(...args);
    equal(code, 2);
    match(err, /holds another run: use: /);
  }));

Deno.test("a user's kind of data is read by its own loader, and its benchmark runs on it", () =>
  inFolder(async (out) => {
    const path = `${out}/kind.ts`;
    await Deno.writeTextFile(
      path,
      `import { toyBenchmark, toyContents, toyDataset } from "${project}tests/toy.ts";
      const kind = {
        kind: "dots",
        about: "dots (.dots)",
        recognises: ({ path }) => path.endsWith(".dots"),
        open: (files) =>
          Promise.resolve(toyDataset({ ...toyContents(8, 1), kind: "dots", name: files.length + " dots", hash: "dots" })),
      };
      export default { benchmarks: [toyBenchmark()], kinds: { toy: [kind] } };`,
    );
    for (const name of ["a.dots", "b.dots", "c.strange"]) await Deno.writeTextFile(`${out}/${name}`, "dots");
    const args = ["toy", "--profile", "smoke", "--use", path, "--out", `${out}/run`];
    const { code, out: said, err } = await bench(
      ...args,
      "--data",
      `${out}/a.dots`,
      "--data",
      `${out}/b.dots`,
    );
    equal(code, 0, err);
    match(said, /data +2 dots \(dots, dots\)/);
    match(said, /x 2 subjects|x 3 subjects/);
    const refused = await bench(...args, "--data", `${out}/c.strange`);
    equal(refused.code, 2);
    match(refused.err, /c\.strange: it is of no known kind[\s\S]*what is read here: dots/);
  }));

function rowNamed(name: string): string {
  return `import { input } from "${project}tests/toy.ts";
    export default { rows: { mri: [{ name: ${JSON.stringify(name)}, method: input }] } };`;
}

function claiming(more: object): string {
  const claim = {
    benchmark: "toy",
    claim: "mine wins",
    source: "me",
    methods: ["input", "half"],
    metric: "mae",
  };
  return `export default { claims: [${JSON.stringify({ ...claim, direction: "better", ...more })}] };`;
}
