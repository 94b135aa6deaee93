/** commitOf(): held to git itself, in checkouts that git made. */

import { deepEqual, equal, ok } from "node:assert/strict";
import { commitFiles, commitOf } from "../harness/commit.ts";
import { inFolder } from "./commands_running.ts";

/** What git says in a folder; nothing of the user's own settings. */
async function git(cwd: string, ...args: string[]): Promise<string> {
  const env = {
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "a",
    GIT_AUTHOR_EMAIL: "a@b",
    GIT_COMMITTER_NAME: "a",
    GIT_COMMITTER_EMAIL: "a@b",
  };
  const { code, stdout, stderr } = await new Deno.Command("git", { args, cwd, env }).output();
  const text = new TextDecoder();
  equal(code, 0, text.decode(stderr));
  return text.decode(stdout).trim();
}

const withGit = await new Deno.Command("git", { args: ["--version"] }).output().then(() => true, () => false);

Deno.test({
  name: "a run knows its commit in a checkout, in a worktree, with packed branches and with none",
  ignore: !withGit,
  fn: () =>
    inFolder(async (folder) => {
      const main = `${folder}/main`;
      await git(folder, "init", "--quiet", "--initial-branch=main", main);
      equal(commitOf(main), null);
      await git(main, "commit", "--quiet", "--allow-empty", "--message=one");
      const first = await git(main, "rev-parse", "HEAD");
      equal(commitOf(main), first);
      await git(main, "worktree", "add", "--quiet", "-b", "feature/a", `${folder}/beside`);
      await git(`${folder}/beside`, "commit", "--quiet", "--allow-empty", "--message=two");
      const second = await git(`${folder}/beside`, "rev-parse", "HEAD");
      deepEqual([commitOf(main), commitOf(`${folder}/beside`)], [first, second]);
      await git(main, "pack-refs", "--all");
      deepEqual([commitOf(main), commitOf(`${folder}/beside`)], [first, second]);
      await git(`${folder}/beside`, "checkout", "--quiet", "--detach", "main");
      equal(commitOf(`${folder}/beside`), first);
    }),
});

Deno.test("where there is no checkout there is no commit, and nothing to be read", () =>
  inFolder((folder) => {
    equal(commitOf(folder), null);
    deepEqual(commitFiles(folder), []);
    return Promise.resolve();
  }));

Deno.test("a worker of a worktree may read where it stands, and not the repository", () =>
  inFolder(async (folder) => {
    // As git writes them.
    await Deno.mkdir(`${folder}/main/.git/worktrees/beside`, { recursive: true });
    await Deno.mkdir(`${folder}/beside`);
    await Deno.writeTextFile(`${folder}/beside/.git`, "gitdir: ../main/.git/worktrees/beside\n");
    await Deno.writeTextFile(`${folder}/main/.git/worktrees/beside/commondir`, "../..\n");
    const files = commitFiles(`${folder}/beside`).map((path) => path.slice(folder.length));
    ok(files.includes("/main/.git/worktrees/beside/HEAD") && files.includes("/main/.git/refs"), `${files}`);
    ok(!files.includes("/main/.git") && !files.includes("/main/.git/config"), `${files}`);
  }));
