/**
 * Which code computes: the sources that a job reaches, and their hash.
 *
 * They are found by reading what files import, from the few that do a job, from its benchmark, and from the user's modules.
 * A benchmark imports the methods of all of its rows; one that it uses for nothing but `method: name` is followed for the
 * rows of this name alone. So a changed method has its own rows run again, and a changed report none. Where it cannot be
 * told what is reached, more is followed, not less.
 */

import { fileURLToPath, pathToFileURL } from "node:url";
import { canonicalJson, sha256 } from "../core/json.ts";
import project from "../deno.json" with { type: "json" };
import type { Module } from "./context.ts";

/** SHA-256 of each source by its path in the suite, `use0/…` in the first user's module's folder; packages by version. */
export type Sources = Readonly<Record<string, string>>;

/** Whose sources are asked for: a row's, or, without `method`, all that the benchmark reaches. */
export interface Work {
  readonly benchmark: string;
  readonly method?: string;
  /** The user's modules. */
  readonly modules?: readonly Module[];
}

// What does a job. What plans, starts and watches jobs decides no number.
const doers = [
  "harness/job.ts",
  "harness/checkpoint.ts",
  "harness/context.ts",
  "harness/samples.ts",
  "engine/backend.ts",
  "datasets/open.ts",
];
// It holds nothing itself: who asks it for names reaches what they come from.
const door = "mod.ts";
const root = new URL("../", import.meta.url).href;
const packages: Readonly<Record<string, string>> = project.imports;

/** The sources that this work reaches; undefined where the suite does not run from files. */
export function sourcesOf(work: Work): Sources | undefined {
  const { benchmark, method, modules = [] } = work;
  if (!root.startsWith("file:")) return undefined;
  const found: Record<string, string> = {};
  const own = modules.filter(({ rows, shapes }) =>
    shapes.includes(benchmark) ||
    (method === undefined ? rows.has(benchmark) : rows.get(benchmark)?.includes(method))
  );
  for (const [index, { path }] of own.entries()) {
    const module = pathToFileURL(Deno.realPathSync(path)).href;
    for (const url of reached([module])) {
      const name = url.startsWith(root) ? nameOf(url) : `use${index}/${nameOf(url, new URL("./", module))}`;
      found[name] = read(url).hash;
    }
  }
  const file = `${root}benchmarks/${benchmark.replaceAll("-", "_")}.ts`;
  const starts = [...doers.map((name) => root + name), ...(read(file).hash === missing ? [] : [file])];
  for (const url of reached(starts, knownRow(starts, work))) found[nameOf(url)] = read(url).hash;
  return found;
}

/** The hash of sources; null where there are none to be read. */
export function hashOfSources(sources: Sources | undefined): string | null {
  return sources === undefined ? null : sha256(canonicalJson(sources));
}

/** The sources that are other ones than before, in words; none where it is not known what they were. */
export function changedSources(before: Sources | undefined, now: Sources | undefined): string {
  if (!before || !now) return "";
  // By what they hold: of several users' modules, one row's are not counted as those of all rows.
  const known = new Set(Object.values(before));
  const names = Object.keys(now).filter((name) => !known.has(now[name])).sort();
  return (names.length > 4 ? [...names.slice(0, 3), `and ${names.length - 3} more`] : names).join(", ");
}

/** `method`, where it is known which import makes the row of this name; else the methods of all rows are followed. */
function knownRow(
  starts: readonly string[],
  { benchmark, method, modules = [] }: Work,
): string | undefined {
  if (method === undefined) return undefined;
  // A user's row has its method from the user's module, so none of the benchmark's own is its.
  const isUsers = modules.some(({ rows }) => rows.get(benchmark)?.includes(method));
  return isUsers || [...reached(starts)].some((url) => read(url).rows.has(method)) ? method : undefined;
}

/** All files and packages that can be reached from some, but for what only other rows than `row` need. */
function reached(starts: readonly string[], row?: string): Set<string> {
  const all = new Set<string>();
  const visit = (url: string) => {
    if (all.has(url)) return;
    all.add(url);
    const { edges, rows } = read(url);
    for (const { to, names, onlyMethods } of edges) {
      const isOther = row !== undefined && onlyMethods && !names!.includes(rows.get(row) ?? "");
      if (isOther) continue;
      if (to !== root + door || names === undefined) visit(to);
      else for (const from of behindDoor(names)) visit(from);
    }
  };
  for (const start of starts) visit(start);
  return all;
}

/** Where the suite has these names from. */
function behindDoor(names: readonly string[]): string[] {
  const { edges } = read(root + door);
  const asked = names.map((name) => name.split(/\s/, 1)[0]);
  return edges.filter((edge) => edge.names?.some((name) => asked.includes(name)) ?? true).map(({ to }) => to);
}

