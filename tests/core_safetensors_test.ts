/** Safetensors: what the reference implementation in Python writes and reads, and what is no such file. */

import assert from "node:assert/strict";
import { decodeSafetensors, encodeSafetensors, type Tensors } from "../core/safetensors.ts";
import { made } from "./made_tensors.ts";

const golden = JSON.parse(
  await Deno.readTextFile(new URL("golden/core_safetensors.json", import.meta.url)),
);

/** By name, as golden files have them. */
function plain({ arrays }: Tensors) {
  return Object.fromEntries(
    arrays.map(({ name, shape, data }) => [name, { shape: [...shape], data: [...data] }]),
  );
}

Deno.test("Python's safetensors reads what we write: these very bytes, to the last bit of each value", () => {
  assert.equal(encodeSafetensors(made).toBase64(), golden.ours);
  assert.deepEqual(golden.read, plain(made));
  assert.deepEqual(golden.metadata, made.metadata);
});

Deno.test("we read what Python's safetensors writes", () => {
  const read = decodeSafetensors(Uint8Array.fromBase64(golden.theirs), "theirs");
  assert.deepEqual(read.metadata, { who: "Python" });
  const { "a scalar": scalar, ...rest } = plain(read);
  const { "a scalar": expected, ...others } = golden.holds;
  assert.deepEqual(rest, others);
  // JSON knows −0, deepEqual of 0 and −0 differ.
  assert.ok(Object.is(scalar.data[0], -0) && expected.data[0] === 0);
});

Deno.test("what was written is read again, in its order, and values begin at a multiple of eight bytes", () => {
  const bytes = encodeSafetensors(made);
  const { arrays, metadata } = decodeSafetensors(bytes, "ours");
  assert.deepEqual(arrays, made.arrays);
  assert.deepEqual(metadata, made.metadata);
  assert.equal(new DataView(bytes.buffer).getBigUint64(0, true) % 8n, 0n);
});

Deno.test("a file that is cut, garbled, foreign or has gaps is refused, with its name", () => {
  const bytes = encodeSafetensors(made);
  /** The file with another header. */
  const headed = (header: string, values = 36) => {
    const json = new TextEncoder().encode(header);
    const file = new Uint8Array(8 + json.length + values);
    new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
    file.set(json, 8);
    return file;
  };
  const one = (more: string) => headed(`{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]${more}}}`);
  const wrong: [Uint8Array, RegExp][] = [
    [bytes.slice(0, 5), /the file has 5 bytes/],
    [bytes.slice(0, 100), /its header would be \d+ bytes long, and the file has 100/],
    [bytes.slice(0, -1), /"scalar" is \[\] and has the bytes 32 to 36 of 35/],
    [new Uint8Array([...bytes, 0]), /1 bytes are of no array/],
    [new Uint8Array(64).fill(255), /its header would be/],
    [headed("not JSON"), /its header is no JSON/],
    [headed("[1]"), /its header is no object/],
    [headed('{"__metadata__":{"a":1}}', 0), /__metadata__ is not made of words/],
    [one(',"dtype":"F16"'), /"a" holds "F16", and not F32/],
    [one(',"shape":[-9]'), /"a" has no shape/],
    [one(',"shape":[8]'), /"a" is \[8\] and has the bytes 0 to 36/],
    [headed('{"a":{"dtype":"F32","shape":[8],"data_offsets":[4,36]}}'), /"a" begins at byte 4, and not at 0/],
  ];
  assert.equal(decodeSafetensors(one(""), "sound").arrays.length, 1);
  for (const [file, says] of wrong) {
    assert.throws(
      () => decodeSafetensors(file, "weights/x.safetensors"),
      (error) => {
        assert.ok(error instanceof SyntaxError);
        assert.match(error.message, says);
        assert.match(error.message, /where: weights\/x\.safetensors\n {2}fix: /);
        return true;
      },
    );
  }
});
