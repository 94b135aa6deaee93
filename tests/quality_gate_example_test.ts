/** The example of docs/quality-gate: the command of its workflow, run as GitHub would, and what the workflow may do. */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { ended, inFolder, pathOf } from "./commands_running.ts";

const example = pathOf("../docs/quality-gate");
const workflow = await Deno.readTextFile(`${example}/.github/workflows/quality.yml`);

/** The command of the step that checks, with its folded lines as one. */
function command(): string {
  const [, text] = /\n +run: >-\n((?: {10}.*\n)+)/.exec(workflow)!;
  return text.trim().replace(/\s*\n\s*/g, " ");
}

Deno.test("the workflow's command passes in a checkout laid out as on GitHub, and leaves findings and a summary", () =>
  inFolder(async (workspace) => {
    await Deno.mkdir(`${workspace}/mine`);
    for (const file of ["mine.ts", "quality.json"]) {
      await Deno.copyFile(`${example}/${file}`, `${workspace}/mine/${file}`);
    }
    await Deno.symlink(pathOf("../").replace(/\/$/, ""), `${workspace}/suite`);
    const script = command().replace("npx -y deno@2.9.6", '"$DENO"');
    ok(script.includes('"$DENO" task check'), script);
    const { code, out, err } = await ended(
      new Deno.Command("bash", {
        args: ["-c", script],
        cwd: `${workspace}/suite`,
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
        env: {
          DENO: Deno.execPath(),
          GITHUB_WORKSPACE: workspace,
          GITHUB_STEP_SUMMARY: `${workspace}/summary.md`,
          NO_COLOR: "1",
        },
      }).spawn(),
    );
    equal(code, 0, out + err);
    match(out, /(identical|pass) +squared-error/);
    match(await Deno.readTextFile(`${workspace}/quality.xml`), /name="squared-error: PSNR fastmri"/);
    match(await Deno.readTextFile(`${workspace}/summary.md`), /^## Quality: 1 row checked/);
    for (const file of ["report.html", "records.jsonl"]) ok(await Deno.stat(`${workspace}/runs/mri/${file}`));
  }));

Deno.test("the workflow may read the repository and nothing else, and pins every action and Deno", async () => {
  const permissions = /\npermissions:\n((?: .*\n)+)/.exec(workflow)![1];
  equal(permissions.trim(), "contents: read");
  equal(workflow.split("permissions:").length, 2);
  const uses = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action]) => action);
  deepEqual(uses.filter((action) => !/^[\w/-]+@[0-9a-f]{40}$/.test(action)), []);
  equal(workflow.split("actions/checkout@").length, workflow.split("persist-credentials: false").length);
  const pinned = /deno@(\d+\.\d+\.\d+)/.exec(await Deno.readTextFile(pathOf("../.ci/run")))![1];
  match(workflow, new RegExp(`deno@${pinned.replaceAll(".", "\\.")} `));
});

Deno.test("the example's method is the README's", async () => {
  const readme = await Deno.readTextFile(pathOf("../README.md"));
  const [, code] = /```ts\n([\s\S]*?)```/.exec(readme)!;
  const own = await Deno.readTextFile(`${example}/mine.ts`);
  equal(own.replace(/^\/\*\*.*\*\/\n\n/, "").replace("this repository", "this README"), code);
});
