import { deepStrictEqual, notEqual, ok, strictEqual } from "node:assert/strict";
import { benchmarks, loadSuite } from "../commands/suite.ts";
import { changedSources, hashOfSources, type Sources, sourcesOf, type Work } from "../harness/code.ts";
import { inFolder, pathOf } from "./commands_running.ts";

const root = new URL("../", import.meta.url).href;

/** What is named by its address and started as a thread. */
const threads = ["hdf5", "codecs"].map((name) => `datasets/formats/${name}_worker.ts`);

/** Who imports whom when the code runs, as Deno itself says: `[to, …]` by path in the suite. */
const graph = new Map<string, readonly string[]>();
for (const start of ["commands/job.ts", ...threads]) {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", pathOf(`../${start}`)],
    stderr: "null",
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: { specifier: string; dependencies?: { code?: { specifier?: string } }[] }[];
  };
  const name = (specifier = "") => specifier.startsWith(root) ? specifier.slice(root.length) : "";
  for (const { specifier, dependencies = [] } of modules) {
    graph.set(
      name(specifier),
      dependencies.map(({ code }) => name(code?.specifier)).filter((path) => path !== ""),
    );
  }
}

/** What is reached without going from a benchmark to other methods' files; `own` may be a benchmark's file, too. */
function within(starts: readonly string[], own: string, others: ReadonlySet<string>): Set<string> {
  const all = new Set<string>();
  const visit = (path: string, from: string) => {
    const isOther = from.startsWith("benchmarks/") && from !== own && others.has(path);
    if (all.has(path) || isOther) return;
    all.add(path);
    for (const to of graph.get(path) ?? []) visit(to, path);
  };
  for (const start of starts) visit(start, "");
  return all;
}

