/** Where the native backend stands once it is built. */

import { fileURLToPath } from "node:url";

/** Where `deno task native` leaves it, and `--backend native` looks for it. */
export const nativeFolder: string = fileURLToPath(new URL("../../.native", import.meta.url));

/**
 * The npm packages in it, in `node_modules` of its own: they bring 300 MB that no other backend needs, and so are no
 * dependencies of the suite.
 */
export const nativePackages = {
  "@tensorflow/tfjs-node-gpu": "4.22.0",
  "node-api-headers": "1.9.0",
} as const;

/** The compiled binding in it. */
export const bindingName = "tfjs_binding.node";
