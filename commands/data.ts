/**
 * `deno task data PATH…`: what the loaders see there.
 *
 * Every file is first opened alone, so that each gets its own reason where it is refused; then all that load are
 * opened together, as a benchmark would.
 */

import { parseArgs } from "node:util";
import { createHash } from "node:crypto";
import { suggest, UsageError } from "../core/errors.ts";
import type { Contents, FileProbe, OpenOptions } from "../datasets/dataset.ts";
import { allKinds } from "../datasets/kinds.ts";
import { findFiles, type FoundFile } from "../datasets/open.ts";
import { oneLine, printable } from "./exit.ts";
import { fromElsewhere } from "./paths.ts";

const help = `What the loaders see in files and folders.

  deno task data PATH… [--hash] [--json] [--slice-axis N] [--pixel-nm X[,Z]]

  --hash           the SHA-256 of each sample's values as little-endian float32
  --json           one JSON document, for programs
  --slice-axis N   slice volumes along axis N (0, 1 or 2; 0 is the fastest in the file)
  --pixel-nm X     the size of a TIFF stack's pixels in nm, before what the file says; X,Z for volumes
  --help           this text

What is read:
${allKinds.map(({ kind, about }) => `  ${kind.padEnd(10)} ${about}`).join("\n")}

Examples:
  deno task data scans/                     every file below scans/, and why those are refused that are
  deno task data brain.h5 --hash            one file, with the hash of each slice
  deno task data scans/ --json | jq .refused

Exit code 0: all of it loads. 2: something is refused, or there is nothing.`;

const options = {
  hash: { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  "slice-axis": { type: "string" },
  "pixel-nm": { type: "string" },
} as const;

/** The SHA-256 of the values as little-endian float32, whatever the machine's own order. */
export function hashOfValues(values: Float32Array): string {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => view.setFloat32(4 * i, value, true));
  return createHash("sha256").update(bytes).digest("hex");
}

/** A refused file, or several that do not go together. */
interface Refusal {
  readonly path: string;
  readonly reason: string;
}

/** What is at the paths that the user gave. */
interface Survey {
  readonly datasets: readonly { readonly contents: Contents; readonly files: readonly string[] }[];
  readonly refused: readonly Refusal[];
  readonly ignored: readonly string[];
  /** By subject and sample, in each dataset's order; only with `--hash`. */
  readonly hashes: readonly { readonly subject: string; readonly sample: string; readonly sha256: string }[];
}

/** Looks at every file under `paths`: alone, then with the others of its kind. */
export async function survey(
  paths: readonly string[],
  wanted: { sliceAxis?: number; pixelNm?: string; hash?: boolean },
): Promise<Survey> {
  const { files, ignored } = await findFiles(allKinds, paths);
  const opening: OpenOptions = {
    sliceAxis: wanted.sliceAxis,
    stream: "data",
    simulate: false,
    ...(wanted.pixelNm !== undefined && { settings: { pixelNm: wanted.pixelNm } }),
  };
  const refused: Refusal[] = [];
  const sound: SoundFile[] = [];
  for (const found of files) {
    const { path } = found.file;
    if ("refusal" in found) {
      refused.push({ path, reason: found.refusal });
      continue;
    }
    try {
      sound.push(await opened(found.file, opening));
    } catch (error) {
      if (error instanceof UsageError) throw error;
      refused.push({ path, reason: reasonOf(error, path) });
    }
  }

  const datasets: { contents: Contents; files: readonly string[] }[] = [];
  const hashes: { subject: string; sample: string; sha256: string }[] = [];
  const kinds = Map.groupBy(sound, ({ kind }) => kind);
  for (const [kind, alike] of kinds) {
    // Of different sizes files still make a dataset where a benchmark brings them to one.
    const reason = await reasonAgainst(alike, { ...opening, matrix: 32, simulate: true });
    if (reason !== undefined) refused.push({ path: `${alike.length} files of kind ${kind.kind}`, reason });
    for (const group of Map.groupBy(alike, ({ shape }) => shape).values()) {
      const apart = await reasonAgainst(group, opening) === undefined ? [group] : group.map((one) => [one]);
      for (const together of apart) {
        const dataset = await kind.open(together.map(({ file }) => file), opening);
        try {
          datasets.push({ contents: dataset.contents, files: together.map(({ file }) => file.path) });
          if (!wanted.hash) continue;
          for (const { id: subject, samples } of dataset.contents.subjects) {
            for (const sample of samples) {
              const { image, measurement } = await dataset.sample(subject, sample);
              if (image !== undefined) hashes.push({ subject, sample, sha256: hashOfValues(image.data) });
              if (measurement !== undefined) {
                const name = image === undefined ? sample : `${sample}, measured`;
                hashes.push({ subject, sample: name, sha256: hashOfValues(measurement.data) });
              }
            }
          }
        } finally {
          dataset.close();
        }
      }
    }
  }
  if (kinds.size > 1) {
    const names = [...kinds.keys()].map(({ kind }) => kind).join(", ");
    refused.push({
      path: paths.join(" "),
      reason: `files of several kinds (${names}) make no dataset together`,
    });
  }
  return { datasets, refused, ignored, hashes };
}

/** A file that loads alone, and the size of its samples. */
type SoundFile = Extract<FoundFile, { kind: unknown }> & { readonly shape: string };

