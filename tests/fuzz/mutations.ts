/** What damage does to files: bytes changed, cut, moved, sizes inflated, the start of one file put before the rest of another. */

import type { Rng } from "../../core/random.ts";

// Where formats keep what decides how the rest is read.
const headerBytes = 1024;

const sizes = [0, 1, 2, 7, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

/** A damaged copy of one of `sound`: mostly one of the ways to damage a file, else up to four, one after the other. */
export function damaged(sound: readonly Uint8Array[], rng: Rng): Uint8Array {
  let bytes: Uint8Array = sound[rng.integer(sound.length)].slice();
  for (let n = several(rng, 4); n > 0 && bytes.length > 0; n--) {
    bytes = ways[rng.integer(ways.length)](bytes, rng, sound);
  }
  return bytes;
}

/** One, or, the less likely the more they are, up to `most`: what is damaged little is read deeper. */
const several = (rng: Rng, most: number) => 1 + Math.floor(most * rng.uniform() ** 3);

type Way = (bytes: Uint8Array, rng: Rng, sound: readonly Uint8Array[]) => Uint8Array;

/** A position, half of the time among the first bytes. */
const somewhere = (bytes: Uint8Array, rng: Rng) =>
  rng.integer(rng.uniform() < 0.5 ? Math.min(bytes.length, headerBytes) : bytes.length);

const flipped: Way = (bytes, rng) => {
  for (let n = several(rng, 8); n > 0; n--) bytes[somewhere(bytes, rng)] ^= 1 << rng.integer(8);
  return bytes;
};

const replaced: Way = (bytes, rng) => {
  for (let n = several(rng, 8); n > 0; n--) bytes[somewhere(bytes, rng)] = rng.integer(256);
  return bytes;
};

const cut: Way = (bytes, rng) => bytes.slice(0, somewhere(bytes, rng));

/** A number of 1 to 8 bytes, in either order, becomes one that formats stumble over, or is off by one or a factor. */
const inflated: Way = (bytes, rng) => {
  const width = 2 ** rng.integer(4);
  const at = Math.min(somewhere(bytes, rng), Math.max(0, bytes.length - width));
  if (at + width > bytes.length) return bytes;
  const little = rng.uniform() < 0.75;
  const order = Array.from({ length: width }, (_, i) => at + (little ? i : width - 1 - i));
  const old = order.reduceRight((sum, place) => sum * 256 + bytes[place], 0);
  const choices = [sizes[rng.integer(sizes.length)], old + 1, old - 1, 2 * old, 1000 * old, old * 65536];
  let value = BigInt(Math.max(0, Math.min(choices[rng.integer(choices.length)], 2 ** 60)));
  for (const place of order) {
    bytes[place] = Number(value & 255n);
    value >>= 8n;
  }
  return bytes;
};

const removed: Way = (bytes, rng) => {
  const at = somewhere(bytes, rng);
  return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + rng.integer(64)));
};

const repeated: Way = (bytes, rng) => {
  const [at, length] = [somewhere(bytes, rng), 1 + rng.integer(256)];
  return joined(bytes.subarray(0, at + length), bytes.subarray(at));
};

/** A piece of the file, or of another sound one, over another place. */
const moved: Way = (bytes, rng, sound) => {
  const other = sound[rng.integer(sound.length)];
  const from = somewhere(other, rng);
  const at = somewhere(bytes, rng);
  bytes.set(other.subarray(from, from + Math.min(1 + rng.integer(128), bytes.length - at)), at);
  return bytes;
};

/** The start of another sound file before the rest of this one. */
const crossed: Way = (bytes, rng, sound) => {
  const other = sound[rng.integer(sound.length)];
  const at = somewhere(other, rng);
  return joined(other.subarray(0, at), bytes.subarray(at));
};

const ways: readonly Way[] = [flipped, replaced, cut, inflated, inflated, removed, repeated, moved, crossed];

const strangeTexts = [
  ..."{}[]\"',:;\n\t\\",
  ...["NaN", "Infinity", "-1", "0", "1e999", "1e-400", "9007199254740993", "null", "true", '""', "[]", "{}"],
  ...[
    "__proto__",
    "constructor",
    "../../x",
    "=cmd()",
    "\u0000",
    "\ud800",
    "<script>",
    "\r\n",
    "1,2,3",
    " ",
    "0x10",
  ],
];

/** A damaged copy of a text: a word of it replaced, doubled or left out, or a stranger put between its letters. */
export function damagedText(sound: readonly Uint8Array[], rng: Rng): Uint8Array {
  let text = new TextDecoder().decode(sound[rng.integer(sound.length)]);
  for (let n = several(rng, 4); n > 0; n--) {
    const words = [...text.matchAll(/"[^"\n]*"|-?[\d.]+(e[+-]?\d+)?|[a-z]+|[^\sa-z\d]/gi)];
    const strange = strangeTexts[rng.integer(strangeTexts.length)];
    const word = words[rng.integer(Math.max(1, words.length))];
    const [at, length] = word === undefined ? [0, 0] : [word.index, word[0].length];
    const put = [
      strange,
      "",
      word?.[0].repeat(2) ?? "",
      words[rng.integer(Math.max(1, words.length))]?.[0] ?? "",
    ];
    const way = rng.integer(put.length + 2);
    if (way === put.length) text = text.slice(0, rng.integer(text.length + 1));
    else if (way === put.length + 1) text = text.slice(0, at) + strange + text.slice(at);
    else text = text.slice(0, at) + put[way] + text.slice(at + length);
  }
  return new TextEncoder().encode(text);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const strangeValues = [
  ...[
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e300,
    -1e300,
    2 ** 53,
    1e-320,
    "",
    "x",
    "NaN",
    "../../x",
    "__proto__",
    "=1+1",
  ],
  ...[[], {}, [[]], [null], { a: 1 }, "\u0000\ud800<script>", "a".repeat(5000), Array(300).fill(0)],
];

/**
 * A damaged copy of a JSON text, mostly still JSON: a value of another kind in the place of one, a member or item left out,
 * repeated, or put where another one was. One line where the sound one is one.
 */
export function damagedJson(sound: readonly Uint8Array[], rng: Rng): Uint8Array {
  if (rng.uniform() < 0.25) return damagedText(sound, rng);
  const text = new TextDecoder().decode(sound[rng.integer(sound.length)]);
  const root = { value: JSON.parse(text) };
  for (let n = several(rng, 4); n > 0; n--) {
    const places = placesOf(root);
    const [holder, key] = places[rng.integer(places.length)];
    const [otherHolder, otherKey] = places[rng.integer(places.length)];
    const way = rng.integer(4);
    if (way === 0) holder[key] = structuredClone(otherHolder[otherKey]);
    else if (way === 1 && Array.isArray(holder)) {
      holder.splice(Number(key), rng.integer(2), holder[Number(key)]);
    } else if (way === 1) delete holder[key];
    else holder[key] = structuredClone(strangeValues[rng.integer(strangeValues.length)]);
    if (!Object.hasOwn(root, "value")) Object.assign(root, { value: null });
  }
  return new TextEncoder().encode(JSON.stringify(root.value) + (text.endsWith("\n") ? "\n" : ""));
}

type Holder = Record<string, unknown>;

/** Every place of a JSON value that holds another. */
function placesOf(holder: object): [holder: Holder, key: string][] {
  return Object.entries(holder).flatMap(([key, value]) => [
    [holder as Holder, key] as [Holder, string],
    ...(typeof value === "object" && value !== null ? placesOf(value) : []),
  ]);
}
