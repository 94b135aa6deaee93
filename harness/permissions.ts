/**
 * What a worker may do: read the suite, its packages and the named data, write into the run's folder, and nothing else.
 * No network, no other programs, no environment but one variable; `--no-remote`, beside it, keeps modules from being fetched.
 */

import { fileURLToPath } from "node:url";
import { nativeFolder } from "../engine/native/folder.ts";
import { commitFiles } from "./commit.ts";
import type { Plan } from "./plan.ts";

/** The permissions of a worker as Deno's command line takes them. */
export function workerPermissions(folder: string, plan: Plan): string[] {
  const modules = plan.use.map((path) => path.slice(0, Math.max(1, path.lastIndexOf("/"))));
  const reads = [
    suiteFolder(),
    packageFolder(),
    // Of a worktree they lie elsewhere.
    ...commitFiles(suiteFolder()).filter((path) => !path.startsWith(`${suiteFolder()}/`)),
    folder,
    ...plan.data.paths.map(besideStack),
    ...plan.data.beside ?? [],
    ...modules,
  ];
  return [
    `--allow-read=${reads.map(nameable).join(",")}`,
    `--allow-write=${nameable(folder)}`,
    // Whence the command was given, which paths are relative to.
    ...(plan.backend.name === "native" ? [] : ["--allow-env=INIT_CWD"]),
    // The lock names the host, the record the processor.
    "--allow-sys=hostname,cpus",
    ...flagsOf(plan.backend.name),
  ];
}

/** What a process needs of Deno besides, to compute on a backend. */
export function flagsOf(backend: string): string[] {
  switch (backend) {
    case "webgpu":
      return ["--unstable-webgpu"];
    case "native":
      // TensorFlow is a library of the machine's own code, and is told how much to say.
      return [`--allow-ffi=${nameable(nativeFolder)}`, "--allow-env=INIT_CWD,TF_CPP_MIN_LOG_LEVEL"];
    default:
      return [];
  }
}

/** The truth, the kernel and the emitters of a stack are known by lying beside it: its folder is looked through. */
function besideStack(path: string): string {
  if (!/\.tiff?$/i.test(path)) return path;
  const end = path.lastIndexOf("/");
  return end < 0 ? "." : path.slice(0, Math.max(1, end));
}

function suiteFolder(): string {
  return fileURLToPath(new URL("../", import.meta.url)).replace(/[/\\]$/, "");
}

/** Where Deno keeps npm packages: kernels and codecs read their WebAssembly from there. */
function packageFolder(): string {
  const within = fileURLToPath(import.meta.resolve("@tensorflow/tfjs-core"));
  const at = Math.max(within.lastIndexOf("/npm/"), within.lastIndexOf("/node_modules/"));
  return at < 0 ? suiteFolder() : within.slice(0, within.indexOf("/", at + 1));
}

/** Deno's lists are separated by commas and cannot hold one: a path with a comma is granted with what is beside it. */
function nameable(path: string): string {
  const comma = path.indexOf(",");
  return comma < 0 ? path : path.slice(0, Math.max(1, path.lastIndexOf("/", comma)));
}