/** Opens a file alone, as the first of the kinds that recognise it and can; a volume says only inside what it is of. */
async function opened(file: FileProbe, opening: OpenOptions): Promise<SoundFile> {
  let refusal: unknown;
  for (const kind of allKinds.filter((kind) => kind.recognises(file))) {
    try {
      const dataset = await kind.open([file], opening);
      dataset.close();
      return { file, kind, shape: dataset.contents.subjects[0].shape.join(" x ") };
    } catch (error) {
      refusal ??= error;
    }
  }
  throw refusal;
}

/** Why the files, each of which loads alone, do not load together; undefined where they do. */
async function reasonAgainst(files: readonly SoundFile[], opening: OpenOptions): Promise<string | undefined> {
  if (files.length === 1) return undefined;
  try {
    (await files[0].kind.open(files.map(({ file }) => file), opening)).close();
    return undefined;
  } catch (error) {
    return `each of these ${files.length} files loads, but not together: ${(error as Error).message}`;
  }
}

/** What an error of a loader says, without the path that is printed beside it. */
function reasonOf(error: unknown, path: string): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n").filter((line) => line.trim() !== `where: ${path}`).join("\n");
}

const aboutPairs: Readonly<Record<Contents["holds"], string>> = {
  images: "no: measurements are simulated from the images",
  measurements: "no: there is no truth beside the measurements",
  pairs: "yes",
};

function printed({ datasets, refused, ignored, hashes }: Survey): string {
  const lines: string[] = [];
  const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? "" : "s"}`;
  for (const { contents, files } of datasets) {
    const { kind, name, subjects, unit, pixelSizeMm, holds, banners, notes, hash } = contents;
    const samples = subjects.reduce((sum, { samples }) => sum + samples.length, 0);
    const shapes = [...new Set(subjects.map(({ shape }) => shape.join(" x ")))];
    const by = (title: string, of: (subject: Contents["subjects"][number]) => string | undefined) => {
      const groups = new Map<string, number>();
      for (const subject of subjects) {
        const group = of(subject);
        if (group !== undefined) groups.set(group, (groups.get(group) ?? 0) + 1);
      }
      if (groups.size > 0) {
        lines.push(`  ${title}  ${[...groups].map(([key, n]) => `${oneLine(key)}: ${n}`).join(", ")}`);
      }
    };
    lines.push(`${name}: ${kind}, ${count(files.length, "file")}`);
    lines.push(`  holds     ${holds}, ${count(subjects.length, "subject")}, ${count(samples, "sample")}`);
    lines.push(`  sizes     ${shapes.join(", ")} (height x width x channels; complex numbers are two)`);
    lines.push(
      `  units     ${unit}, pixels ${
        pixelSizeMm?.map((mm) => mm.toPrecision(4)).join(" x ") ?? "of unknown size"
      }${pixelSizeMm ? " mm" : ""}`,
    );
    lines.push(`  pairs     ${aboutPairs[holds]}`);
    by("parts   ", ({ role }) => role);
    by("strata  ", ({ stratum }) => stratum);
    for (const note of [...banners, ...notes]) lines.push(`  note      ${note}`);
    lines.push(`  sha-256   ${hash}`);
    lines.push("  subject                            samples  size");
    for (const { id, samples, shape } of subjects) {
      lines.push(`  ${oneLine(id).padEnd(34)} ${String(samples.length).padStart(7)}  ${shape.join(" x ")}`);
    }
    lines.push("");
  }
  if (hashes.length > 0) {
    lines.push("sha-256 of each sample's values, little-endian float32:");
    for (const { subject, sample, sha256 } of hashes) lines.push(`  ${sha256}  ${subject} ${sample}`);
    lines.push("");
  }
  if (refused.length > 0) {
    lines.push(`refused: ${refused.length}`);
    for (const { path, reason } of refused) lines.push(`  ${path}\n    ${reason.replaceAll("\n", "\n    ")}`);
  }
  if (ignored.length > 0) lines.push(`ignored, as side files: ${ignored.join(", ")}`);
  if (datasets.length === 0 && refused.length === 0) lines.push("there are no data files");
  return printable(lines.join("\n").trimEnd());
}

/** Runs the command, and gives its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parsed(args);
    if (values.help) {
      console.log(help);
      return 0;
    }
    if (positionals.length === 0) {
      throw new UsageError({
        what: "no path is given",
        where: "deno task data",
        fix: "give files or folders, e.g. `deno task data scans/`; --help says more",
      });
    }
    const seen = await survey(positionals.map(fromElsewhere), {
      sliceAxis: axisOf(values["slice-axis"]),
      pixelNm: values["pixel-nm"],
      hash: values.hash,
    });
    console.log(values.json ? printable(JSON.stringify(seen, null, 2)) : printed(seen));
    return seen.refused.length === 0 && seen.datasets.length > 0 ? 0 : 2;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`error: ${printable(error.message)}`);
    return 2;
  }
}

function parsed(args: readonly string[]) {
  const known = Object.keys(options);
  for (const arg of args) {
    if (arg === "--") break;
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name !== undefined && !known.includes(name)) {
      throw new UsageError({
        what: `there is no option --${name}`,
        where: "deno task data",
        fix: suggest(name, known),
      });
    }
  }
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    const what = (cause as Error).message.split("\n")[0];
    throw new UsageError({ what, where: "deno task data", fix: "see `deno task data --help`" }, { cause });
  }
}

function axisOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[012]$/.test(text)) {
    throw new UsageError({
      what: `--slice-axis cannot be "${text}"`,
      where: "deno task data",
      fix: "give 0, 1 or 2; 0 is the fastest in the file",
    });
  }
  return Number(text);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
