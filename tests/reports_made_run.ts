/** A small made-up run for the tests of reports: every kind of row and of score that a table has to show. */

import { sha256 } from "../core/json.ts";
import { stream } from "../core/random.ts";
import type { Picture, ResultRecord, ScoreRow } from "../results/record.ts";
import type { MetricHead, RowHead, Run, RunFile } from "../results/run.ts";

/** Heads of the metrics of the made run. */
export const metrics: readonly MetricHead[] = [
  {
    id: "psnr",
    convention: "fastmri",
    unit: "dB",
    better: "higher",
    about: "10·log₁₀(range²/MSE), range of the volume",
  },
  {
    id: "ssim",
    convention: "fastmri",
    unit: "",
    better: "higher",
    about: "7×7 uniform window, mean over the slices of a volume",
  },
  { id: "psnr", convention: "paper", unit: "dB", better: "higher", about: "of each image" },
  { id: "data-consistency", convention: "relative", unit: "", better: "lower", about: "‖H x̂ − y‖/‖y‖" },
  {
    id: "certificate",
    convention: "proposition-3.1",
    unit: "",
    better: "lower",
    about: "½·ℓ_cycle on validation data",
  },
];

/** A row's head. */
export function row(name: string, trains: boolean): RowHead {
  return {
    name,
    about: `What ${name} is`,
    source: "A paper, eq. 1",
    trains,
    knows: "matched pairs; the operator",
    settings: {},
  };
}

/** A record with these scores; done, without costs or pictures unless said. */
export function record(
  method: string,
  seed: number | null,
  scores: readonly ScoreRow[],
  more: Partial<ResultRecord> = {},
): ResultRecord {
  return {
    version: 1,
    benchmark: "mri",
    profile: "quick",
    configuration: "c".repeat(64),
    method,
    seed,
    state: { kind: "done" },
    settings: {},
    parameters: seed === null ? 0 : 119432,
    macs: seed === null ? null : 31_500_000,
    weights: null,
    scores,
    log: seed === null ? [] : [{ update: 600, values: { loss: 2 } }, { update: 1200, values: { loss: 1 } }],
    pictures: [],
    notes: [],
    provenance: { commit: "c0ffee", deno: "2.9.6", arithmetic: "fma", processor: "a processor" },
    cost: {},
    ...more,
  };
}

/** A score of the metric with this index. */
export function score(metric: number, subject: string, sample: string, value: ScoreRow["value"]): ScoreRow {
  const { id, convention } = metrics[metric];
  const reason = value === null ? { reason: "the image is constant" } : {};
  return { metric: id, convention, subject, sample, value, ...reason };
}

/** A run of these rows and records. */
export function run(
  rows: readonly RowHead[],
  records: readonly ResultRecord[],
  file: Partial<RunFile> = {},
): Run {
  return {
    folder: "/nowhere",
    file: {
      version: 1,
      benchmark: "mri",
      title: "Accelerated MRI",
      question: "Can images be learned without pairs?",
      profile: "quick",
      identity: { settings: { acceleration: 4, updates: 1200 } },
      configuration: "c".repeat(64),
      dataset: { name: "embedded phantoms", kind: "embedded", hash: "0123456789abcdef".repeat(4) },
      split: {
        kind: "subjects",
        parts: {
          x: { subjects: ["s1", "s2"], samples: 8 },
          y: { subjects: ["s3", "s4"], samples: 8 },
          validation: { subjects: ["s5"], samples: 1 },
          test: { subjects: ["s6", "s7"], samples: 3 },
        },
      },
      banners: [],
      notes: ["mean-image is a negative control: it knows no measurement."],
      rows,
      metrics,
      seeds: [1, 2, 3],
      provenance: {},
      ...file,
    },
    records,
  };
}

/** A run whose numbers are drawn from a named stream: rows that train and do not, one that diverged, with costs. */
export function fullRun(): Run {
  const rng = stream("tests/reports");
  const trained = [
    "supervised",
    "cyclegan",
    "wgan",
    "ot-cyclegan",
    "ot-cyclegan-no-adversary",
  ];
  const rows = [
    row("zero-filled", false),
    row("mean-image", false),
    row("total-variation", false),
    ...trained.map((name) => row(name, true)),
  ];
  const records = rows.flatMap(({ name, trains }, index) =>
    (trains ? [1, 2, 3] : [null]).map((seed) => {
      const base = 20 + index;
      const scores = ["s6", "s7"].flatMap((subject) => [
        score(0, subject, "", base + rng.normal() / 4),
        score(1, subject, "", 0.6 + index / 40 + rng.uniform() / 50),
        ...["a", "b"].map((sample) => score(2, subject, sample, base + rng.normal() / 2)),
        ...["a", "b"].map((sample) => score(3, subject, sample, rng.uniform() / (1 + index))),
      ]);
      if (name.startsWith("ot-")) scores.push(score(4, "", "", 0.01 + rng.uniform() / 100));
      const settings: Record<string, number> = trains ? { "learning-rate": 0.002, γ: 100 } : {};
      const cost = {
        ...(trains ? { "train-seconds": 10 + rng.uniform(), "updates-per-second": 31 + rng.uniform() } : {}),
        "inference-ms": 3 + rng.uniform(),
        "peak-memory": 200 + rng.uniform(),
      };
      if (name === "wgan" && seed === 2) {
        return record(name, seed, [], {
          settings,
          state: { kind: "diverged", update: 17, reason: "the generator's loss is NaN" },
        });
      }
      return record(name, seed, scores, { settings, cost });
    })
  );
  return run(rows, records, { banners: ["K-space was simulated from magnitudes."] });
}

