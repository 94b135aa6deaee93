/** Every reader of foreign bytes, with sound files to damage, and what it must keep to. */

import { isWorded } from "../../commands/exit.ts";
import { canonicalJson, type Json, sha256 } from "../../core/json.ts";
import { decodeSafetensors, encodeSafetensors } from "../../core/safetensors.ts";
import type { Rng } from "../../core/random.ts";
import { samples } from "../../datasets/dataset.ts";
import { decodeLosslessJpeg } from "../../datasets/formats/jpeg_lossless.ts";
import { allKinds } from "../../datasets/kinds.ts";
import { readLocalisations } from "../../datasets/localisations.ts";
import { findFiles } from "../../datasets/open.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../harness/checkpoint.ts";
import { configure } from "../../harness/configuration.ts";
import { readPlan } from "../../harness/folder.ts";
import { splitFromFile } from "../../harness/split.ts";
import { textsOf } from "../../reports/write.ts";
import { baselineText, parseBaseline } from "../../results/baseline.ts";
import { recordLine } from "../../results/record.ts";
import { readRun } from "../../results/run.ts";
import { summarise } from "../../results/summary.ts";
import { mri } from "../../benchmarks/mri.ts";
import { dicomBytes, niftiBytes, writeFastmri } from "../datasets_files.ts";
import dicomGolden from "../golden/dicom.json" with { type: "json" };
import tiffGolden from "../golden/datasets_tiff.json" with { type: "json" };
import { fullRun } from "../reports_made_run.ts";
import { sharedExists, sharedFolder } from "../tree.ts";
import { damaged, damagedJson, damagedText } from "./mutations.ts";

/** A reader under test. */
export interface Reader {
  readonly name: string;
  /** Its part of the mutations, next to the others' of 1: those behind a fence need a new thread after each refusal. */
  readonly share?: number;
  /** Files that it reads without complaint; written by way of `folder` where they must be. */
  sound(folder: string): Promise<readonly Uint8Array[]>;
  /** Damages one of them. */
  damage(sound: readonly Uint8Array[], rng: Rng): Uint8Array | Promise<Uint8Array>;
  /**
   * Reads bytes to their end: true where they are data, false where they are refused in words.
   *
   * @throws {Error} where it is neither, and the reader is at fault.
   */
  read(bytes: Uint8Array, folder: string): Promise<boolean>;
}

/** Files of datasets: recognised by their content, opened, and every sample read. */
function dataset(name: string, ending: string, sound: Reader["sound"], damage = damaged): Reader {
  return {
    name,
    sound,
    damage,
    read: (bytes, folder) =>
      refusedInWords(async () => {
        const path = `${folder}/mutant.${ending}`;
        await Deno.writeFile(path, bytes);
        const { files: [{ file }] } = await findFiles(allKinds, [path]);
        const kinds = allKinds.filter((kind) => kind.recognises(file));
        let refusal: unknown;
        for (const kind of kinds) {
          try {
            const opened = await kind.open([file], { stream: "fuzz", simulate: false });
            try {
              for await (const sample of samples(opened)) {
                for (const image of [sample.image, sample.measurement, sample.reference, sample.label]) {
                  if (image !== undefined) assertSound(image);
                }
              }
            } finally {
              opened.close();
            }
            return true;
          } catch (error) {
            assertWorded(error);
            refusal = error;
          }
        }
        if (refusal !== undefined) throw refusal;
        return false;
      }),
  };
}

function assertSound({ shape, data }: { shape: readonly number[]; data: Float32Array }): void {
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (size !== data.length) throw new Error(`a sample [${shape}] holds ${data.length} values`);
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new Error(`a sample holds ${data[bad]} without a word`);
}

function assertWorded(error: unknown): void {
  if (!isWorded(error)) throw new Error("it is not refused in words", { cause: error });
}

/** What `read` says, and false where it throws a worded error; any other error is a fault. */
async function refusedInWords(read: () => Promise<boolean>): Promise<boolean> {
  try {
    return await read();
  } catch (error) {
    if (isWorded(error)) return false;
    throw error;
  }
}

const fromBase64 = (text: string) => Uint8Array.fromBase64(text);
const encode = (text: string) => new TextEncoder().encode(text);
const shared = async (...paths: string[]) =>
  sharedExists ? await Promise.all(paths.map((path) => Deno.readFile(`${sharedFolder}/${path}`))) : [];