/** What a file or package is imported for. */
interface Edge {
  readonly to: string;
  /** As they are written, perhaps with an `as`; undefined where it is not said, and all of it may be. */
  readonly names?: readonly string[];
  /** Whether these names make rows, and are used for nothing else. */
  readonly onlyMethods: boolean;
}

interface Source {
  readonly hash: string;
  readonly edges: readonly Edge[];
  /** The names of methods, by the rows that the file makes of them. */
  readonly rows: ReadonlyMap<string, string>;
}

const known = new Map<string, Source>();

/** Reads a file once. */
function read(url: string): Source {
  let source = known.get(url);
  if (source === undefined) known.set(url, source = parsed(url));
  return source;
}

function parsed(url: string): Source {
  const none = { edges: [], rows: new Map() };
  // A package is its name and version.
  if (!url.startsWith("file:")) return { ...none, hash: sha256(url) };
  let bytes: Uint8Array;
  try {
    bytes = Deno.readFileSync(new URL(url));
  } catch {
    return { ...none, hash: missing };
  }
  const parts = isCode.test(url) ? importsOf(new TextDecoder().decode(bytes), url) : none;
  return { ...parts, hash: sha256(bytes) };
}

const missing = "missing";
const isLoaded = /\.([cm]?[jt]sx?|json|wasm)$/;
const isCode = /\.[cm]?[jt]sx?$/;
const statements = /^(?:import|export)\s+(type\s)?([^;'"`]*?)\bfrom\s*["']([^"']+)["']/gm;
// The quote that ends one may begin the next, since an apostrophe in a comment is none.
const literals = /`(\.\.?\/[\w./-]*\/)\$\{|["'`]([^"'`\n]+)(?=["'`])/g;
const comments = /\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
const remarks = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
const rowLike = /\bname: "([\w-]+)",\s*method: (\w+)\b(?=\s*[,}])/g;

/** What a text imports, and the rows that it makes. */
function importsOf(text: string, url: string): Pick<Source, "edges" | "rows"> {
  const rows = new Map([...text.matchAll(rowLike)].map(([, row, name]) => [row, name]));
  const body = text.replace(statements, "");
  const code = rows.size === 0 ? "" : body.replace(remarks, "");
  const isOnlyMethod = (name: string) => {
    const uses = code.match(new RegExp(`\\b${name}\\b(?!:)`, "g")) ?? [];
    const asMethod = code.match(new RegExp(`\\bmethod: ${name}\\b(?=\\s*[,}])`, "g")) ?? [];
    return asMethod.length > 0 && uses.length === asMethod.length;
  };
  const edges: Edge[] = [];
  for (const [, type, clause, target] of text.matchAll(statements)) {
    // Without semicolons it may begin in an earlier statement: then it is not known what is asked for.
    const isWhole = !/\b(?:import|export)\b/.test(clause);
    const list = isWhole ? /^\{([^]*)\}\s*$/.exec(clause.replace(comments, ""))?.[1].split(",") : undefined;
    const names = list?.map((name) => name.trim()).filter((name) => name !== "" && !name.startsWith("type "));
    // Types are gone when the code runs.
    if ((type !== undefined && isWhole) || names?.length === 0) continue;
    const to = resolved(target, url);
    if (to !== undefined) edges.push({ to, names, onlyMethods: names?.every(isOnlyMethod) ?? false });
  }
  // Whatever else names a file or a package may load it: a worker, a module at run time.
  for (const [, folder, literal] of body.matchAll(literals)) {
    const loaded = folder === undefined ? [resolved(literal, url, true)] : modulesIn(new URL(folder, url));
    for (const to of loaded) if (to !== undefined) edges.push({ to, onlyMethods: false });
  }
  return { edges, rows };
}

/** What a specifier stands for; `perhaps` it is none, but some text. */
function resolved(specifier: string, from: string, perhaps = false): string | undefined {
  const name = Object.keys(packages).find((name) => specifier === name || specifier.startsWith(`${name}/`));
  if (name !== undefined) {
    const target = packages[name] + specifier.slice(name.length);
    return target.startsWith(".") ? new URL(target, root).href : target;
  }
  if (!/^\.{1,2}\//.test(specifier)) return perhaps ? undefined : specifier;
  const { href } = new URL(specifier, from);
  return perhaps && (!isLoaded.test(href) || read(href).hash === missing) ? undefined : href;
}

/** WebAssembly is chosen from its folder at run time. */
function modulesIn(folder: URL): string[] {
  try {
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    return names.filter((name) => name.endsWith(".wasm")).map((name) => new URL(name, folder).href);
  } catch {
    // The text is of something else.
    return [];
  }
}

function nameOf(url: string, from: string | URL = root): string {
  if (!url.startsWith("file:")) return url;
  const base = fileURLToPath(from);
  const path = fileURLToPath(url);
  return path.startsWith(base) ? path.slice(base.length) : path;
}
