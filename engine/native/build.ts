/**
 * Builds the native backend: the N-API binding of `@tensorflow/tfjs-node-gpu`, compiled from the package's own sources
 * against the libraries and headers inside a wheel of TensorFlow.
 *
 * The package's install script would download a libtensorflow of 2021 (CUDA 11.2) from outside of any registry; wheels are
 * current, on PyPI, and hold the same C interface.
 */

import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import yauzl from "yauzl";
import { explain, UsageError } from "../../core/errors.ts";
import { bindingName, nativePackages } from "./folder.ts";
import { type Flavour, type Wheel, wheels } from "./wheels.ts";

/** What {@linkcode buildNative} takes. */
export interface NativeOptions {
  /** Where the backend goes: the binding, and the libraries beside it. */
  readonly folder: string;
  readonly flavour: Flavour;
  /** Folder where wheels are looked for first, and kept. */
  readonly wheelhouse: string;
  /** PEP 503 index of projects. */
  readonly index: string;
  /** Hears what is being done. */
  readonly tell: (step: string) => void;
}

const libraries = ["tensorflow_cc", "tensorflow_framework"] as const;

/**
 * Finds or downloads the wheels, checks their hashes, unpacks what is needed, and compiles the binding.
 *
 * @throws {UsageError} where something is missing, with what to do.
 */
export async function buildNative(options: NativeOptions): Promise<void> {
  const { folder, flavour, tell } = options;
  requirePlatform();
  await requireCompiler();
  await Deno.mkdir(folder, { recursive: true });
  for (const wheel of wheels[flavour]) {
    const path = await wheelAt(wheel, options);
    tell(`unpacking ${wheel.file}`);
    await unpack(path, folder, isNeeded);
  }
  for (const library of libraries) {
    const link = join(folder, "tensorflow", `lib${library}.so`);
    await Deno.remove(link).catch(() => {});
    await Deno.symlink(`lib${library}.so.2`, link);
  }
  tell("installing npm packages");
  await installPackages(folder);
  tell("compiling the binding");
  await compile(folder, flavour);
}

function requirePlatform(): void {
  const { os, arch } = Deno.build;
  if (os === "linux" && arch === "x86_64") return;
  throw new UsageError({
    what: `the native backend is built on Linux with x86-64 processors, and this is ${os} with ${arch}`,
    where: "deno task native",
    fix: "use --backend wasm, or --backend webgpu where there is a GPU",
  });
}

async function requireCompiler(): Promise<void> {
  const found = await run("g++", ["--version"]).then(({ success }) => success, () => false);
  if (found) return;
  throw new UsageError({
    what: "there is no g++ to compile the binding with",
    where: "deno task native",
    fix: "install a C++ compiler, e.g. apt install g++, or module load gcc on a cluster",
  });
}

/** The path of a wheel whose hash is right, downloaded where it is not there. */
async function wheelAt({ project, file, sha256 }: Wheel, options: NativeOptions): Promise<string> {
  const { wheelhouse, index, tell } = options;
  const path = join(wheelhouse, file);
  const there = await Deno.stat(path).then(() => true, () => false);
  if (!there) {
    tell(`downloading ${file}`);
    await download(await linkTo(project, file, index), path);
  }
  const found = await hashOf(path);
  if (found === sha256) return path;
  throw new UsageError({
    what: `its SHA-256 is ${found}, and not ${sha256}`,
    where: path,
    fix: "delete it, and let deno task native download it again",
  });
}

/** Where an index says that a file of a project is. */
async function linkTo(project: string, file: string, index: string): Promise<string> {
  const page = `${index.replace(/\/$/, "")}/${project}/`;
  const fix = `download ${file} elsewhere, and give its folder as --wheels DIR`;
  let text: string;
  try {
    const response = await fetch(page);
    text = response.ok ? await response.text() : "";
  } catch (cause) {
    throw new UsageError(
      { what: `the index does not answer: ${(cause as Error).message}`, where: page, fix },
      {
        cause,
      },
    );
  }
  for (const [, address] of text.matchAll(/href="([^"]+)"/g)) {
    const link = new URL(address.replaceAll("&amp;", "&"), page);
    if (decodeURIComponent(link.pathname).endsWith(`/${file}`)) return link.href;
  }
  throw new UsageError({ what: `there is no ${file}`, where: page, fix });
}

