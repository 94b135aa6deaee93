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

/** Hexadecimal SHA-256 of text, bytes, or of several such pieces one after the other. */
export function sha256(...pieces: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value as Record<string, Json>).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