/** The file that each method is exported by. */
const fileOf = new Map<unknown, string>();
for (const path of graph.keys()) {
  if (!/^(methods|baselines|benchmarks)\//.test(path)) continue;
  for (const value of Object.values(await import(root + path))) {
    if (!fileOf.has(value)) fileOf.set(value, path);
  }
}

for (const { name: benchmark, rows, byName } of benchmarks) {
  Deno.test(`the code of a row of ${benchmark} is what Deno says that it imports, without other rows' methods`, () => {
    const all = [...rows, ...byName];
    const files = new Set(all.map(({ method }) => fileOf.get(method)!));
    ok(!files.has(undefined!), "a method is exported by nobody");
    for (const { name, method } of all) {
      const own = fileOf.get(method)!;
      const others = new Set([...files].filter((file) => file !== own));
      const starts = [
        ...["job", "checkpoint", "context", "samples"].map((file) => `harness/${file}.ts`),
        ...["engine/backend.ts", "datasets/open.ts", `benchmarks/${benchmark.replaceAll("-", "_")}.ts`],
        ...threads,
      ];
      const found = Object.keys(sourcesOf({ benchmark, method: name })!);
      deepStrictEqual(
        found.filter((path) => /^[\w/]+\.ts$/.test(path)).sort(),
        [...within(starts, own, others)].sort(),
        name,
      );
    }
  });
}

Deno.test("the code of a row has what it loads at run time, and its packages with their versions", () => {
  const found = Object.keys(sourcesOf({ benchmark: "mri", method: "supervised" })!);
  for (
    const path of [
      "datasets/formats/hdf5_worker.ts",
      "datasets/formats/codecs_worker.ts",
      "engine/kernels/conv.fma.wasm",
      "engine/kernels/conv.muladd.wasm",
      "npm:@tensorflow/tfjs-core@4.22.0",
    ]
  ) ok(found.includes(path), path);
  ok(found.every((path) => !/^(reports|commands)\//.test(path)));
});

Deno.test("a user's row has the code of its module and of what that imports, and no method that it does not name", () =>
  inFolder(async (folder) => {
    const module = `${folder}/mine.ts`;
    await Deno.writeTextFile(`${folder}/gain.ts`, "export const gain = 2;\n");
    await Deno.writeTextFile(
      module,
      `import {
  type Method, // what they are
  magnitude as size, // of what
} from "ot-cyclegan-bench";
import { gain } from "./gain.ts";
const mine = { name: "mine", settings: {}, knows: {}, prepare() { return gain * size.length * \`./nowhere/\${gain}\`.length; } };
export default { rows: { mri: [{ name: "mine", method: mine as unknown as Method }] } };
`,
    );
    const { modules } = await loadSuite([module]);
    const work: Work = { benchmark: "mri", method: "mine", modules };
    const sources = sourcesOf(work)!;
    const names = Object.keys(sources);
    for (const name of ["use0/mine.ts", "use0/gain.ts", "core/image.ts", "benchmarks/mri.ts"]) {
      ok(names.includes(name), name);
    }
    deepStrictEqual(names.filter((name) => /^baselines\/|benchmarks\/ct|cyclegan/.test(name)), []);
    const theirs = { benchmark: "mri", method: "supervised" };
    deepStrictEqual(sourcesOf({ ...theirs, modules }), sourcesOf(theirs));
    strictEqual(await hashOf(work, module), hashOfSources(sources));
    await Deno.writeTextFile(`${folder}/gain.ts`, "export const gain = 3;\n");
    notEqual(await hashOf(work, module), hashOfSources(sources));
  }));

Deno.test("a module's imports are found without semicolons, behind types and beside apostrophes", () =>
  inFolder(async (folder) => {
    const module = `${folder}/mine.ts`;
    await Promise.all(
      ["gain", "bias", "late", "later"].map((name) =>
        Deno.writeTextFile(`${folder}/${name}.ts`, `export const ${name} = 2\n`)
      ),
    );
    await Deno.writeTextFile(
      module,
      `export type Gain = number
import { gain } from "./gain.ts"
export { type Gain as Other }
export { bias } from "./bias.ts"
const late = () => /* that's late */ import("./late.ts")
const later = () => import(\`./later.ts\`)
const mine = { name: "mine", settings: {}, knows: {}, prepare: () => [gain, late, later] }
export default { rows: { mri: [{ name: "mine", method: mine }] } }
`,
    );
    const { modules } = await loadSuite([module]);
    const found = Object.keys(sourcesOf({ benchmark: "mri", method: "mine", modules })!);
    deepStrictEqual(
      found.filter((name) => name.startsWith("use0/")).sort(),
      ["bias", "gain", "late", "later", "mine"].map((name) => `use0/${name}.ts`),
    );
  }));

Deno.test("of two modules a row's sources are the same ones that they are among those of all rows", () =>
  inFolder(async (folder) => {
    const paths = ["first", "second"].map((name) => `${folder}/${name}.ts`);
    for (const [i, path] of paths.entries()) {
      const method = `{ name: "mine${i}", settings: {}, knows: {}, prepare() {} }`;
      await Deno.writeTextFile(
        path,
        `export default { rows: { mri: [{ name: "mine${i}", method: ${method} }] } };\n`,
      );
    }
    const { modules } = await loadSuite(paths);
    const all = sourcesOf({ benchmark: "mri", modules })!;
    const own = sourcesOf({ benchmark: "mri", method: "mine1", modules })!;
    strictEqual(changedSources(all, own), "");
    strictEqual(changedSources({ ...all, "use1/second.ts": "as it was" }, own), "use0/second.ts");
  }));

Deno.test("where it cannot be told which method a row has, its code is that of all of them", () => {
  const known = sourcesOf({ benchmark: "ct" })!;
  deepStrictEqual(sourcesOf({ benchmark: "ct", method: "of-no-name" }), known);
  const isPart = (part: Sources) => Object.keys(part).every((name) => part[name] === known[name]);
  ok(isPart(sourcesOf({ benchmark: "ct", method: "red-cnn" })!));
});

/** The hash that a process which has read nothing before finds. */
async function hashOf({ benchmark, method }: Work, module: string): Promise<string> {
  const program = `import { loadSuite } from "${root}commands/suite.ts";
    import { hashOfSources, sourcesOf } from "${root}harness/code.ts";
    const { modules } = await loadSuite(["${module}"]);
    console.log(hashOfSources(sourcesOf({ benchmark: "${benchmark}", method: "${method}", modules })));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--config", pathOf("../deno.json"), program],
  }).output();
  return new TextDecoder().decode(stdout).trim();
}
