/** JSON that is the same text for the same value, and hashes of it. */

import { createHash } from "node:crypto";

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The value as JSON text with sorted keys and no spaces: equal values give equal text. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(sorted(value));
}

/** The value as indented JSON text with sorted keys, for a file that people read. */
export function prettyJson(value: Json): string {
  return JSON.stringify(sorted(value), null, 2) + "\n";
}

/** {@linkcode prettyJson} piece by piece, for a value whose text is too long to be held besides. */
export function* prettyJsonPieces(value: Json): Generator<string> {
  yield* pieces(value, "\n");
  yield "\n";
}

/** The text of a value; `line` begins a line where the value stands. */
function* pieces(value: Json, line: string): Generator<string> {
  if (value === null || typeof value !== "object") return yield JSON.stringify(value);
  const isList = Array.isArray(value);
  const members = isList
    ? value.map((item): [string, Json] => ["", item])
    : Object.entries(inOrder(value as Record<string, Json>));
  const [open, close] = isList ? "[]" : "{}";
  if (members.length === 0) return yield open + close;
  let before = open;
  for (const [key, item] of members) {
    yield `${before}${line}  ${isList ? "" : `${JSON.stringify(key)}: `}`;
    yield* pieces(item, `${line}  `);
    before = ",";
  }
  yield line + close;
}

/** Hexadecimal SHA-256 of text, bytes, or of several such pieces one after the other. */
export function sha256(...pieces: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const members = Object.entries(inOrder(value as Record<string, Json>));
  return Object.fromEntries(members.map(([key, item]) => [key, sorted(item)]));
}

/** The object with its keys in order, those that are numbers first, as JavaScript has them in every object. */
function inOrder(object: Readonly<Record<string, Json>>): Record<string, Json> {
  const entries = Object.entries(object).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** Where two nested values differ, a line each: `path: 4 there, 8 here`. */
export function differences(before: Json | undefined, after: Json | undefined, path = ""): string[] {
  if (isObject(before) && isObject(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().flatMap((key) =>
      differences(before[key], after[key], path === "" ? key : `${path}.${key}`)
    );
  }
  const [a, b] = [before, after].map((value) => value === undefined ? "not set" : canonicalJson(value));
  return a === b ? [] : [`${path}: ${a} there, ${b} here`];
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
