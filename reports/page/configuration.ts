/** What a table was made from, and the command that makes it again. */

import { canonicalJson, type Json } from "../../core/json.ts";
import type { RunFile } from "../../results/run.ts";
import { counted } from "../words.ts";
import { type Html, markup } from "./html.ts";

/** Command, data, split, settings and machine. */
export function configurationSection(file: RunFile): Html {
  const { identity, dataset, split, provenance } = file;
  return markup`
    <h3>Configuration, and how to repeat it</h3>
    <pre class="command" tabindex="0"><code>${
    repeatCommand(file).split("\n").map((line) => markup`${line}\n`)
  }</code></pre>
    <p class="caption">The same command on the same data gives configuration <code>${
    file.configuration.slice(
      0,
      12,
    )
  }</code>. Data:
    ${dataset.name} (${dataset.kind}), SHA-256 <code>${dataset.hash}</code>; data of your own are named by <code>--data</code>, and a
    module or a file of the split by its path, of which the run keeps the SHA-256 only.</p>
    <details>
      <summary>Split: ${split.kind}</summary>
      <table class="plain">
        <thead>
          <tr>
            <th>part</th>
            <th>samples</th>
            <th>subjects</th>
          </tr>
        </thead>
        <tbody>${
    Object.entries(split.parts).map(([part, { subjects, samples }]) =>
      markup`
            <tr>
              <th scope="row">${part}</th>
              <td>${samples}</td>
              <td class="text">${listed(subjects)}</td>
            </tr>
          `
    )
  }</tbody>
      </table>
    </details>
    <details><summary>All settings</summary>${values(identity)}</details>
    <details><summary>Program and machine</summary>${values(provenance)}</details>
  `;
}

/**
 * The command that runs this configuration, with the benchmark's settings and those that were set of its rows; a method's defaults are
 * not in it, but in `run.json`.
 */
export function repeatCommand({ benchmark, profile, identity, seeds, rows, split }: RunFile): string {
  const data = objectOf(identity.data);
  const set = Object.entries(objectOf(identity.set)).flatMap(([row, own]) =>
    Object.entries(objectOf(own)).map(([name, value]) => `${row}.${name}=${plain(value)}`)
  );
  const settings = Object.entries(objectOf(identity.settings)).map(([name, value]) =>
    `${name}=${plain(value)}`
  );
  const kinds = ["subjects", "slabs", "shuffled"];
  const modules = Array.isArray(identity.use) ? identity.use : [];
  const options = [
    `--profile ${quoted(profile)}`,
    ...(rows.length === 0 ? [] : [`--methods ${quoted(rows.map(({ name }) => name).join(","))}`]),
    ...(seeds.length === 0 ? [] : [`--seeds ${seedsOption(seeds)}`]),
    `--data-seed ${plain(data.seed ?? 1)}`,
    ...(split.kind === "subjects" || !kinds.includes(split.kind) ? [] : [`--split ${split.kind}`]),
    ...modules.map(() => "--use FILE.ts"),
    `--backend ${quoted(plain(identity.backend ?? "wasm"))}`,
    ...(identity.arithmetic === "muladd" ? ["--portable"] : []),
    ...[...settings, ...set].map((text) => `--set ${quoted(text)}`),
  ];
  return [`deno task bench ${quoted(benchmark)}`, ...options].join(" \\\n  ");
}

/** Seeds as `--seeds` takes them: a single number would be a count. */
function seedsOption(seeds: readonly number[]): string {
  const [first, last] = [seeds[0], seeds.at(-1)!];
  return last - first === seeds.length - 1 ? `${first}-${last}` : seeds.join(",");
}

function listed(subjects: readonly string[]): string {
  const most = 40;
  const shown = subjects.slice(0, most).join(", ");
  return subjects.length > most ? `${shown}, … (${counted(subjects.length, "subject")})` : shown;
}

function values(object: { readonly [key: string]: Json }): Html {
  return markup`
    <table class="plain">
      <tbody>${
    flat(object).map(([name, value]) =>
      markup`
          <tr>
            <th scope="row">${name}</th>
            <td class="text">${value}</td>
          </tr>
        `
    )
  }</tbody>
    </table>
  `;
}

function flat(value: Json, path = ""): [string, string][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [[path, plain(value)]];
  return Object.entries(value).flatMap(([name, item]) => flat(item, path === "" ? name : `${path}.${name}`));
}

function objectOf(value: Json | undefined): { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as { readonly [key: string]: Json }
    : {};
}

function plain(value: Json): string {
  return typeof value === "string" ? value : canonicalJson(value);
}

/** A word of a POSIX shell, whatever it holds. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
