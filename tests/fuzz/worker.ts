/**
 * A process that reads damaged files: `worker.ts READER SEED FROM COUNT FOLDER PATIENCE`. It tells every number before it reads it,
 * so that whoever started it knows at which one it crashed or hung, and its memory in the end.
 */

import process from "node:process";
import { attempts } from "./attempts.ts";
import { readers } from "./readers.ts";

const [name, seed, from, count, folder, patience] = Deno.args;
const reader = readers.find((reader) => reader.name === name)!;
const tell = (message: unknown) => {
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(message) + "\n"));
};
// What readers print is nothing for their reader.
console.log = console.warn = console.error = () => {};
tell({ ready: true });
const range = { seed, from: Number(from), count: Number(count), folder, patience: Number(patience) };
for await (const one of attempts(reader, range)) {
  const { bytes, ...rest } = one;
  tell(rest);
  if (one.fault !== undefined) await Deno.writeFile(`${folder}/../${name}-${seed}-${one.index}.bin`, bytes);
}
tell({ done: true, peakMB: process.resourceUsage().maxRSS / 1024 });
Deno.exit(0);
