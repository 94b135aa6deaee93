/**
 * HDF5 files, read in place and slice by slice, behind a fence.
 *
 * libhdf5 runs as WebAssembly in a thread of its own (`hdf5_worker.ts`) with a cap on its memory. A file that it
 * crashes on, or does not answer about in time, is refused in words. A file of 2 GB needs no more memory than one of
 * its slices.
 */

import { explain } from "../../core/errors.ts";
import { Fence } from "./fence.ts";
import type { NumberType } from "./numbers.ts";

/** A dataset inside a file. */
export interface HdfDataset {
  readonly shape: readonly number[];
  /** Undefined where it holds no numbers that we read: text, records, references. */
  readonly type?: NumberType;
  readonly bytesPerElement: number;
}

/** What a file holds, as far as it was asked about. */
export interface HdfFile {
  /** The names at the file's root, at most a thousand. */
  readonly names: readonly string[];
  /** The datasets that were asked about and are there. */
  readonly datasets: Readonly<Record<string, HdfDataset>>;
  /** The text attributes of the root that were asked about and are there. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The text in `ismrmrd_header`. */
  readonly header?: string;
}

/** What the thread is asked. */
export type HdfQuestion =
  | { ask: "inspect"; path: string; datasets: readonly string[]; texts: readonly string[] }
  | { ask: "read"; path: string; dataset: string; offset: readonly number[]; count: readonly number[] }
  | { ask: "columns"; path: string; dataset: string; columns: readonly string[] };

/** What it is told when a reader is done with its files; there is no answer. */
export type HdfFarewell = { ask: "forget" };

/** What it answers. */
export type HdfAnswer = {
  file?: HdfFile;
  values?: Float32Array;
  columns?: readonly Float64Array[];
  error?: string;
};

// A sound file is inspected in milliseconds. Reading is given what a slow network drive needs.
const inspectSeconds = 4;
const readSeconds = (values: number) => 4 + values * 4 / 2e6;
const tableSeconds = 30;

/** Reads HDF5 files in a thread of its own; one question at a time, in the order of asking. */
export class HdfReader {
  readonly #thread = new Fence<HdfQuestion | HdfFarewell, HdfAnswer>(
    new URL("./hdf5_worker.ts", import.meta.url),
  );

  /**
   * What the file at `path` holds: its names, and of `datasets` and of the text attributes `texts` those that are there.
   *
   * @throws {SyntaxError} where the file cannot be read, with libhdf5's reason.
   */
  async inspect(path: string, datasets: readonly string[], texts: readonly string[]): Promise<HdfFile> {
    const answer = await this.#ask({ ask: "inspect", path, datasets, texts }, inspectSeconds);
    return answer.file!;
  }

  /**
   * The numbers in the part of `dataset` that starts at `offset` and has `count` elements along each axis, row-major;
   * complex ones as two.
   *
   * @throws {SyntaxError} where they cannot be read, with libhdf5's reason.
   */
  async read(
    path: string,
    dataset: string,
    offset: readonly number[],
    count: readonly number[],
  ): Promise<Float32Array> {
    const values = count.reduce((product, extent) => product * extent, 2);
    const answer = await this.#ask({ ask: "read", path, dataset, offset, count }, readSeconds(values));
    return answer.values!;
  }

  /**
   * Columns of `dataset`, a table of records, by name, in the order that is asked for.
   *
   * @throws {SyntaxError} where it is no such table or lacks a column.
   */
  async columns(path: string, dataset: string, columns: readonly string[]): Promise<readonly Float64Array[]> {
    const answer = await this.#ask({ ask: "columns", path, dataset, columns }, tableSeconds);
    return answer.columns!;
  }

  /** Gives the thread back. */
  close(): void {
    this.#thread.release({ ask: "forget" });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #ask(question: HdfQuestion, seconds: number): Promise<HdfAnswer> {
    try {
      return await this.#thread.ask(question, seconds);
    } catch (cause) {
      throw unreadable(question, cause);
    }
  }
}

function unreadable(question: HdfQuestion, cause: unknown): SyntaxError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const part = question.ask === "inspect" ? "the HDF5 file" : `"${question.dataset}" of the HDF5 file`;
  return new SyntaxError(
    explain({
      what: `cannot read ${part}: ${inWords(reason)}`,
      where: question.path,
      fix: "get it again, since it may have been cut short, or leave it out",
    }),
    { cause },
  );
}

/** The last and most precise line of libhdf5's error stack, without its line numbers. */
function inWords(reason: string): string {
  const lines = reason.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const precise = lines.filter((line) => line.startsWith("#")).at(-1) ?? lines.at(-1) ?? "no reason given";
  return precise.replace(/^#\d+:.*?\bin\s+\S+\(\):\s*/, "").replace(/: time = .*/, "").slice(0, 300);
}
