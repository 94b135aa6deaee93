/** libhdf5 as WebAssembly, started with an empty environment. */

import process from "node:process";

/** The package around libhdf5. */
export type LibHdf5 = typeof import("h5wasm/node");

/**
 * Starts libhdf5. It copies the process's environment into its own, which it has no use for here, and which the workers
 * of a benchmark may not read.
 */
export async function startLibHdf5(): Promise<LibHdf5> {
  const { env } = process;
  process.env = {};
  try {
    const h5wasm = await import("h5wasm/node");
    await h5wasm.ready;
    return h5wasm;
  } finally {
    process.env = env;
  }
}

/**
 * Does what `write` does with libhdf5 at the beginning of 1970: it stamps groups and datasets with the time, and identical
 * values shall give identical files. Nothing else runs meanwhile, since `write` does not wait.
 */
export function atNoTime<T>(write: () => T): T {
  const { now } = Date;
  Object.assign(Date, { now: () => 0 });
  try {
    return write();
  } finally {
    Object.assign(Date, { now });
  }
}
