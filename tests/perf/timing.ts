/**
 * Timing on a machine that is not ours alone. What else runs there only ever adds time, so each thing's
 * fastest turn counts; and things to be compared take turns, round after round, so that all of them meet the
 * machine in the same moods. Absolute times still wander by a fifth from day to day; ratios stay within a few
 * percent.
 */

import { Bench } from "tinybench";

/** Milliseconds of a call of `run` over `iterations` calls, by tinybench, without a warm-up. */
export async function timed(
  run: () => void | Promise<void>,
  iterations: number,
): Promise<{ readonly median: number; readonly least: number }> {
  const bench = new Bench({ time: 0, iterations, warmup: false, throws: true });
  await bench.add("run", run).run();
  const [{ result }] = bench.tasks;
  if (result.state !== "completed") throw new Error(`cannot be timed: ${result.state}`);
  return { median: result.latency.p50, least: result.latency.min };
}

/** Something that tells its milliseconds when it is its turn. */
export type Contender = () => Promise<number>;

/** The milliseconds of each contender's fastest turn, when they take turns for some rounds. */
export async function takeTurns<Name extends string>(
  contenders: Readonly<Record<Name, Contender>>,
  rounds: number,
): Promise<Record<Name, number>> {
  const names = Object.keys(contenders) as Name[];
  const fastest = Object.fromEntries(names.map((name) => [name, Infinity])) as Record<Name, number>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) fastest[name] = Math.min(fastest[name], await contenders[name]());
  }
  return fastest;
}

/**
 * A short computation as a contender: warmed up, and then timed in batches of calls that take about a
 * millisecond, so that the clock's steps do not matter and a batch often fits between two of the scheduler's
 * interruptions.
 */
export function shortTask(run: () => void): Contender {
  for (let i = 0; i < 20; i++) run();
  const start = performance.now();
  let calls = 0;
  while (performance.now() - start < 1) run(), calls++;
  return async () => {
    const batch = await timed(() => {
      for (let i = 0; i < calls; i++) run();
    }, 10);
    return batch.least / calls;
  };
}
