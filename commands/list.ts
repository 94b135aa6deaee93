/** `deno task bench list`: every benchmark with its question, methods, metrics, settings and presets. */

import type { Benchmark } from "../benchmarks/benchmark.ts";
import type { Setting, Settings } from "../core/settings.ts";

/** The list as text for a terminal. */
export function listOf(benchmarks: readonly Benchmark[]): string {
  return benchmarks.map(describe).join("\n\n");
}

function describe(benchmark: Benchmark): string {
  const { name, title, question, rows, byName, metrics, followed, settings, profiles, kinds } = benchmark;
  const methods = [...rows, ...byName];
  const heading = (text: string) => `\n  ${text}`;
  const methodSettings: Record<string, { setting: Setting; users: string[] }> = {};
  for (const { name: row, method } of methods) {
    for (const [key, setting] of Object.entries(method.settings)) {
      (methodSettings[key] ??= { setting, users: [] }).users.push(row);
    }
  }
  return [
    `${name}: ${title}`,
    `  ${question}`,
    heading("methods"),
    ...table(rows.map((row) => [row.name, row.about ?? row.method.about])),
    ...(byName.length === 0 ? [] : [heading("methods, by name only (--methods)")]),
    ...table(byName.map((row) => [row.name, row.about ?? row.method.about])),
    heading("metrics, the leading one first"),
    ...table([...metrics, ...followed].map((metric) => [
      `${metric.id} (${metric.convention})`,
      `${
        {
          higher: "higher is better",
          lower: "lower is better",
          neither: "neither way is better",
        }[metric.better]
      }. ${metric.about}`,
    ])),
    heading("presets (--profile)"),
    ...table(
      Object.entries(profiles).map(([key, profile]) => [key, `${profile.about} Seeds ${profile.seeds}.`]),
    ),
    heading("settings of the benchmark (--set name=value)"),
    ...settingLines(settings),
    heading(
      "settings of its methods (--set name=value for all that have it, --set method.name=value for one)",
    ),
    ...table(
      Object.entries(methodSettings).map(([key, { setting, users }]) => [
        `${key} = ${setting.default}`,
        `${setting.about}${users.length === methods.length ? "" : ` [${users.join(", ")}]`}`,
      ]),
    ),
    heading("data (--data)"),
    ...table(kinds.map(({ kind, about }) => [kind, about])),
  ].join("\n");
}

function settingLines(settings: Settings): string[] {
  return table(
    Object.entries(settings).map(([name, setting]) => [
      `${name} = ${setting.default}`,
      setting.about + (setting.choices === undefined ? "" : ` (${setting.choices.join(", ")})`),
    ]),
  );
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `    ${left.padEnd(width)}  ${right}`);
}
