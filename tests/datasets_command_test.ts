import assert from "node:assert/strict";
import { main } from "../commands/data.ts";
import { oneLine, printable } from "../commands/exit.ts";
import { niftiBytes, withFolder, writeTiff } from "./datasets_files.ts";

/** Runs the command with its output caught. */
async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { log, error } = console;
  let [out, err] = ["", ""];
  console.log = (text: string) => out += `${text}\n`;
  console.error = (text: string) => err += `${text}\n`;
  try {
    return { code: await main(args), out, err };
  } finally {
    console.log = log;
    console.error = error;
  }
}

const bytes = niftiBytes({ shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) });

Deno.test("data shows kind, subjects, sizes and units, and exits with 0 where all loads", () =>
  withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a.nii`, bytes);
    await Deno.writeFile(`${folder}/b.nii`, bytes);
    const { code, out } = await run(folder);
    assert.equal(code, 0);
    for (
      const part of [
        "nifti, 2 files",
        "2 subjects, 2 samples",
        "2 x 3 x 1",
        "arbitrary",
        "k-space was simulated",
      ]
    ) {
      assert.ok(out.includes(part), `${part} is not in\n${out}`);
    }
  }));

Deno.test("data --hash --json gives the SHA-256 of a sample's values as little-endian float32", () =>
  withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a.nii`, bytes);
    const { out, code } = await run(`${folder}/a.nii`, "--hash", "--json");
    assert.equal(code, 0);
    // python3 -c "import hashlib,struct; print(hashlib.sha256(struct.pack('<6f',1,2,3,4,5,6)).hexdigest())"
    const sha256 = "24ae2dfe8df57c1b80e54cef3d90ac3b417fd98973345a5f616bbc9a75dcc202";
    assert.deepEqual(JSON.parse(out).hashes, [{ subject: "a", sample: "00", sha256 }]);
  }));

Deno.test("data names every refused file with its reason, shows the rest, and exits with 2", () =>
  withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/good.nii`, bytes);
    await Deno.writeFile(`${folder}/short.nii`, bytes.slice(0, -4));
    await Deno.writeTextFile(`${folder}/strange.xyz`, "strange");
    const { code, out } = await run(folder);
    assert.equal(code, 2);
    assert.match(out, /good: nifti, 1 file/);
    assert.match(
      out,
      /refused: 2\n.*short\.nii\n {4}it is cut short[^]*strange\.xyz\n {4}it is of no known kind/,
    );
  }));

Deno.test("data teaches with --help, and refuses what it does not know with the nearest name", async () => {
  assert.match((await run("--help")).out, /Examples:/);
  const unknown = await run("--hsah", "x");
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /no option --hsah[^]*did you mean "hash"/);
  assert.match((await run()).err, /no path is given/);
  assert.match((await run("x", "--slice-axis", "3")).err, /cannot be "3"/);
  assert.match((await run("/no/such/place")).err, /there is nothing at \/no\/such\/place/);
});

Deno.test("data --pixel-nm says how large pixels are where a stack does not, and no nonsense", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.tif`;
    await writeTiff(path, { shape: [2, 3, 3], data: Float32Array.from({ length: 18 }, (_, i) => i) });
    const sizeOf = async (...args: string[]) =>
      JSON.parse((await run(path, "--json", ...args)).out).datasets[0].contents.pixelSizeMm;
    assert.equal(await sizeOf(), undefined);
    const size = await sizeOf("--pixel-nm", "100");
    assert.deepEqual(size.map((mm: number) => +(mm * 1e6).toFixed(6)), [100, 100]);
    const nonsense = await run(path, "--pixel-nm", "small");
    assert.equal(nonsense.code, 2);
    assert.match(nonsense.err, /"small" is no size of a pixel[^]*--pixel-nm/);
  }));

Deno.test("data does not let a file's name write to the terminal", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/\u001b]0;owned\u0007.xyz`, "?");
    const { out } = await run(folder);
    assert.ok(out.includes("\\u001b]0;owned\\u0007.xyz"));
    assert.equal(printable("a\u202eb\nc"), "a\\u202eb\nc");
    assert.equal(oneLine("a\nb"), "a\\u000ab");
  }));
