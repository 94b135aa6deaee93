/** What a run will take, in words, and whether that is more than its user allows. */

import { UsageError } from "../core/errors.ts";
import type { RowEstimate } from "../harness/estimate.ts";
import { counted } from "../reports/words.ts";

/** The estimate as lines: each row, and all of it with so many workers at once. */
export function estimateText(rows: readonly RowEstimate[], workers: number): string {
  const width = Math.max(...rows.map(({ method }) => method.length));
  const lines = rows.map(({ method, jobs, seconds, megabytes, bytesKept }) =>
    `  ${method.padEnd(width)}  ${counted(jobs, "job")} of ${duration(seconds)}, ${
      Math.round(megabytes)
    } MB of memory, ${size(bytesKept)} of disk`
  );
  const hours = coreHoursOf(rows);
  const longest = Math.max(...rows.map(({ seconds }) => seconds));
  const atOnce = Math.min(workers, rows.reduce((sum, { jobs }) => sum + jobs, 0));
  const wall = Math.max(longest, 3600 * hours / atOnce);
  const greatest = (of: (row: RowEstimate) => number) => Math.max(...rows.map(of));
  const kept = rows.reduce((sum, { jobs, bytesKept }) => sum + jobs * bytesKept, 0);
  return [
    "estimate, from a few updates of each row here:",
    ...lines,
    `  about ${hours.toPrecision(2)} core-hours, ${duration(wall)} with ${
      counted(atOnce, "worker")
    }, which take up to ${Math.round(atOnce * greatest((row) => row.megabytes))} MB of memory; ${
      size(kept + atOnce * greatest((row) => row.bytesRunning))
    } of disk`,
  ].join("\n");
}

/**
 * Refuses a run that would take more core-hours than its user allows, unless somebody at a terminal says otherwise.
 *
 * @throws {UsageError} where nobody does.
 */
export function assertWithin(rows: readonly RowEstimate[], maxHours: number): void {
  const hours = coreHoursOf(rows);
  if (hours <= maxHours) return;
  const more = `that is more than --max-hours ${maxHours}`;
  if (Deno.stdin.isTerminal() && confirm(`${more}; run it nevertheless?`)) return;
  throw new UsageError({
    what: `it would take about ${hours.toPrecision(2)} core-hours; ${more}`,
    where: "--max-hours",
    fix: `allow more, e.g. --max-hours ${
      Math.ceil(1.5 * hours)
    }, or give fewer seeds (--seeds), rows (--methods), updates (--set updates=…) or a smaller profile`,
  });
}

/** Hours of one core that all jobs take together. */
export function coreHoursOf(rows: readonly RowEstimate[]): number {
  return rows.reduce((sum, { jobs, seconds }) => sum + jobs * seconds, 0) / 3600;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.ceil(seconds / 3600)} h` : `${Math.ceil(seconds / 86_400)} days`;
}

function size(bytes: number): string {
  const megabytes = bytes / 2 ** 20;
  if (megabytes < 0.1) return "less than 0.1 MB";
  return megabytes < 1000 ? `${megabytes.toPrecision(2)} MB` : `${(megabytes / 1024).toPrecision(2)} GB`;
}
