/** Paths as a user gives them: `deno task` runs in the suite's folder, but they are relative to where it was called. */

import { resolve } from "node:path";
import { UsageError } from "../core/errors.ts";

/** The absolute path of what the user named, whether it is there or not. */
export function fromCaller(path: string): string {
  if (path === "") {
    throw new UsageError({ what: "a path is empty", fix: "name a file or a folder; . is the current one" });
  }
  return resolve(Deno.env.get("INIT_CWD") ?? Deno.cwd(), path);
}

/** The path as the user gave it where it means the same here, else absolute: for paths that are shown again. */
export function fromElsewhere(path: string): string {
  const caller = Deno.env.get("INIT_CWD");
  return caller === undefined || caller === Deno.cwd() ? path : resolve(caller, path);
}
