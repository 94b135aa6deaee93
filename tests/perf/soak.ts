/**
 * `deno task soak [--minutes 60] [--workers 2] [--jobs mri,ct,…]`: jobs shaped as the paper's, at reduced size, train for as
 * long, and it is watched whether what an update takes stays what it is: memory, tensors, and seconds of processors.
 *
 * The time is shared out among the jobs, so many of them side by side. The first fifth of each is not counted: heaps grow and
 * pools of images fill. Of the rest the first and the last third are compared. Memory that moved by more than a
 * twentieth, or a count of tensors that moved at all, ends it with 1. Seconds are told, and judged by people: other programs
 * slow a machine down, those of processors (which share caches) less than those of the clock.
 */

import { parseArgs } from "node:util";
import { pathOf } from "../commands_running.ts";
import { plan } from "../killing.ts";
import type { Moment } from "./soak_worker.ts";

/** What trains, and what is smaller of it than in the profile `paper`, whose networks take half a minute an update. */
const shapes = {
  "mri": { method: "ot-cyclegan", set: ["matrix=64", "width=8", "criticWidth=8"] },
  "ct": {
    method: "ot-cyclegan",
    set: ["matrix=64", "views=0", "bins=0", "patch=32", "batch=4", "width=8", "criticWidth=8"],
  },
  "deconvolution-3d": {
    method: "ot-cyclegan-blind",
    set: ["matrix=32", "cubes=2", "psfSide=5", "psfDepth=5", "margin=4", "marginDepth=4"]
      .concat("width=4", "levels=2", "criticWidth=4", "criticLayers=2"),
  },
  "smlm": { method: "ot-cyclegan-blind", set: ["size=32", "frames=50", "width=8", "criticWidth=8"] },
} satisfies Record<string, { method: string; set: string[] }>;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    workers: { type: "string", default: "2" },
    jobs: { type: "string", default: Object.keys(shapes).join(",") },
  },
});
const names = values.jobs.split(",") as (keyof typeof shapes)[];
const workers = Math.min(Number(values.workers), names.length);
const seconds = 60 * Number(values.minutes) / Math.ceil(names.length / workers);
// More than any job comes to, so that all train to the end.
const updates = 10_000_000;

const root = await Deno.makeTempDir({ prefix: "soak-" });
let steady = true;
const queue = names.values();
await Promise.all(Array.from({ length: workers }, async () => {
  for (const name of queue) {
    const moments = await course(name);
    steady = told(name, moments) && steady;
  }
}));
console.log(`every moment is in ${root}`);
Deno.exit(steady ? 0 : 1);

/** Lets a job train for its time; gives what it told. */
async function course(name: keyof typeof shapes): Promise<Moment[]> {
  const folder = `${root}/${name}`;
  const { method, set } = shapes[name];
  const settings = [...set, `updates=${updates}`, "checks=100000"];
  await plan(
    folder,
    ...[name, "--profile", "paper", "--methods", method, "--seeds", "1-1"],
    ...settings.flatMap((setting) => ["--set", setting]),
  );
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--v8-flags=--optimize-for-size", "--no-prompt", "-A"]
      .concat(pathOf("perf/soak_worker.ts"), folder, "0"),
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const moments: Moment[] = [];
  let rest = "";
  for await (
    const text of child.stdout.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
  ) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) moments.push(JSON.parse(line));
    await Deno.writeTextFile(`${root}/${name}.jsonl`, lines.map((line) => `${line}\n`).join(""), {
      append: true,
    });
    if ((moments.at(-1)?.seconds ?? 0) > seconds) child.kill("SIGKILL");
  }
  await child.status;
  await Deno.remove(folder, { recursive: true });
  return moments;
}

/** Says how the last third differs from the first; false where memory or tensors do. */
function told(name: keyof typeof shapes, moments: readonly Moment[]): boolean {
  if ((moments.at(-1)?.seconds ?? 0) <= seconds) {
    console.log(`${name}: it ended before its time`);
    return false;
  }
  const counted = moments.filter((one) => one.seconds > seconds / 5);
  const third = Math.floor(counted.length / 3);
  const [first, last] = [counted.slice(0, third), counted.slice(-third)].map((part) => {
    const done = updates * (part.at(-1)!.done - part[0].done);
    return {
      megabytes: part.reduce((sum, { megabytes }) => sum + megabytes, 0) / part.length,
      cpu: 1000 * (part.at(-1)!.cpuSeconds - part[0].cpuSeconds) / done,
      clock: 1000 * (part.at(-1)!.seconds - part[0].seconds) / done,
    };
  });
  const tensors = [...new Set(counted.map(({ tensors }) => tensors))];
  const moved = (of: keyof typeof first, unit: string) => {
    const change = 100 * (last[of] / first[of] - 1);
    return `${first[of].toFixed(0)} then ${last[of].toFixed(0)} ${unit} (${change < 0 ? "" : "+"}${
      change.toFixed(1)
    } %)`;
  };
  console.log(
    `${name} ${shapes[name].method}: ${Math.round(updates * moments.at(-1)!.done)} updates in ` +
      `${(moments.at(-1)!.seconds / 60).toFixed(0)} minutes\n` +
      `  memory ${moved("megabytes", "MB")}; tensors ${tensors.join(", ")}\n` +
      `  an update: ${moved("cpu", "ms of processors")}, ${moved("clock", "ms of the clock")}`,
  );
  return Math.abs(last.megabytes / first.megabytes - 1) <= 0.05 && tensors.length === 1;
}
