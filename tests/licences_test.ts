import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import settings from "../deno.json" with { type: "json" };

const lock: { npm: Record<string, { integrity: string }> } = JSON.parse(
  await Deno.readTextFile(new URL("../deno.lock", import.meta.url)),
);
const page = await Deno.readTextFile(new URL("../docs/dependencies.md", import.meta.url));

/** What the page says of a package. */
const said = new Map(
  [...page.matchAll(/^\| `([^`]+)` +\| (\S+) +\| (.+?) +\|$/gm)].map((
    [, name, licence, why],
  ) => [name, { licence, why }]),
);

/** Packages that `deno.json` names, with their exact versions. */
const named = new Map(
  Object.values(settings.imports).flatMap((target) => {
    const [, name, version] = /^npm:((?:@[^/]+\/)?[^@/]+)@([^/]+)/.exec(target) ?? [];
    return name === undefined ? [] : [[name, version] as const];
  }),
);

const within = fileURLToPath(import.meta.resolve("@tensorflow/tfjs-core"));
const cache = within.slice(0, within.indexOf("/@tensorflow/"));

/** The licence in a package's own file, or undefined where the package is not here. */
async function licenceOf(name: string, version: string): Promise<string | undefined> {
  const text = await Deno.readTextFile(`${cache}/${name}/${version}/package.json`).catch(() => undefined);
  if (text === undefined) return undefined;
  const { license, licenses } = JSON.parse(text);
  const own = license ?? licenses?.[0] ?? "none";
  return typeof own === "string" ? own : own.type;
}

/** What packages say that name no licence by its identifier; their files were read. */
const read: Readonly<Record<string, string>> = {
  h5wasm: "NIST-Software",
  "dejavu-fonts-ttf": "Bitstream-Vera",
  "png-js": "MIT",
};

const permissive =
  /^\(?(MIT|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD|Zlib|CC0-1\.0|Unlicense|BlueOak-1\.0\.0|Python-2\.0)( (AND|OR) (MIT|Zlib|BSD-3-Clause|Apache-2\.0|CC0-1\.0))*\)?$/;

Deno.test("docs/dependencies.md names every package of deno.json, what it is for, and the licence that it states", async () => {
  deepStrictEqual([...said.keys()].sort(), [...named.keys()].sort());
  for (const [name, version] of named) {
    const { licence, why } = said.get(name)!;
    ok(/^\d+\.\d+\.\d+$/.test(version), `${name} has no exact version`);
    ok(why.length > 3, name);
    const own = await licenceOf(name, version);
    if (own !== undefined) equal(licence, read[name] ?? own, name);
  }
});

Deno.test("every package that is locked is there to be used, changed and given on, and has its hash", async () => {
  let known = 0;
  for (const [key, { integrity }] of Object.entries(lock.npm)) {
    const [, name, version] = /^(@?[^@]+)@([^_]+)/.exec(key)!;
    ok(integrity.startsWith("sha512-"), `${key} has no hash`);
    const own = await licenceOf(name, version);
    if (own === undefined || name in read || said.get(name)?.licence === own) continue;
    known += 1;
    ok(permissive.test(own), `${key} is under ${own}`);
  }
  ok(known > 50, "the packages were not found");
});
