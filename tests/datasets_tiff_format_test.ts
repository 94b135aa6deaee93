import assert from "node:assert/strict";
import { hashOfValues } from "../commands/data.ts";
import { stream } from "../core/random.ts";
import { TiffStack } from "../datasets/formats/tiff.ts";
import { describeStack, pageOf } from "../datasets/formats/tiff_axes.ts";
import { alone } from "./alone.ts";
import { withFolder, writeTiff } from "./datasets_files.ts";
// Made by datasets_tiff.py with tifffile and libtiff, which says how.
import golden from "./golden/datasets_tiff.json" with { type: "json" };
import { sharedExists, sharedFolder } from "./tree.ts";

const ignore = !sharedExists;

async function hashesOf(path: string): Promise<string[]> {
  using stack = await TiffStack.open(path);
  const hashes: string[] = [];
  for (let page = 0; page < stack.header.pages; page++) hashes.push(hashOfValues(await stack.page(page)));
  return hashes;
}

const fromBase64 = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

Deno.test("every encoding of TIFF gives the values that tifffile and libtiff find", () =>
  withFolder(async (folder) => {
    for (const { name, file, pages } of golden.cases) {
      await Deno.writeFile(`${folder}/golden.tif`, fromBase64(file));
      assert.deepEqual(await hashesOf(`${folder}/golden.tif`), pages, name);
    }
  }));

Deno.test("ImageJ's and OME's axes, pixel sizes and steps are those that tifffile was told to write", () =>
  withFolder(async (folder) => {
    for (const { file, axes, pixel, step } of golden.cases) {
      if (axes === null) continue;
      await Deno.writeFile(`${folder}/golden.tif`, fromBase64(file));
      using stack = await TiffStack.open(`${folder}/golden.tif`);
      const { about } = stack.header;
      const [, channels, slices, frames] = axes as [string, number, number, number];
      assert.deepEqual(
        [about.axes?.channels, about.axes?.slices, about.axes?.frames],
        [channels, slices, frames],
      );
      assert.deepEqual(about.pixelSizeNm?.map((nm) => Math.round(nm * 1e3) / 1e3), pixel);
      assert.ok(Math.abs(about.sliceStepNm! - step!) < 1e-9);
      // The values tell channel, slice and frame apart: 1000 a frame, 100 a slice, 10 a channel.
      const first = await stack.page(0);
      const one = await stack.page(pageOf(about.axes!, { channel: channels - 1, slice: 2, frame: 3 }));
      assert.ok(Math.abs(one[0] - first[0] - 3200 - 10 * (channels - 1)) <= 1);
    }
  }));

Deno.test({ name: "files that re-encode one stack give one hash", ignore }, async () => {
  const folder = `${sharedFolder}/smlm`;
  const expected = await hashesOf(`${folder}/dstorm_real_5frames.tif`);
  let variants = 0;
  for (const { name } of Deno.readDirSync(`${folder}/tiff_variants`)) {
    const hashes = await hashesOf(`${folder}/tiff_variants/${name}`);
    if (!name.startsWith("dstorm")) continue;
    assert.deepEqual(hashes, expected, name);
    variants++;
  }
  assert.equal(variants, 7);
});

Deno.test({ name: "a damaged TIFF file is refused in words within 5 s", ignore }, async () => {
  const files = [...Deno.readDirSync(`${sharedFolder}/malformed/tiff`)].map(({ name }) => `tiff/${name}`);
  for (const file of [...files, "truncated/stack_truncated.tif"]) {
    const before = performance.now();
    await assert.rejects(hashesOf(`${sharedFolder}/malformed/${file}`), (error: Error) => {
      assert.ok(error instanceof SyntaxError, file);
      assert.match(
        error.message,
        /^cannot read (page \d+ of )?the TIFF file: .{15,}\n {2}where: .*\n {2}fix: /,
      );
      return true;
    });
    assert.ok(performance.now() - before < 5000, file);
  }
});

Deno.test("a stack of 4 GB takes no more memory than its page", () =>
  withFolder(async (folder) => {
    const pages = 4200;
    await writeTiff(`${folder}/large.tif`, { shape: [pages, 512, 1024] });
    assert.ok((await Deno.stat(`${folder}/large.tif`)).size > 4.2e9);
    const found = await alone<{ pages: number; lengths: number[]; growth: number }>(
      "stack_alone.ts",
      `${folder}/large.tif`,
    );
    assert.equal(found.pages, pages);
    assert.deepEqual(found.lengths, [512 * 1024]);
    // A page has 1 MB; the rest is what the collector has not come to yet.
    assert.ok(found.growth < 200e6, `${found.growth / 1e6} MB`);
  }));

