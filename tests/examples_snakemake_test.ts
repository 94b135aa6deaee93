import { equal, ok } from "node:assert/strict";
import { bench, inFolder, pathOf, timesOf } from "./commands_running.ts";
import { plan, sameRecords } from "./killing.ts";

/** Set SNAKEMAKE to its path where it is not on the PATH: it lives in virtual environments. */
const snakemake = Deno.env.get("SNAKEMAKE") ?? "snakemake";

function hasSnakemake(): boolean {
  try {
    return new Deno.Command(snakemake, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

Deno.test({
  name:
    "the example for Snakemake does the jobs of a plan, to the bytes of bench, and again only what is missing",
  ignore: !hasSnakemake(),
  fn: () =>
    inFolder(async (folder) => {
      const small = ["mri", "--profile", "smoke", "--methods", "zero-filled,supervised", "--seeds", "2"];
      const [ours, theirs] = [`${folder}/ours`, `${folder}/their run`];
      equal((await bench(...small, "--out", ours)).code, 0);
      await plan(theirs, ...small);
      const snake = async () => {
        const example = [
          "--snakefile",
          pathOf("../examples/snakemake/Snakefile"),
          "--config",
          "run=their run",
        ];
        const { code, stderr } = await new Deno.Command(snakemake, {
          args: [...example, "--cores", "2"],
          cwd: folder,
        }).output();
        return { code, err: new TextDecoder().decode(stderr) };
      };
      const first = await snake();
      equal(first.code, 0, first.err);
      await sameRecords(ours, theirs);
      ok((await Deno.stat(`${theirs}/report.html`)).isFile);

      const before = await timesOf(theirs);
      for (const name of ["records/supervised.seed-2.json", "report.html"]) {
        await Deno.remove(`${theirs}/${name}`);
      }
      const second = await snake();
      equal(second.code, 0, second.err);
      const after = await timesOf(theirs);
      equal(
        after["supervised.seed-1.json"],
        before["supervised.seed-1.json"],
        "what was there was run again",
      );
      await sameRecords(ours, theirs);
    }),
});
