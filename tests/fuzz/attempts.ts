/** One damaged file after the other, each named by reader, seed and number, so that any of them can be made again. */

import { stream } from "../../core/random.ts";
import type { Reader } from "./readers.ts";

/** What became of a damaged file. */
export interface Attempt {
  readonly index: number;
  /** Whether it was still data; else it was refused in words. */
  readonly isData: boolean;
  readonly milliseconds: number;
  /** What is wrong with the reader, where anything is. */
  readonly fault?: string;
  readonly bytes: Uint8Array;
}

// A file that takes longer is a fault: nobody waits for what is refused.
const patienceMs = 5000;

/** Damages files and has them read, from number `from` on; `patience` is how many times longer a busy machine may take. */
export async function* attempts(
  reader: Reader,
  { seed, from, count, folder, patience = 1 }: {
    seed: string;
    from: number;
    count: number;
    folder: string;
    patience?: number;
  },
): AsyncGenerator<Attempt> {
  const sound = await reader.sound(folder);
  if (sound.length === 0) return;
  for (let index = from; index < from + count; index++) {
    const bytes = await reader.damage(sound, stream(`fuzz/${seed}/${reader.name}/${index}`));
    const start = performance.now();
    let isData = false;
    let fault: string | undefined;
    try {
      isData = await reader.read(bytes, folder);
    } catch (error) {
      const { message, cause, stack } = error as Error;
      fault = `${message}\n${cause instanceof Error ? cause.stack : stack}`;
    }
    const milliseconds = performance.now() - start;
    if (milliseconds > patience * patienceMs) fault ??= `it took ${(milliseconds / 1000).toFixed(1)} s`;
    yield { index, isData, milliseconds, bytes, ...(fault === undefined ? {} : { fault }) };
  }
}
