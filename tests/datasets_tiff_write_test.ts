import { deepStrictEqual, equal, rejects, throws } from "node:assert/strict";
import type { Image } from "../core/image.ts";
import { TiffStack } from "../datasets/formats/tiff.ts";
import { keepTiff } from "../datasets/formats/tiff_reconstructions.ts";
import { tiffFile } from "../datasets/formats/tiff_write.ts";
import { inFolder } from "./commands_running.ts";

const image = (shape: number[], from = 0): Image => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => (from + i) / 7 - 3),
});

for (const pixelNm of [undefined, [25, 40], [300, 32.5, 65]]) {
  Deno.test(`a stack that was written is read again to the bit, pixels of ${pixelNm ?? "no size"} nm`, () =>
    inFolder(async (folder) => {
      const isVolume = pixelNm?.length === 3;
      const images = isVolume
        ? [image([3, 4, 5, 1])]
        : [image([4, 5, 1]), image([4, 5, 1], 20), image([4, 5, 1], 40)];
      await Deno.writeFile(`${folder}/a.tif`, tiffFile(images, pixelNm));
      using stack = await TiffStack.open(`${folder}/a.tif`);
      const { pages, height, width, type, about } = stack.header;
      deepStrictEqual([pages, height, width, type], [3, 4, 5, "float32"]);
      deepStrictEqual(about.pixelSizeNm, pixelNm?.slice(-2));
      equal(about.sliceStepNm, isVolume ? 300 : undefined);
      equal(about.axes?.slices, 3);
      for (let page = 0; page < 3; page++) {
        deepStrictEqual(await stack.page(page), image([4, 5, 1], 20 * page).data);
      }
    }));
}

Deno.test("reconstructions are kept with their truths where all have one, each size by itself", () =>
  inFolder(async (folder) => {
    const [small, large] = [image([2, 3, 1]), image([4, 5, 1])];
    await keepTiff(`${folder}/one`, [{ reconstruction: small, truth: small }, { reconstruction: small }]);
    await keepTiff(`${folder}/two`, [
      { reconstruction: small, truth: large, pixelNm: [25, 25] },
      { reconstruction: large, truth: large },
    ]);
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    deepStrictEqual(names, [
      "one.tif",
      "two.2x3.tif",
      "two.2x3.truth.tif",
      "two.4x5.tif",
      "two.4x5.truth.tif",
    ]);
    using stack = await TiffStack.open(`${folder}/two.2x3.tif`);
    deepStrictEqual(stack.header.about.pixelSizeNm, [25, 25]);
    await rejects(
      keepTiff(`${folder}/colours`, [{ reconstruction: image([2, 3, 3]) }]),
      /images of one size with one channel/,
    );
    throws(() => tiffFile([small, large]), /\[2,3,1\], \[4,5,1\]/);
  }));