const fastmri = dataset("fastmri", "h5", async (folder) => {
  const path = `${folder}/sound.h5`;
  const files: Uint8Array[] = [];
  const shape = [2, 6, 8];
  const reconstruction = { name: "reconstruction_esc", shape: [2, 6, 6], data: new Float32Array(72).fill(1) };
  for (
    const file of [
      { shape, mask: [1, 1, 1, 1, 1, 1, 1, 0] },
      {
        shape,
        reconstruction,
        reconSpace: [6, 6] as const,
        attributes: { acquisition: "AXT2", patient_id: "p" },
      },
      { shape: [2, 3, 6, 8] },
    ]
  ) {
    await writeFastmri(path, file);
    files.push(await Deno.readFile(path));
  }
  return files;
});

const nifti = dataset("nifti", "nii", async () => [
  niftiBytes({ shape: [4, 4, 3], data: new Float32Array(48).fill(2) }),
  niftiBytes({ shape: [5, 4, 3], data: Float32Array.from({ length: 60 }, (_, i) => i), slope: 2 }),
  ...await shared("nifti/dtypes/uint16.nii"),
]);

/** What is compressed is damaged before, and half of the time after, too. */
const niftiGz = dataset("nifti-gz", "nii.gz", nifti.sound, undefined);
const gzip = async (bytes: Uint8Array) =>
  await new Response(new Blob([bytes.slice()]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();

const dicom = dataset("dicom", "dcm", async () => [
  dicomBytes({ rows: 4, columns: 4, stored: Array.from({ length: 16 }, (_, i) => i * 100) }),
  dicomBytes({
    rows: 4,
    columns: 6,
    stored: Array(24).fill(1000),
    elements: { "00080060": "MR", "00281052": "0" },
  }),
  ...await shared("ct/awkward/CT_small.dcm"),
]);

const dicomCodecs = dataset("dicom-codecs", "dcm", () =>
  shared(
    "ct/transfer_syntaxes/ct_jpeg2000_lossless.dcm",
    "ct/transfer_syntaxes/ct_jpegls_lossless.dcm",
    "ct/transfer_syntaxes/ct_jpeg_lossless_sv1.dcm",
  ));

/** Those of several channels or planes are refused for that by what comes after the reader. */
const tiff = dataset("tiff", "tif", () => {
  const files = tiffGolden.cases.filter(({ name, axes }) => axes === null && !/colours/.test(name)).map((
    { file },
  ) => fromBase64(file));
  return Promise.resolve(files.filter(({ length }) => length < 20_000));
});

/** The streams alone, which their files only wrap. */
const jpegLossless: Reader = {
  name: "jpeg-lossless",
  sound: () => Promise.resolve(dicomGolden.jpeg.map(({ stream }) => fromBase64(stream))),
  damage: damaged,
  read(bytes) {
    // Its caller says where the file is and what to do.
    try {
      const { width, height, samples } = decodeLosslessJpeg(bytes, 7, 9);
      if (samples.length !== width * height) {
        throw new Error(`${samples.length} samples of ${height} x ${width}`);
      }
      return Promise.resolve(true);
    } catch (error) {
      if (error instanceof SyntaxError && error.message.length > 10) return Promise.resolve(false);
      throw error;
    }
  },
};

function localisations(
  name: string,
  ending: string,
  sound: Reader["sound"],
  damage: Reader["damage"],
): Reader {
  return {
    name,
    sound,
    damage,
    read: (bytes, folder) =>
      refusedInWords(async () => {
        await Deno.writeFile(`${folder}/mutant.${ending}`, bytes);
        const { xNm, yNm, frame } = await readLocalisations(`${folder}/mutant.${ending}`, {
          pixelSizeNm: 100,
        });
        if (xNm.length !== frame.length || yNm.length !== frame.length) {
          throw new Error("columns of other lengths");
        }
        if (![...xNm, ...yNm].every(Number.isFinite)) throw new Error("a position is no number");
        if (frame.some((one, i) => one < 0 || (i > 0 && frame[i - 1] > one))) {
          throw new Error("frames out of order");
        }
        return true;
      }),
  };
}

const localisationText = localisations("localisation-text", "csv", () =>
  Promise.resolve([
    encode(
      '"frame","x [nm]","y [nm]","intensity [photon]"\n1,100.5,200.25,900\n2,3.5e2,-7,1000\n2,4,5,800\n',
    ),
    encode("frame,x_nm,y_nm\n1,10,20\n2,30,40\n3,50,60\n"),
    encode(
      '# <localizations insequence="true"><field identifier="Position-0-0" unit="nanometer"/>' +
        '<field identifier="Position-1-0" unit="nanometer"/><field identifier="ImageNumber-0-0" unit="frame"/>' +
        "</localizations>\n100 200 0\n150.5 20 1\n",
    ),
  ]), damagedText);

const picasso = localisations(
  "picasso",
  "hdf5",
  () => shared("smlm/picasso_origami_localisations.hdf5"),
  damaged,
);

const checkpoint = {
  of: "a job",
  update: 7,
  log: [{ update: 1, values: { loss: 1 / 3 } }],
  sums: { loss: 0.3 },
  since: 2,
  seconds: 1.5,
  dealer: { decks: [{ left: [0, 2], queue: [[2, "both" as const]], epoch: 3 }], cutters: [] },
  learner: { arrays: [new Float32Array(5).fill(2), new Float32Array(0)], rest: [{ steps: 7 }] },
};

/** Damaged bytes, half of them with a checksum that fits, as no accident leaves them. */
const checkpoints: Reader = {
  name: "checkpoint",
  sound: () =>
    Promise.resolve([encodeCheckpoint(checkpoint as unknown as Parameters<typeof encodeCheckpoint>[0])]),
  damage(sound, rng) {
    const content = sound.map((bytes) => bytes.subarray(0, -32));
    const end = content[0].indexOf(10) + 1;
    const bytes = rng.uniform() < 0.5
      ? damaged(content, rng)
      : Uint8Array.of(...damagedJson([content[0].subarray(0, end)], rng), ...content[0].subarray(end));
    const digest = rng.uniform() < 0.5 ? sound[0].subarray(-32) : Uint8Array.fromHex(sha256(bytes));
    return Uint8Array.of(...bytes, ...digest);
  },
  read: (bytes) =>
    refusedInWords(() => {
      const { learner } = decodeCheckpoint(bytes, "memory");
      if (!learner.arrays.every((array) => array instanceof Float32Array)) {
        throw new Error("arrays that are none");
      }
      return Promise.resolve(true);
    }),
};

/** A run's folder of which one file is damaged: read as reports do, to the last table. */
function runFile(
  name: string,
  sound: Reader["sound"],
  write: (bytes: Uint8Array, folder: string) => Promise<void>,
): Reader {
  return {
    name,
    sound,
    damage: damagedJson,
    read: (bytes, folder) =>
      refusedInWords(async () => {
        const { file, records } = fullRun();
        await Deno.writeTextFile(`${folder}/run.json`, canonicalJson(file as unknown as Json));
        await Deno.writeTextFile(`${folder}/records.jsonl`, records.map(recordLine).join(""));
        await write(bytes, folder);
        const run = await readRun(folder);
        const table = { run, summary: summarise(run) };
        for (const [name, text] of Object.entries(textsOf(table, ["md", "csv", "tex", "json"]))) {
          const whole = [text()].flat().map((part) => typeof part === "string" ? part : [...part].join(""))
            .join("");
          if (/\bundefined\b|\[object /.test(whole)) throw new Error(`${name} has holes`);
        }
        return (run.refused ?? []).length === 0;
      }),
  };
}

const records = runFile(
  "records",
  () => {
    // Of seeds that the run has not yet.
    const more = fullRun().records.filter(({ seed }) => seed !== null);
    return Promise.resolve(more.map((record) => encode(recordLine({ ...record, seed: record.seed! + 10 }))));
  },
  (bytes, folder) => Deno.writeFile(`${folder}/records.jsonl`, bytes, { append: true }),
);

const runs = runFile(
  "run",
  () => Promise.resolve([encode(canonicalJson(fullRun().file as unknown as Json))]),
  (bytes, folder) => Deno.writeFile(`${folder}/run.json`, bytes),
);

/** A file of numbers with a header: weights that were kept. */
const safetensors: Reader = {
  name: "safetensors",
  sound: () =>
    Promise.resolve([
      encodeSafetensors({
        arrays: [
          { name: "G/a", shape: [2, 3], data: Float32Array.from({ length: 6 }, (_, i) => i) },
          { name: "G/b", shape: [], data: Float32Array.of(1) },
          { name: "G/c", shape: [0, 4], data: new Float32Array() },
        ],
        metadata: { method: "m", seed: "1" },
      }),
    ]),
  damage(sound, rng) {
    if (rng.uniform() < 0.5) return damaged(sound, rng);
    const [bytes] = sound;
    const start = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const header = damagedJson([bytes.subarray(8, start)], rng);
    const length = new Uint8Array(new BigUint64Array([BigInt(header.length)]).buffer);
    return Uint8Array.of(...length, ...header, ...bytes.subarray(start));
  },
  read: (bytes) =>
    refusedInWords(() => {
      for (const { shape, data } of decodeSafetensors(bytes, "memory").arrays) {
        if (shape.reduce((product, extent) => product * extent, 1) !== data.length) {
          throw new Error("other shapes");
        }
      }
      return Promise.resolve(true);
    }),
};

const checks: Reader = {
  name: "baseline",
  async sound() {
    const { checks: [check], ...rest } = JSON.parse(
      await Deno.readTextFile(new URL("../../benchmarks/baseline.json", import.meta.url)),
    );
    const rows = check.rows.slice(0, 2).map((row: { jobs: unknown[] }) => ({
      ...row,
      jobs: row.jobs.slice(0, 2),
    }));
    return [encode(JSON.stringify({ ...rest, checks: [{ ...check, rows }] }))];
  },
  damage: damagedJson,
  read: (bytes) =>
    refusedInWords(() => {
      const baseline = parseBaseline(new TextDecoder().decode(bytes), "memory");
      parseBaseline(baselineText(baseline), "memory");
      return Promise.resolve(true);
    }),
};

const plan = {
  version: 1,
  configuration: "c",
  request: { benchmark: "mri", profile: "smoke", set: [] },
  jobs: [{ index: 0, method: "supervised", seed: 1, record: "supervised.seed-1.json" }],
};

const plans: Reader = {
  name: "plan",
  sound: () => Promise.resolve([encode(JSON.stringify(plan))]),
  damage: damagedJson,
  read: (bytes, folder) =>
    refusedInWords(async () => {
      await Deno.writeFile(`${folder}/plan.json`, bytes);
      for (const { record } of (await readPlan(folder)).jobs) {
        if (/[/\\]|^\.\.?$/.test(record)) throw new Error(`a record's name leads elsewhere: ${record}`);
      }
      return true;
    }),
};

const subjects = Array.from(
  { length: 8 },
  (_, i) => ({ id: `s${i}`, samples: ["a", "b"], shape: [4, 4, 1] }),
);

const splits: Reader = {
  name: "split",
  sound: () =>
    Promise.resolve([
      encode('{"x": ["s0", "s1"], "y": ["s2", "s3"], "validation": ["s4"], "test": ["s5", "s6"]}'),
    ]),
  damage: damagedJson,
  read: (bytes) =>
    refusedInWords(() => {
      let file: unknown;
      try {
        file = JSON.parse(new TextDecoder().decode(bytes));
      } catch {
        return Promise.resolve(false);
      }
      const { parts } = splitFromFile(
        { subjects } as unknown as Parameters<typeof splitFromFile>[0],
        file,
        "split.json",
      );
      const all = Object.values(parts).flat();
      if (!all.every(({ subject, sample }) => subject !== undefined && sample !== undefined)) {
        throw new Error("a part holds what is no sample");
      }
      return Promise.resolve(true);
    }),
};

/** What the command line may say: lines of benchmark, profile, seeds, methods and settings. */
const configurations: Reader = {
  name: "configuration",
  sound: () =>
    Promise.resolve([
      encode("mri\nquick\n1-3\nsupervised,ot-cyclegan\nacceleration=8\not-cyclegan.gamma=50\nupdates=20"),
      encode("mri\nsmoke\n1,4,9\nzero-filled\nmask=fastmri\nmirror=false"),
    ]),
  damage: damagedText,
  read: (bytes) =>
    refusedInWords(() => {
      const [benchmark, profile = "", seeds = "", methods = "", ...set] = new TextDecoder().decode(bytes)
        .split("\n");
      const { settings, rows } = configure([mri], {
        benchmark,
        profile,
        seeds,
        methods: methods.split(","),
        set,
      });
      const values = [settings, ...rows.map(({ settings }) => settings)].flatMap((one) => Object.values(one));
      if (values.some((value) => typeof value === "number" && !Number.isFinite(value))) {
        throw new Error("NaN is set");
      }
      return Promise.resolve(true);
    }),
};

const fenced = 0.15;

/** All of them. */
export const readers: readonly Reader[] = [
  { ...fastmri, share: fenced },
  nifti,
  {
    ...niftiGz,
    async damage(sound, rng) {
      const packed = await gzip(damaged(sound, rng));
      return rng.uniform() < 0.5 ? packed : damaged([packed], rng);
    },
  },
  dicom,
  { ...dicomCodecs, share: fenced },
  jpegLossless,
  tiff,
  localisationText,
  { ...picasso, share: fenced },
  checkpoints,
  records,
  runs,
  plans,
  safetensors,
  checks,
  splits,
  configurations,
];
