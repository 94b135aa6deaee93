/**
 * The commit that a checkout stands at, read from git's files, since git itself may not be there.
 *
 * A worktree has a file `.git` that says where its own head is kept, and there a file that says where the repository's
 * branches are.
 */

import { join, resolve } from "node:path";

/** The commit of the checkout in a folder, or null where there is none. */
export function commitOf(root: string): string | null {
  try {
    const { own, common } = gitFolders(root);
    const head = Deno.readTextFileSync(join(own, "HEAD")).trim();
    if (!head.startsWith("ref: ")) return head;
    const ref = head.slice("ref: ".length);
    try {
      return Deno.readTextFileSync(join(common, ref)).trim();
    } catch {
      const packed = Deno.readTextFileSync(join(common, "packed-refs"));
      return packed.split("\n").find((line) => line.endsWith(` ${ref}`))?.split(" ")[0] ?? null;
    }
  } catch {
    return null;
  }
}

/** What {@linkcode commitOf} reads: a worker is allowed these, and not the repository, whose settings may hold passwords. */
export function commitFiles(root: string): string[] {
  try {
    const { own, common } = gitFolders(root);
    return [join(own, "HEAD"), join(own, "commondir"), join(common, "refs"), join(common, "packed-refs")];
  } catch {
    return [];
  }
}

/** Where a checkout's own head is, and where the branches are. */
function gitFolders(root: string): { own: string; common: string } {
  const git = join(root, ".git");
  if (Deno.statSync(git).isDirectory) return { own: git, common: git };
  const own = resolve(root, Deno.readTextFileSync(git).trim().replace(/^gitdir: /, ""));
  return { own, common: resolve(own, Deno.readTextFileSync(join(own, "commondir")).trim()) };
}
