import assert from "node:assert/strict";
import { attempts } from "./fuzz/attempts.ts";
import { readers } from "./fuzz/readers.ts";
import { withFolder } from "./datasets_files.ts";

// The long form is `deno task fuzz`, whose result stands in docs/trust.md.
const most = 60;

for (const reader of readers) {
  Deno.test(`${reader.name}: what is sound is read, and damaged files are data or refused in words, each in 5 s`, () =>
    withFolder(async (folder) => {
      for (const bytes of await reader.sound(folder)) assert.ok(await reader.read(bytes, folder));
      const count = Math.ceil(most * (reader.share ?? 1));
      for await (const { index, fault } of attempts(reader, { seed: "ci", from: 0, count, folder })) {
        assert.equal(fault, undefined, `${reader.name}, seed ci, number ${index}`);
      }
    }));
}
