/**
 * `deno task fuzz [--mutations 100000] [--seed 1] [--readers a,b] [--only N] [--patience 1]`: has every reader of foreign
 * bytes read damaged files, and says which crash it, hang, take more than a gigabyte, or pass for data that they are not.
 *
 * Readers have their shares of the mutations, in processes of their own. Each damaged file is named by reader, seed and number,
 * and `--readers NAME --only NUMBER` makes it again; those that show a fault are kept.
 */

import { parseArgs } from "node:util";
import { readers } from "./readers.ts";

const { values } = parseArgs({
  options: {
    mutations: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    readers: { type: "string" },
    only: { type: "string" },
    workers: { type: "string", default: "1" },
    // How many times longer than on a machine of its own everything may take.
    patience: { type: "string", default: "1" },
  },
});
const wanted = readers.filter(({ name }) => values.readers?.split(",").includes(name) ?? true);
// A process does no more than this, so that what one leaves behind in memory does not add up unseen.
const batch = 2000;
// A reader's own limits come first; this one is for those that have lost control. A process takes its time to start.
const patienceMs = 20_000 * Number(values.patience);
const startMs = 300_000;
const mostMB = 1024;

interface Tally {
  data: number;
  refused: number;
  slowest: number;
  peakMB: number;
  readonly faults: string[];
}

const root = await Deno.makeTempDir({ prefix: "fuzz-" });
const shares = wanted.reduce((sum, { share = 1 }) => sum + share, 0);
console.log(
  `seed ${values.seed}: ${values.mutations} mutations, ${wanted.length} readers; faults are kept in ${root}`,
);
const tallies = new Map<string, Tally>();
const queue = [...wanted];
await Promise.all(Array.from({ length: Number(values.workers) }, async () => {
  for (let reader = queue.shift(); reader !== undefined; reader = queue.shift()) {
    const tally: Tally = { data: 0, refused: 0, slowest: 0, peakMB: 0, faults: [] };
    tallies.set(reader.name, tally);
    const first = Number(values.only ?? 0);
    const each = values.only === undefined
      ? Math.ceil(Number(values.mutations) * (reader.share ?? 1) / shares)
      : 1;
    for (let next = first; next < first + each;) {
      next = await run(reader.name, next, Math.min(batch, first + each - next), tally);
    }
    const { data, refused, slowest, peakMB, faults } = tally;
    console.log(
      `${reader.name.padEnd(18)} ${String(data).padStart(6)} data ${String(refused).padStart(6)} refused ` +
        `slowest ${slowest.toFixed(0).padStart(5)} ms  peak ${
          peakMB.toFixed(0).padStart(4)
        } MB  ${faults.length} faults`,
    );
    for (const fault of faults.slice(0, 5)) console.log(`  ${fault.split("\n").slice(0, 6).join("\n    ")}`);
  }
}));
const all = [...tallies.values()];
const faults = all.reduce((sum, { faults }) => sum + faults.length, 0);
const total = all.reduce((sum, { data, refused }) => sum + data + refused, 0);
console.log(`${total} mutations: ${faults === 0 ? "no fault" : `${faults} faults, kept in ${root}`}`);
if (faults === 0) await Deno.remove(root, { recursive: true });
Deno.exit(faults === 0 ? 0 : 1);

/** Has a process read some of them; gives the number to go on with. */
async function run(name: string, from: number, count: number, tally: Tally): Promise<number> {
  const folder = await Deno.makeTempDir({ dir: root });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "-A", new URL("./worker.ts", import.meta.url).href]
      .concat(name, values.seed, String(from), String(count), folder, values.patience),
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let next = from;
  let finished = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = (milliseconds: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => child.kill("SIGKILL"), milliseconds);
  };
  wait(startMs);
  let rest = "";
  for await (
    const text of child.stdout.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
  ) {
    wait(patienceMs);
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const told = JSON.parse(line);
      if (told.ready) continue;
      if (told.done) {
        finished = true;
        tally.peakMB = Math.max(tally.peakMB, told.peakMB);
        if (told.peakMB > mostMB) tally.faults.push(`numbers ${from} to ${next - 1} took ${told.peakMB} MB`);
        continue;
      }
      next = told.index + 1;
      tally[told.isData ? "data" : "refused"] += 1;
      tally.slowest = Math.max(tally.slowest, told.milliseconds);
      if (told.fault !== undefined) tally.faults.push(`number ${told.index}: ${told.fault}`);
    }
  }
  clearTimeout(timer);
  const { code, signal } = await child.status;
  await Deno.remove(folder, { recursive: true });
  if (finished) return from + count;
  tally.faults.push(`number ${next}: the process ended with ${signal ?? code}`);
  return next + 1;
}