async function download(address: string, path: string): Promise<void> {
  const response = await fetch(address);
  if (!response.ok || response.body === null) {
    throw new UsageError({
      what: `the server answered ${response.status}`,
      where: address,
      fix: "try again later, or download it elsewhere and give its folder as --wheels DIR",
    });
  }
  await Deno.mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  await pipeline(Readable.fromWeb(response.body as never), createWriteStream(part));
  await Deno.rename(part, path);
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** Libraries, and the headers of the C interface. */
function isNeeded(name: string): boolean {
  return /^tensorflow\/libtensorflow_(cc|framework)\.so\.2$/.test(name) ||
    /^tensorflow\/include\/(tensorflow\/(c|core\/platform)|tsl\/platform|xla\/tsl\/c)\/.*\.(h|inc)$/.test(
      name,
    ) ||
    /^nvidia\/[^/]+\/lib\/[^/]+\.so[.\d]*$/.test(name) ||
    // CUDA's assembler and its library of device functions, which TensorFlow compiles kernels with.
    /^nvidia\/cuda_nvcc\/(bin\/ptxas|nvvm\/libdevice\/.*)$/.test(name);
}

/** What we use of `yauzl`, which brings no types. */
interface Archive {
  readEntry(): void;
  openReadStream(entry: Entry, done: (error: Error | null, stream: Readable) => void): void;
  on(event: "entry", listener: (entry: Entry) => void): void;
  on(event: "end", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
}

interface Entry {
  readonly fileName: string;
}

/** Unpacks the wanted files of a zip archive. */
async function unpack(path: string, folder: string, wanted: (name: string) => boolean): Promise<void> {
  const archive = await new Promise<Archive>((resolve, reject) =>
    yauzl.open(
      path,
      { lazyEntries: true },
      (error: Error | null, file: Archive) => error ? reject(error) : resolve(file),
    )
  );
  const take = async (entry: Entry) => {
    // yauzl refuses names that lead out of the folder.
    if (wanted(entry.fileName)) {
      const to = join(folder, entry.fileName);
      await Deno.mkdir(dirname(to), { recursive: true });
      const stream = await new Promise<Readable>((resolve, reject) =>
        archive.openReadStream(entry, (error, stream) => error ? reject(error) : resolve(stream))
      );
      await pipeline(stream, createWriteStream(to, { mode: 0o755 }));
    }
    archive.readEntry();
  };
  await new Promise<void>((resolve, reject) => {
    archive.on("entry", (entry) => take(entry).catch(reject));
    archive.on("end", resolve);
    archive.on("error", reject);
    archive.readEntry();
  });
}

async function compile(folder: string, flavour: Flavour): Promise<void> {
  const sources = join(folder, "node_modules/@tensorflow/tfjs-node-gpu/binding");
  const headers = join(folder, "node_modules/node-api-headers/include");
  const tensorflow = join(folder, "tensorflow");
  const own = flavour === "cpu"
    ? []
    : wheels.cuda.slice(1).map(({ file }) => `$ORIGIN/nvidia/${/^nvidia_(.*)_cu12-/.exec(file)![1]}/lib`);
  const { success, stderr } = await run("g++", [
    ...["-std=c++17", "-O2", "-fPIC", "-shared", "-DNAPI_VERSION=8"],
    ...["-I", join(tensorflow, "include"), "-I", headers],
    ...["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => join(sources, name)),
    ...["-o", join(folder, bindingName), "-L", tensorflow, ...libraries.map((name) => `-l${name}`)],
    `-Wl,-rpath,${["$ORIGIN/tensorflow", ...own].join(":")}`,
  ]);
  if (success) return;
  throw new Error(explain({
    what: `g++ failed:\n${stderr}`,
    where: sources,
    fix: "give a g++ of version 9 or later first in PATH",
  }));
}

/** The packages of npm, without their install scripts. */
async function installPackages(folder: string): Promise<void> {
  await Deno.writeTextFile(
    join(folder, "package.json"),
    JSON.stringify({ private: true, dependencies: nativePackages }, null, 2) + "\n",
  );
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify({ nodeModulesDir: "auto" }) + "\n");
  const { success, stderr } = await run(Deno.execPath(), ["install"], folder);
  if (success) return;
  throw new UsageError({
    what: `its npm packages cannot be installed:\n${stderr}`,
    where: folder,
    fix: "see that the npm registry can be reached, e.g. by NPM_CONFIG_REGISTRY",
  });
}

async function run(
  command: string,
  args: string[],
  cwd?: string,
): Promise<{ success: boolean; stderr: string }> {
  const { success, stderr } = await new Deno.Command(command, { args, cwd, stdout: "null", stderr: "piped" })
    .output();
  return { success, stderr: new TextDecoder().decode(stderr) };
}
