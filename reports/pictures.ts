/** The pictures that records name: which panels can be made of them, and their values, read and checked. */

import { sizeOf } from "../core/image.ts";
import { sha256 } from "../core/json.ts";
import { decodeValue, type Picture, type ResultRecord } from "../results/record.ts";
import { folderOf, type MetricHead, type Run } from "../results/run.ts";
import type { Summary, SummaryRow } from "../results/summary.ts";

/** A picture, and the folder of the run that left it. */
export interface PlacedPicture extends Picture {
  /** What its path is relative to. */
  readonly folder: string;
}

/** One panel: a test sample, and the picture that each row has of it. */
export interface Panel {
  /** File name in `panels/`. */
  readonly file: string;
  /** Id of the test subject. */
  readonly subject: string;
  /** Id of the sample within it. */
  readonly sample: string;
  /** Absent where nobody knows it. */
  readonly truth?: PlacedPicture;
  /** What a network sees, e.g. the zero-filled image. */
  readonly input?: PlacedPicture;
  /** In the table's order. */
  readonly rows: readonly PanelRow[];
}

/** What a panel shows of one row: the first seed that has a picture, or why there is none. */
export interface PanelRow {
  /** The row's name. */
  readonly name: string;
  /** The seed shown; null for a row without seeds. */
  readonly seed: number | null;
  /** The reconstruction, unless there is an {@linkcode PanelRow.absence}. */
  readonly picture?: PlacedPicture;
  /** The leading metric's score of this sample. */
  readonly score?: { readonly metric: MetricHead; readonly value: number };
  /** Why there is no picture. */
  readonly absence: string;
}

/** The panels of a run, in the order in which its rows name their samples. */
export function panelsOf(run: Run, { rows }: Summary): Panel[] {
  const all = rows.flatMap(({ records }) => records.flatMap((record) => placedPictures(run, record))).filter((
    { name },
  ) => name !== "learned");
  const samples = new Map(
    all.map(({ subject, sample }) => [JSON.stringify([subject, sample]), { subject, sample }]),
  );
  return [...samples.values()].map(({ subject, sample }) => {
    const shown = all.filter((picture) => picture.subject === subject && picture.sample === sample);
    return {
      file: `${fileName(subject)}__${fileName(sample)}.png`,
      subject,
      sample,
      truth: shown.find(({ name }) => name === "truth"),
      input: shown.find(({ name }) => name === "input"),
      rows: rows.map((row) => panelRow(run, row, subject, sample)),
    };
  });
}

/** A record's pictures, and where they are. */
export function placedPictures(run: Run, record: ResultRecord): PlacedPicture[] {
  const folder = folderOf(run, record);
  return record.pictures.map((picture) => ({ ...picture, folder }));
}

function panelRow(
  run: Run,
  { head, records, planned }: SummaryRow,
  subject: string,
  sample: string,
): PanelRow {
  for (const record of records) {
    const picture = placedPictures(run, record).find((picture) =>
      picture.name === "reconstruction" && picture.subject === subject && picture.sample === sample
    );
    if (picture === undefined) continue;
    const score = leadingScore(record, run.file.metrics, subject, sample);
    return { name: head.name, seed: record.seed, picture, score, absence: "" };
  }
  const [first] = records;
  const absence = first === undefined || records.length < planned
    ? "not finished"
    : first.state.kind === "diverged"
    ? `diverged at update ${first.state.update}`
    : first.state.kind === "failed"
    ? "failed"
    : "no picture";
  return { name: head.name, seed: first?.seed ?? null, absence };
}

/** The score of the sample in the run's leading metric, under the first convention that scores samples. */
function leadingScore(
  record: ResultRecord,
  metrics: readonly MetricHead[],
  subject: string,
  sample: string,
): PanelRow["score"] {
  for (const metric of metrics.filter(({ id }) => id === metrics[0].id)) {
    const found = record.scores.find((score) =>
      score.metric === metric.id && score.convention === metric.convention && score.subject === subject &&
      score.sample === sample
    );
    const value = found && decodeValue(found.value);
    if (value !== null && value !== undefined) return { metric, value };
  }
  return undefined;
}

/** What a picture shows of a volume; empty of an image. */
export function projection({ slices }: Picture): string {
  return slices === undefined ? "" : `maximum of ${slices} slices`;
}

/** A picture's values, `[height, width]`. */
export interface Values {
  /** Rows. */
  readonly height: number;
  /** Columns. */
  readonly width: number;
  /** Row by row. */
  readonly data: Float32Array;
}

/** Reads a picture from the run's folder, clipped to its window; a text instead says why it cannot be shown. */
export async function readPicture(folder: string, picture: Picture): Promise<Values | string> {
  const { path, shape, sha256: expected, window: { low, high } = { low: -Infinity, high: Infinity } } =
    picture;
  const [height, width, channels = 1] = shape;
  if (shape.length < 2 || shape.length > 3 || channels !== 1) return `shape [${shape.join(", ")}]`;
  // A record may come from anywhere: it names files of its own run only.
  if (path.startsWith("/") || /^[a-z]:|\\/i.test(path) || path.split("/").includes("..")) {
    return "path outside the run";
  }
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(`${folder}/${path}`);
  } catch {
    return "file is missing";
  }
  if (bytes.length !== 4 * sizeOf(shape)) return "file of another size";
  if (sha256(bytes) !== expected) return "file has changed";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const value = (i: number) => Math.min(high, Math.max(low, view.getFloat32(4 * i, true)));
  const data = Float32Array.from({ length: height * width }, (_, i) => value(i));
  return { height, width, data };
}

/**
 * Whether two pictures are the same but for the rounding of float32: nowhere apart by more than a hundredth of a grey
 * level. A row that gives its input back has scaled it to and fro, so that its bytes need not be the input's.
 */
export function samePicture(one: Values, other: Values): boolean {
  if (one.height !== other.height || one.width !== other.width) return false;
  const [least, greatest] = rangeOf(one);
  const limit = (greatest - least) / 25_600;
  return one.data.every((value, i) => Math.abs(value - other.data[i]) <= limit);
}

/** The least and the greatest value; 0 and 1 where there is no such number. */
export function rangeOf(values: Values | undefined): [number, number] {
  if (values === undefined) return [0, 1];
  let [least, greatest] = [Infinity, -Infinity];
  for (const value of values.data) {
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return Number.isFinite(least) && Number.isFinite(greatest) ? [least, greatest] : [0, 1];
}

/** A name that is safe on every file system; one that had to be changed for it is told apart by a hash. */
function fileName(name: string): string {
  // Two underscores stand between the names of subject and sample, so no name keeps two of its own.
  const safe = name.replace(/[^\w.-]+|_{2,}/g, "-").replace(/^[._-]+/, "").slice(0, 60).replace(
    /[._-]+$/,
    "",
  );
  return safe === name && name !== "" ? name : `${safe || "unnamed"}-${sha256(name).slice(0, 8)}`;
}
