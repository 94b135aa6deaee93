/** The most memory that this process has had. */

import process from "node:process";

/**
 * In bytes. Linux counts for a process's `maxRSS` what the one that started it had, too, so there its own high-water mark is
 * read.
 */
export function peakMemory(): number {
  if (Deno.build.os !== "linux") return 1024 * process.resourceUsage().maxRSS;
  return 1024 * Number(/^VmHWM:\s*(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"))![1]);
}
