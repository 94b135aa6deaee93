/** `deno task backends`: which backends work here, why the others do not, and how to get them. */

import { backendNames } from "../engine/backend.ts";
import { parsed } from "./options.ts";
import { exitWithError } from "./exit.ts";
import { probe } from "./probe.ts";

const options = { help: { type: "boolean", short: "h", default: false } } as const;

const help =
  `deno task backends     tries every backend of --backend in a process of its own, two training steps each

Exit code: 0 where the default, wasm, works; 1 where it does not.`;

async function main(args: string[]): Promise<number> {
  if (parsed("backends", args, options).values.help) {
    console.log(help);
    return 0;
  }
  let code = 1;
  for (const name of backendNames) {
    const { works, text } = await probe(name);
    console.log(`${name.padEnd(7)} ${text}`);
    if (name === "wasm" && works) code = 0;
  }
  return code;
}

if (import.meta.main) Deno.exit(await main(Deno.args).catch(exitWithError));
