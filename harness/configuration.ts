/**
 * From what was asked on the command line to the whole configuration of a run.
 *
 * Settings come from four places, the later over the earlier: a method's or benchmark's default, the row, the
 * profile, `--set`. What came out is what runs, what `run.json` says, and what the hash is of.
 */

import type { Benchmark, Check, Profile, ProfileName, Row } from "../benchmarks/benchmark.ts";
import { suggest, UsageError } from "../core/errors.ts";
import {
  declared,
  type Overrides,
  parseSetting,
  resolve,
  type Settings,
  type SettingValue,
  type Values,
} from "../core/settings.ts";

/** What the command line asks for, as text. */
export interface Request {
  readonly benchmark: string;
  readonly profile: string;
  readonly methods?: readonly string[];
  readonly seeds?: string;
  /** `name=value`, or `row.name=value` for one row. */
  readonly set: readonly string[];
}

/** A row with its settings settled. */
export interface ConfiguredRow {
  readonly row: Row;
  readonly settings: Values;
  /** Those of its settings that `--set` gave another value. */
  readonly set: Values;
  /** Names of all of its settings that `--set` gave, also where it gave the value that they had. */
  readonly given: readonly string[];
}

/** Everything about a run but its data. */
export interface Configuration {
  readonly benchmark: Benchmark;
  readonly profile: ProfileName;
  readonly settings: Values;
  /** All rows that the benchmark has, in the table's order, whether asked for or not. */
  readonly rows: readonly ConfiguredRow[];
  /** Names of the rows asked for, in the table's order. */
  readonly chosen: readonly string[];
  readonly seeds: readonly number[];
}

/** Settles a request against the benchmarks there are. */
export function configure(benchmarks: readonly Benchmark[], request: Request): Configuration {
  const benchmark = named(benchmarks, request.benchmark, "benchmark");
  const profiles = Object.keys(benchmark.profiles) as ProfileName[];
  if (!profiles.includes(request.profile as ProfileName)) {
    throw new UsageError({
      what: `unknown profile "${request.profile}"`,
      where: "--profile",
      fix: suggest(request.profile, profiles),
    });
  }
  const profileName = request.profile as ProfileName;
  const profile = benchmark.profiles[profileName]!;
  const rows = [...benchmark.rows, ...benchmark.byName];
  const given = readSets(benchmark, rows, request.set);

  return {
    benchmark,
    profile: profileName,
    settings: resolve(
      benchmark.settings,
      { ...profile.settings, ...given.benchmark },
      `benchmark ${benchmark.name}`,
    ),
    rows: rows.map((row) => {
      const own = row.method.settings;
      const owner = `method ${row.name}`;
      const unset = { ...row.settings, ...only(profile.methods ?? {}, own), ...profile.rows?.[row.name] };
      const asked = { ...only(given.methods, own), ...given.rows.get(row.name) };
      const settings = resolve(own, { ...unset, ...asked }, owner);
      return { row, settings, set: changed(resolve(own, unset, owner), settings), given: Object.keys(asked) };
    }),
    chosen: chooseRows(usualRows(profile, benchmark, rows), rows, request.methods),
    seeds: parseSeeds(request.seeds ?? profile.seeds),
  };
}

/** Finds by name, or says which name is near. */
export function named<T extends { readonly name: string }>(
  all: readonly T[],
  name: string,
  kind: string,
): T {
  const found = all.find((item) => item.name === name);
  if (found === undefined) {
    throw new UsageError({
      what: `unknown ${kind} "${name}"`,
      fix: suggest(name, all.map((item) => item.name)),
    });
  }
  return found;
}

/** Seeds as `--seeds` takes them: a range `11-13`, a list `1,4,9`, or a single number `3` for 1 to 3. */
export function parseSeeds(text: string): number[] {
  const refuse = (what: string): never => {
    throw new UsageError({
      what,
      where: `--seeds ${text}`,
      fix: "give a range 11-13, a list 1,4,9, or a number 3 for the seeds 1 to 3",
    });
  };
  const whole = (part: string): number =>
    /^\d{1,9}$/.test(part) ? Number(part) : refuse(`"${part}" is no seed: seeds are whole numbers`);
  const range = /^(\d+)-(\d+)$/.exec(text.trim());
  let seeds: number[];
  if (range !== null) {
    const [first, last] = [whole(range[1]), whole(range[2])];
    if (last < first) refuse(`the range ${first}-${last} is empty`);
    if (last - first >= 10_000) refuse("a range holds at most 10000 seeds");
    seeds = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  } else if (text.includes(",")) {
    seeds = text.split(",").map((part) => whole(part.trim()));
  } else {
    const count = whole(text.trim());
    if (count < 1 || count > 10_000) refuse("give between 1 and 10000 seeds");
    seeds = Array.from({ length: count }, (_, index) => index + 1);
  }
  if (new Set(seeds).size !== seeds.length) refuse("a seed is named twice");
  return seeds.sort((a, b) => a - b);
}

