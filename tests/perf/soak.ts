/**
 * `deno task soak [--minutes 60] [--profile paper] [--methods supervised,ot-cyclegan] [--set name=value]…`: jobs of mri train
 * side by side for as long, and it is watched whether their memory and their speed stay what they are. The paper's networks
 * take half a minute an update; `--profile quick` makes ten thousand in the time.
 *
 * The first tenth is not counted. Of the rest the means of the first and the last third are compared; memory that moved by
 * more than a twentieth ends it with 1. Speed is told, and judged by people: other programs slow a machine down, too.
 */

import { parseArgs } from "node:util";
import { started } from "../commands_running.ts";
import { plan } from "../killing.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    methods: { type: "string", default: "supervised,ot-cyclegan" },
    profile: { type: "string", default: "paper" },
    set: { type: "string", multiple: true, default: ["matrix=64"] },
  },
});
const milliseconds = 60_000 * Number(values.minutes);
// More than any job comes to, so that all train to the end.
const updates = 10_000_000;

interface Moment {
  readonly seconds: number;
  readonly megabytes: number;
  readonly updates: number;
}

const folder = await Deno.makeTempDir({ prefix: "soak-" });
await plan(
  folder,
  ...["mri", "--profile", values.profile, "--methods", values.methods, "--seeds", "1-1"],
  ...[...values.set, `updates=${updates}`, "checks=1000000"].flatMap((setting) => ["--set", setting]),
);
const { jobs } = JSON.parse(await Deno.readTextFile(`${folder}/plan.json`));
const courses: Moment[][] = await Promise.all(jobs.map(({ index }: { index: number }) => watch(index)));
await Deno.remove(folder, { recursive: true });

let steady = true;
for (const [at, course] of courses.entries()) {
  const counted = course.filter(({ seconds }) => seconds > milliseconds / 10_000);
  const third = Math.floor(counted.length / 3);
  const [first, last] = [counted.slice(0, third), counted.slice(-third)];
  const mean = (list: readonly Moment[]) =>
    list.reduce((sum, { megabytes }) => sum + megabytes, 0) / list.length;
  const speed = (list: readonly Moment[]) =>
    (list.at(-1)!.updates - list[0].updates) / (list.at(-1)!.seconds - list[0].seconds);
  const [memory, rate] = [mean(last) / mean(first), speed(last) / speed(first)];
  steady &&= Math.abs(memory - 1) <= 0.05;
  console.log(
    `${jobs[at].method.padEnd(24)} ${
      String(Math.round(course.at(-1)!.updates)).padStart(8)
    } updates; memory ` +
      `${mean(first).toFixed(0)} MB, then ${mean(last).toFixed(0)} MB (${percent(memory)}); speed ` +
      `${speed(first).toFixed(2)}/s, then ${speed(last).toFixed(2)}/s (${percent(rate)})`,
  );
}
Deno.exit(steady ? 0 : 1);

function percent(ratio: number): string {
  return `${ratio < 1 ? "" : "+"}${(100 * (ratio - 1)).toFixed(1)} %`;
}

/** Lets one job train for the time, and notes its memory and its updates every half percent of it. */
async function watch(index: number): Promise<Moment[]> {
  const child = started("job", folder, String(index), "--worker");
  const errors = child.stderr.cancel();
  const course: Moment[] = [];
  let [done, start] = [0, 0];
  const timer = setInterval(() => {
    if (start === 0) return;
    const seconds = (performance.now() - start) / 1000;
    course.push({ seconds, megabytes: residentMegabytes(child.pid), updates: done * updates });
    if (1000 * seconds <= milliseconds) return;
    clearInterval(timer);
    child.kill("SIGKILL");
  }, milliseconds / 200);
  const lines = child.stdout.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>);
  let rest = "";
  for await (const text of lines) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const told of parts.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line))) {
      if (told.phase !== "training") continue;
      if (start === 0) start = performance.now();
      done = told.done;
    }
  }
  clearInterval(timer);
  await errors;
  await child.status;
  if (course.length < 30) throw new Error(`job ${index} ended before its time`);
  return course;
}

/** What Linux says of a process's memory. */
function residentMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1]) / 1024;
}