/** The full run as it is on test data whose truth nobody knows: eight rows, and nearly all their scores without a value. */
export function runWithoutTruth(): Run {
  const made = fullRun();
  const records = made.records.map((record) => ({
    ...record,
    scores: record.scores.map((score): ScoreRow => {
      if (score.metric === "data-consistency" || score.subject === "") return score;
      // As metrics word it: a score of a whole volume names the first sample that lacks a truth.
      const which = score.sample === "" ? `sample "${score.subject}-00": ` : "";
      return { ...score, value: null, reason: `${which}the truth is unknown` };
    }),
  }));
  return { ...made, records };
}

/** The run with pictures of two samples, written into `folder`; of the first row the input itself, if that is asked for. */
export async function withPictures(
  made: Run,
  folder: string,
  side = 64,
  { truths = true, firstIsInput = false } = {},
): Promise<Run> {
  await Deno.mkdir(`${folder}/images`, { recursive: true });
  const rng = stream("tests/reports/pictures");
  const truth = Float32Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [(i % side) / side - 0.5, Math.floor(i / side) / side - 0.5];
    const inside = (x / 0.4) ** 2 + (y / 0.45) ** 2 < 1;
    return !inside ? 0 : 0.5 + 0.3 * Math.sin(25 * x) * Math.cos(20 * y) + (x * x + y * y < 0.01 ? 0.4 : 0);
  });
  const noisy = (amount: number) => truth.map((value) => Math.abs(value + amount * rng.normal()));
  const save = async (name: string, path: string, subject: string, data: Float32Array): Promise<Picture> => {
    const bytes = new Uint8Array(data.buffer.slice(0));
    await Deno.writeFile(`${folder}/${path}`, bytes);
    return { name, subject, sample: "a", path, shape: [side, side, 1], sha256: sha256(bytes) };
  };
  const input = noisy(0.1);
  const records: ResultRecord[] = [];
  for (const [index, record] of made.records.entries()) {
    if (record.state.kind !== "done") {
      records.push(record);
      continue;
    }
    const pictures: Picture[] = [];
    for (const subject of ["s6", "s7"]) {
      if (truths) pictures.push(await save("truth", `images/${subject}-truth.f32`, subject, truth));
      // Scaled to and fro, as rows that give their input back do it; some values then differ in their last bit.
      const made = firstIsInput && index === 0
        ? input.map((value) => Math.fround(value / 0.7) * 0.7)
        : noisy(0.3 / (1 + index));
      pictures.push(
        await save("input", `images/${subject}-input.f32`, subject, input),
        await save("reconstruction", `images/${subject}-${index}.f32`, subject, made),
      );
    }
    records.push({ ...record, pictures });
  }
  return { ...made, folder, records };
}

const hostile = `</script><script>alert(1)</script><img src=x onerror=alert(1)>"'&\u202e\u0000`;

/** A run in which every text that comes from a file tries to be markup. */
export function hostileRun(): Run {
  const made = run([{ ...row(hostile, true), about: hostile, source: hostile }], [
    record(hostile, 1, [score(0, hostile, "", 20), score(2, hostile, hostile, 21)], {
      settings: { [hostile]: hostile },
      log: [{ update: 1, values: { [hostile]: 1 } }, { update: 2, values: { [hostile]: 2 } }],
      notes: [hostile],
      provenance: { [hostile]: hostile },
      pictures: [{
        name: "reconstruction",
        subject: hostile,
        sample: "a",
        path: "../x",
        shape: [2, 2],
        sha256: "",
      }],
    }),
    record(hostile, 2, [], { state: { kind: "failed", reason: hostile } }),
  ], {
    title: hostile,
    question: hostile,
    benchmark: hostile,
    banners: [hostile],
    identity: { settings: { [hostile]: hostile } },
    metrics: metrics.map((metric) => ({ ...metric, about: hostile })),
    dataset: { name: hostile, kind: hostile, hash: hostile },
  });
  return { ...made, refused: [hostile] };
}
