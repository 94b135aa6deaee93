/**
 * A process that reads damaged files: `worker.ts READER SEED FROM COUNT FOLDER`. It tells every number before it reads it,
 * so that whoever started it knows at which one it crashed or hung, and its memory in the end.
 */

import process from "node:process";
import { attempts } from "./attempts.ts";
import { readers } from "./readers.ts";

const [name, seed, from, count, folder] = Deno.args;
const reader = readers.find((reader) => reader.name === name)!;
const tell = (message: unknown) => {
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(message) + "\n"));
};
// What readers print is nothing for their reader.
console.log = console.warn = console.error = () => {};
tell({ ready: true });
for await (const one of attempts(reader, { seed, from: Number(from), count: Number(count), folder })) {
  const { bytes, ...rest } = one;
  tell(rest);
  if (one.fault !== undefined) await Deno.writeFile(`${folder}/../${name}-${seed}-${one.index}.bin`, bytes);
}
tell({ done: true, peakMB: process.resourceUsage().maxRSS / 1024 });
Deno.exit(0);