/** The rows that run where none are named. */
function usualRows(profile: Profile | Check, benchmark: Benchmark, rows: readonly Row[]): readonly Row[] {
  if ("guards" in profile) return Object.keys(profile.guards).map((name) => named(rows, name, "method"));
  return profile.everyRow ? rows : benchmark.rows;
}

function chooseRows(usual: readonly Row[], rows: readonly Row[], names?: readonly string[]): string[] {
  if (names === undefined) return usual.map(({ name }) => name);
  const asked = new Set(names.map((name) => named(rows, name, "method").name));
  if (asked.size === 0) {
    throw new UsageError({
      what: "no method is named",
      where: "--methods",
      fix: suggest("", rows.map(({ name }) => name)),
    });
  }
  return rows.map(({ name }) => name).filter((name) => asked.has(name));
}

interface Sets {
  readonly benchmark: Overrides;
  readonly methods: Overrides;
  readonly rows: ReadonlyMap<string, Overrides>;
}

/** Reads `--set` texts; each has to change something that the benchmark or one of its methods declares. */
function readSets(benchmark: Benchmark, rows: readonly Row[], sets: readonly string[]): Sets {
  const ofBenchmark: Record<string, SettingValue> = {};
  const ofMethods: Record<string, SettingValue> = {};
  const ofRows = new Map<string, Overrides>();
  for (const text of sets) {
    const where = `--set ${text}`;
    const equals = text.indexOf("=");
    if (equals < 1) {
      throw new UsageError({
        what: `"${text}" sets nothing`,
        where,
        fix: "write --set name=value, e.g. --set acceleration=8",
      });
    }
    const name = camelCased(text.slice(0, equals).trim());
    const value = text.slice(equals + 1);
    const dot = name.indexOf(".");
    if (dot > 0) {
      const row = named(rows, name.slice(0, dot), "method");
      const key = name.slice(dot + 1);
      const setting = declared(row.method.settings, key);
      if (setting === undefined) throw unknownSetting(key, Object.keys(row.method.settings), where);
      ofRows.set(row.name, { ...ofRows.get(row.name), [key]: parseSetting(key, setting, value, where) });
      continue;
    }
    const ofOne = declared(benchmark.settings, name);
    const declaring = rows.map(({ method }) => declared(method.settings, name)).filter((found) =>
      found !== undefined
    );
    if (ofOne !== undefined) {
      ofBenchmark[name] = parseSetting(name, ofOne, value, where);
    } else if (declaring.length > 0) {
      for (const setting of declaring) ofMethods[name] = parseSetting(name, setting, value, where);
    } else {
      const known = [
        ...Object.keys(benchmark.settings),
        ...rows.flatMap(({ method }) => Object.keys(method.settings)),
      ];
      throw unknownSetting(name, [...new Set(known)], where);
    }
  }
  return { benchmark: ofBenchmark, methods: ofMethods, rows: ofRows };
}

/** Settings may be written as options are, `measured-with` for `measuredWith`; names of rows keep their hyphens. */
export function camelCased(name: string): string {
  const dot = name.indexOf(".") + 1;
  return name.slice(0, dot) + name.slice(dot).replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());
}

function unknownSetting(name: string, known: readonly string[], where: string): UsageError {
  return new UsageError({ what: `unknown setting "${name}"`, where, fix: suggest(name, known) });
}

function only(overrides: Overrides, settings: Settings): Overrides {
  return Object.fromEntries(Object.entries(overrides).filter(([name]) => Object.hasOwn(settings, name)));
}

function changed(before: Values, after: Values): Values {
  return Object.fromEntries(Object.entries(after).filter(([name, value]) => before[name] !== value));
}