Deno.test("pages that ImageJ leaves without directories are found behind the first", () =>
  withFolder(async (folder) => {
    const data = Uint16Array.from({ length: 5 * 6 * 7 }, (_, i) => i);
    const description = "ImageJ=1.54f\nimages=5\nframes=5\nunit=micron\n";
    const file = { shape: [5, 6, 7], data, description, resolution: 10 } as const;
    await writeTiff(`${folder}/whole.tif`, file);
    await writeTiff(`${folder}/bare.tif`, { ...file, directories: 1 });
    using stack = await TiffStack.open(`${folder}/bare.tif`);
    assert.deepEqual([stack.header.pages, stack.header.about.axes?.frames], [5, 5]);
    assert.deepEqual(stack.header.about.pixelSizeNm, [100, 100]);
    assert.deepEqual(await stack.page(3), Float32Array.from(data.subarray(3 * 42, 4 * 42)));
    assert.deepEqual(await hashesOf(`${folder}/bare.tif`), await hashesOf(`${folder}/whole.tif`));
  }));

Deno.test("a description says nothing that is not true of the pages, and no unit is guessed", () => {
  const imageJ = (text: string, pages: number) =>
    describeStack(`ImageJ=1.5\n${text}\n`, { x: 10, y: 5 }, pages);
  assert.deepEqual(imageJ("images=6\nslices=6\nunit=\\u00B5m\nspacing=0.2", 6), {
    by: "ImageJ",
    axes: { channels: 1, slices: 6, frames: 1, order: "CZT" },
    images: 6,
    pixelSizeNm: [200, 100],
    sliceStepNm: 200,
  });
  assert.equal(imageJ("images=6\nslices=3\nframes=3", 6).axes, undefined);
  assert.equal(imageJ("images=6\nslices=6\nunit=pixel\nspacing=1", 6).pixelSizeNm, undefined);
  assert.equal(imageJ("images=6\nslices=6\nspacing=1", 6).sliceStepNm, undefined);
  assert.deepEqual(describeStack("made by a scanner, 300 dpi", { x: 300, y: 300 }, 1), {});
  const ome = '<OME xmlns="x"><Image><Pixels DimensionOrder="XYCZT" SizeC="1" SizeZ="1" SizeT="4" ' +
    'PhysicalSizeX="0.1" PhysicalSizeY="0.1" PhysicalSizeYUnit="reference frame"/></Image></OME>';
  assert.equal(describeStack(ome, {}, 4).pixelSizeNm, undefined);
  assert.deepEqual(describeStack(ome, {}, 4).axes, { channels: 1, slices: 1, frames: 4, order: "CZT" });
  assert.equal(describeStack(ome, {}, 5).axes, undefined);
});

Deno.test("pages that differ from the first, and values that are not numbers, are refused with their place", () =>
  withFolder(async (folder) => {
    const data = new Float32Array(3 * 4 * 5).fill(1);
    data[20 + 7] = NaN;
    await writeTiff(`${folder}/nan.tif`, { shape: [3, 4, 5], data });
    using stack = await TiffStack.open(`${folder}/nan.tif`);
    await assert.rejects(stack.page(1), /page 2 holds NaN at row 1, column 2/);
    await assert.rejects(stack.page(3), /no page 3 of 3/);
    const bytes = await Deno.readFile(`${folder}/nan.tif`);
    // The second page's width, in its directory behind the first page's values.
    const second = 17 + 16 + 20 * 12 + 4 * 20;
    bytes[second + 8 + 12] = 3;
    await Deno.writeFile(`${folder}/narrow.tif`, bytes);
    using narrow = await TiffStack.open(`${folder}/narrow.tif`);
    await assert.rejects(narrow.page(1), /it is 4 x 3 x 1 of float32, and the first page 4 x 5 x 1/);
  }));

Deno.test("mutations of sound stacks end in values or in a worded error, never in a hang", () =>
  withFolder(async (folder) => {
    const rng = stream("test/tiff-mutations");
    let [read, refused] = [0, 0];
    for (const { file } of golden.cases.filter(({ file }) => file.length < 8000)) {
      const sound = fromBase64(file);
      for (let round = 0; round < 30; round++) {
        const mutant = sound.slice(0, rng.uniform() < 0.1 ? rng.integer(sound.length) + 1 : sound.length);
        for (let n = rng.integer(5); n >= 0; n--) {
          const reach = rng.uniform() < 0.5 ? mutant.length : Math.min(mutant.length, 400);
          mutant[rng.integer(reach)] = rng.integer(256);
        }
        await Deno.writeFile(`${folder}/mutant.tif`, mutant);
        const before = performance.now();
        try {
          await hashesOf(`${folder}/mutant.tif`);
          read++;
        } catch (error) {
          assert.match((error as Error).message, /where: .*mutant\.tif\n {2}fix: /);
          assert.ok(error instanceof SyntaxError || error instanceof RangeError, String(error));
          refused++;
        }
        assert.ok(performance.now() - before < 5000);
      }
    }
    assert.ok(read > 50 && refused > 50, `${read} read, ${refused} refused`);
  }));

Deno.test("a stack whose values count down from white is refused by name, since it would be read as a negative", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.tif`;
    await writeTiff(path, { shape: [1, 2, 3], data: Uint16Array.of(1, 2, 3, 4, 5, 6), photometric: 0 });
    await assert.rejects(TiffStack.open(path), /count down from white \(WhiteIsZero\)[^]*a\.tif/);
  }));
