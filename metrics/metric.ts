/** A metric scores one reconstruction against one truth, and is always named with its convention. */

import type { Image } from "../core/image.ts";
import type { Points } from "../core/points.ts";

/** Which way a metric is better. */
export type Better = "higher" | "lower" | "neither";

/** One sample of a subject as metrics see it: plain images, cropped and as magnitudes where the benchmark says so. */
export interface Case {
  /** The sample's id. */
  readonly sample: string;
  /** The reconstruction, `[height, width, 1]`, in the truth's units. */
  readonly reconstruction: Image;
  /** The truth, the same shape; absent where nobody knows it. */
  readonly truth?: Image;
  /** What training would have been shown in place of the truth, the same shape; absent where that is the truth. */
  readonly label?: Image;
  /** Size of a pixel of these images in nm along each axis, the slowest first; absent where nobody knows it. */
  readonly pixelNm?: readonly number[];
  /** Reconstructions of two independent halves of the measurement, e.g. odd and even frames, for metrics that compare them. */
  readonly halves?: readonly [Image, Image];
  /** Whether what made them was learned from images: a prior that the halves share, so that they agree beyond what was measured. */
  readonly learned?: boolean;
  /** The emitters that a method says are in the sample, and those that are, for metrics of localisation. */
  readonly emitters?: { readonly found: Points; readonly truth: Points };
  /** A blur's kernel as it was learned, for metrics that need it; absent where a method learns none. */
  readonly kernel?: Kernels;
  /** Of the measurement, for metrics that need it; absent where the operator is unknown. */
  readonly measured?: MeasuredNorms;
  /** Of the error, for metrics that need it; absent where the operator or the truth is unknown. */
  readonly error?: ErrorNorms;
}

/** Kernels of sum 1, `[height, width, 1]` or with a depth. They may differ in size: their middles are the same place. */
export interface Kernels {
  /** After training. */
  readonly learned: Image;
  /** Before. */
  readonly initial?: Image;
  /** What the sample was measured with, where anybody knows it. */
  readonly truth?: Image;
}

/** How far a reconstruction is from its measurement, in the measurement's units, all channels together. */
export interface MeasuredNorms {
  /** ‖H x̂ − y‖. */
  readonly residual: number;
  /** ‖y‖. */
  readonly measurement: number;
}

/** The error split into what the operator sees of it and what it does not, in the image's units, before it is viewed. */
export interface ErrorNorms {
  /** The norm of the part of x̂ − x that decides the measurement. */
  readonly seen: number;
  /** The norm of the part that the measurement does not depend on. */
  readonly unseen: number;
  /** ‖x‖. */
  readonly truth: number;
}

/** What a metric may need of a {@linkcode Case} besides its images; it costs time, and is there only on demand. */
export type Need = "measured" | "error" | "emitters" | "kernel";

/** The score of a sample, or of a whole subject where `sample` is absent. */
export interface Score {
  /** The id of the sample that was scored. */
  readonly sample?: string;
  /** `Infinity` is a value (PSNR of a perfect image); null is none, and then there is a reason. */
  readonly value: number | null;
  /** Why there is no value. */
  readonly reason?: string;
}

/** A curve of a sample that reports draw, e.g. its Fourier ring correlation with the truth by frequency. */
export interface SampleCurve {
  /** What it is; curves of one name are drawn together. */
  readonly name: string;
  /** The id of the sample. */
  readonly sample: string;
  /** What the axes are, with their units. */
  readonly axes: { readonly x: string; readonly y: string };
  /** Ascending. */
  readonly x: readonly number[];
  /** As many. */
  readonly y: readonly number[];
  /** What it is held against at each x. */
  readonly limit?: { readonly label: string; readonly y: readonly number[] };
}

/** What a table needs to know of a metric. */
export interface MetricHead {
  /** As in METRICS.md, e.g. `"psnr"`. */
  readonly id: string;
  /** The convention it is computed by, e.g. `"fastmri"`; part of its name. */
  readonly convention: string;
  /** E.g. `"dB"`; empty for a ratio. */
  readonly unit: string;
  /** Which way tables point. */
  readonly better: Better;
  /** One sentence for captions. */
  readonly about: string;
  /** How its samples were measured, in a few words, where that is not the benchmark's way. */
  readonly condition?: string;
}

/** A metric. */
export interface Metric extends MetricHead {
  /** What it needs besides the images; nothing unless said. */
  readonly needs?: readonly Need[];
  /**
   * Where a benchmark combines the samples of a subject, e.g. averages its frames: whether this scores what they were
   * combined to, or each of them. `samples` unless said, which is all there is elsewhere.
   */
  readonly of?: "samples" | "whole";
  /** Scores one subject: a score for each case, or a single one for the whole. */
  score(subject: readonly Case[]): readonly Score[];
  /** What its scores were read off, of those cases that have it. */
  curves?(subject: readonly Case[]): readonly SampleCurve[];
}
