/** How it is said, and known again, that a backend's memory is full. */

import { explain } from "../core/errors.ts";

/** How errors begin that say so. */
const beginnings = {
  wasm: "the 4 GB that WebAssembly can address are full",
  webgpu: "the graphics device has no room",
  native: "TensorFlow has no room",
} as const;

/** A worded error for a backend whose memory is full; `more` is what there was no room for. */
export function outOfMemory(
  backend: keyof typeof beginnings,
  more: string,
  options?: ErrorOptions,
): RangeError {
  const elsewhere = backend === "wasm" ? ", or --backend native" : "";
  return new RangeError(
    explain({
      what: `${beginnings[backend]}: ${more}`,
      where: `the backend ${backend}`,
      fix: `use smaller batches (--set batch=…), patches, images or networks${elsewhere}`,
    }),
    options,
  );
}

/** Whether the reason for which a job failed is such an error. */
export function isOutOfMemory(reason: string): boolean {
  return Object.values(beginnings).some((beginning) => reason.includes(beginning));
}
