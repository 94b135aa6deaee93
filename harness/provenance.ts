/** Who computed: the code, the programs and the machine, as `run.json` and every record say it. */

import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { differences } from "../core/json.ts";
import settings from "../deno.json" with { type: "json" };
import type { Backend } from "../engine/backend.ts";
import type { ResultRecord } from "../results/record.ts";
import { commitOf } from "./commit.ts";

/** The provenance of whatever this process computes on a backend, with code of this hash. */
export function provenanceOf(backend: Backend, code: string | null): ResultRecord["provenance"] {
  return {
    commit: commitOf(fileURLToPath(new URL("../", import.meta.url))),
    code,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    packages: { ...pinned(), ...backend.versions },
    backend: backend.name,
    arithmetic: backend.arithmetic,
    ...(backend.device === undefined ? {} : { device: backend.device }),
    processor: cpus()[0]?.model ?? "unknown",
  };
}

/** What differs between who computed there and who computes here, each with what it may do to numbers. */
export function provenanceDiffers(
  there: ResultRecord["provenance"],
  here: ResultRecord["provenance"],
): string[] {
  return differences(there, here).map((line) => {
    const [member] = line.split(/[.:]/, 1);
    return `${line}${Object.hasOwn(effects, member) ? ` (${effects[member]})` : ""}`;
  });
}

const effects: Readonly<Record<string, string>> = {
  commit: "what it changed of the code, the code's own hash says",
  code: "other code may give other numbers",
  deno: "other versions of V8 may round Math's functions otherwise",
  v8: "its Math functions may round otherwise",
  packages: "other code may give other numbers",
  backend: "each backend has bits of its own",
  arithmetic: "fused multiplication and addition round once, separate ones twice: other bits",
  device: "each device has bits of its own",
  processor: "no bit depends on it within one arithmetic class",
};

/** Exact versions of the npm packages that the suite imports, by name. */
function pinned(): Record<string, string> {
  const targets = Object.values(settings.imports);
  const found = targets.map((target) => /^npm:((?:@[^/]+\/)?[^@/]+)@([^/]+)/.exec(target));
  return Object.fromEntries(
    found.filter((match) => match !== null).map(([, name, version]) => [name, version]),
  );
}
