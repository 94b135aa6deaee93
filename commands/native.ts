/** `deno task native`: builds the native backend from packages of npm and PyPI. */

import { join } from "node:path";
import { buildNative } from "../engine/native/build.ts";
import { nativeFolder } from "../engine/native/folder.ts";
import { type Flavour, tensorflowVersion } from "../engine/native/wheels.ts";
import { UsageError } from "../core/errors.ts";
import { parsed } from "./options.ts";
import { exitWithError } from "./exit.ts";
import { fromCaller } from "./paths.ts";
import { probe } from "./probe.ts";

const options = {
  cuda: { type: "boolean" },
  cpu: { type: "boolean" },
  wheels: { type: "string" },
  index: { type: "string", default: "https://pypi.org/simple" },
  help: { type: "boolean", short: "h", default: false },
} as const;

const help =
  `deno task native [options]     builds the native backend: TensorFlow ${tensorflowVersion} behind --backend native

Downloads TensorFlow's wheel from PyPI (220 MB; with CUDA 3 GB), checks its SHA-256, unpacks its libraries, and compiles
the binding of @tensorflow/tfjs-node-gpu against them. Needs Linux on x86-64 and g++; no Python. What it leaves stands
in .native/ of the suite's folder, 1 GB, and its wheels, 0.2 GB (with CUDA 6.4 GB in all).

  --cpu, --cuda    which build (default: cuda where there is an NVIDIA driver, else cpu)
  --wheels DIR     takes wheels from this folder, and keeps there what it downloads (default .native/wheels)
  --index URL      another index than ${options.index.default}
  --help           this text

Exit codes: 0 the backend works; 1 it was built and does not work; 2 something is missing, and it says what.`;

async function main(args: string[]): Promise<number> {
  const { values } = parsed("native", args, options);
  if (values.help) {
    console.log(help);
    return 0;
  }
  if (values.cpu && values.cuda) {
    throw new UsageError({ what: "--cpu and --cuda at a time", fix: "give one of them" });
  }
  const flavour: Flavour = values.cuda || (!values.cpu && await hasDriver()) ? "cuda" : "cpu";
  if (values.wheels !== undefined) await requireFolder(fromCaller(values.wheels));
  await buildNative({
    folder: nativeFolder,
    flavour,
    wheelhouse: values.wheels === undefined ? join(nativeFolder, "wheels") : fromCaller(values.wheels),
    index: values.index,
    tell: (step) => console.log(step),
  });
  console.log("testing it");
  const found = await probe("native");
  console.log(`native: ${found.text}`);
  return found.works ? 0 : 1;
}

/** Refuses what is no folder: a slip of the pen would cost a download. */
async function requireFolder(path: string): Promise<void> {
  if (await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false)) return;
  throw new UsageError({
    what: "there is no such folder",
    where: `--wheels ${path}`,
    fix: "make it, or name the one that holds the wheels",
  });
}

/** Whether the kernel has NVIDIA's driver. */
async function hasDriver(): Promise<boolean> {
  return await Deno.stat("/proc/driver/nvidia/version").then(() => true, () => false);
}

if (import.meta.main) Deno.exit(await main(Deno.args).catch(exitWithError));
