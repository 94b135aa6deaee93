/**
 * Part `direct`: what Winograd's convolutions, which round more than direct ones, do to results. `bench mri` is run
 * twice with the same seeds, which nothing was chosen on: as it is, and in a copy of the project whose convolutions
 * are all direct.
 */

import { compile } from "../../engine/kernels/build.ts";
import { readRun } from "../../results/run.ts";
import { summarise, type SummaryRow } from "../../results/summary.ts";

const root = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** Runs both, prints how they go, and returns Markdown. */
export async function direct(seeds: string): Promise<string> {
  const scratch = await Deno.makeTempDir({ prefix: "direct-" });
  try {
    const copy = `${scratch}/project`;
    await copyProject(copy);
    for (const arithmetic of ["fma", "muladd"] as const) {
      const wasm = await compile("conv", arithmetic, { winograd: false });
      await Deno.writeFile(`${copy}/engine/kernels/conv.${arithmetic}.wasm`, wasm);
    }
    const own = await scores(root, seeds, `${scratch}/own`);
    const other = await scores(copy, seeds, `${scratch}/direct`);
    const lines = [
      `| method | PSNR, seeds ${seeds} | directly | difference | spread over seeds |`,
      "| --- | ---: | ---: | ---: | ---: |",
    ];
    for (const [name, { mean, std }] of own) {
      const direct = other.get(name)!;
      const spread = Math.max(std ?? 0, direct.std ?? 0);
      const apart = mean! - direct.mean!;
      const word = Math.abs(apart) <= spread ? "" : " **beyond its spread**";
      const numbers = [mean!, direct.mean!, apart].map((value) => value.toFixed(2)).join(" | ");
      lines.push(`| ${name} | ${numbers}${word} | ${spread.toFixed(2)} |`);
    }
    const order = (of: typeof own) =>
      [...of.keys()].sort((a, b) => of.get(b)!.mean! - of.get(a)!.mean!).join(" > ");
    lines.push("", `By mean: ${order(own)}.`, "");
    lines.push(order(own) === order(other) ? "Directly the same order." : `Directly: ${order(other)}.`);
    lines.forEach((line) => console.log(line));
    return lines.join("\n");
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** The first metric of each trained row. */
async function scores(
  project: string,
  seeds: string,
  out: string,
): Promise<Map<string, SummaryRow["cells"][0]>> {
  console.log(`bench mri --seeds ${seeds} in ${project}`);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "bench", "mri", "--seeds", seeds, "--out", out],
    cwd: project,
    stdout: "null",
  }).output();
  if (!success) throw new Error(`bench mri has failed in ${project}`);
  const { rows } = summarise(await readRun(out));
  return new Map(
    rows.filter(({ cells: [cell] }) => cell.std !== null).map(({ head, cells }) => [head.name, cells[0]]),
  );
}

/** All that a run reads. */
async function copyProject(to: string): Promise<void> {
  const others = ["docs", "tests", "runs"];
  const copy = async (path: string) => {
    await Deno.mkdir(`${to}/${path}`, { recursive: true });
    for await (const { name, isDirectory } of Deno.readDir(`${root}/${path}`)) {
      if (name.startsWith(".") || (path === "" && others.includes(name))) continue;
      const within = path === "" ? name : `${path}/${name}`;
      if (isDirectory) await copy(within);
      else await Deno.copyFile(`${root}/${within}`, `${to}/${within}`);
    }
  };
  await copy("");
}
