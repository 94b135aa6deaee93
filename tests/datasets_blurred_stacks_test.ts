import assert from "node:assert/strict";
import { stream } from "../core/random.ts";
import { readyToDeconvolve } from "../datasets/blurred_stacks.ts";
import { microtubules, microtubuleVolumes } from "../datasets/microtubules.ts";
import { openData } from "../datasets/open.ts";
import { tiffPlanesKind, tiffVolumesKind } from "../datasets/tiff.ts";
import { assertNoLeak, splitBySubject } from "../harness/split.ts";
import { withFolder, writeTiff } from "./datasets_files.ts";
import { sharedExists, sharedFolder } from "./tree.ts";

const planes = {
  side: 24,
  margin: 8,
  images: ([pixelNm]: readonly number[] = [65]) =>
    microtubules({ subjects: 1, slices: 3, matrix: 24, pixelNm, stream: "test" }),
};
const volumes = {
  side: 24,
  margin: 8,
  images: ([stepNm, pixelNm]: readonly number[] = [65, 65, 65]) =>
    microtubuleVolumes({
      subjects: 1,
      matrix: 24,
      volume: [24, 48, 24],
      pixelNm,
      stepNm,
      stream: "test",
    }),
};

async function write(path: string, shape: readonly [number, number, number]): Promise<void> {
  const rng = stream(`test/${path.split("/").at(-1)}`);
  const size = shape.reduce((product, extent) => product * extent, 1);
  await writeTiff(path, { shape, data: Uint16Array.from({ length: size }, () => 100 + rng.integer(900)) });
}

const partsOf = ({ contents: { subjects } }: ReturnType<typeof readyToDeconvolve>) =>
  subjects.map(({ id, role, samples, shape }) => [id, role, samples.length, shape.slice(0, -1).join("x")]);

Deno.test("planes of one stack are cut to parts and tiles, and simulated images have its camera and its kernel", () =>
  withFolder(async (folder) => {
    await write(`${folder}/cell.tif`, [18, 40, 34]);
    await write(`${folder}/kernel.tif`, [5, 5, 5]);
    const stacks = await openData([tiffPlanesKind], [folder], { stream: "test" });
    const dataset = readyToDeconvolve(stacks, planes);
    assert.deepEqual(partsOf(dataset), [
      ["cell-001", "x", 3, "24x24"],
      ["cell-training", "y", 10 * 4, "16x16"],
      ["cell-validation", "validation", 2 * 4, "16x16"],
      ["cell", "test", 6 * 4, "16x16"],
    ]);
    assertNoLeak(splitBySubject(dataset.contents, stream("split")), dataset.contents.subjects);
    assert.match(dataset.contents.banners.join(), /ONE STACK/);
    assert.match(dataset.contents.notes.join(), /are simulated: 3 of microtubules/);
    const [sharp, own] = [await dataset.sample("cell-001", "00"), await dataset.sample("cell", "12-r0c0")];
    assert.deepEqual(sharp.kernel, own.kernel);
    assert.deepEqual(sharp.acquisition!.high, own.acquisition!.high);
    dataset.close();
  }));

Deno.test("simulated images have the camera of the stack that is learned from, wherever its name stands", () =>
  withFolder(async (folder) => {
    await write(`${folder}/test_a.tif`, [18, 40, 34]);
    await writeTiff(`${folder}/train_b.tif`, {
      shape: [18, 40, 34],
      data: Uint16Array.from({ length: 18 * 40 * 34 }, (_, i) => 3000 + i % 1000),
    });
    const stacks = await openData([tiffPlanesKind], [folder], { stream: "test" });
    assert.equal(stacks.contents.subjects[0].role, "test");
    const dataset = readyToDeconvolve(stacks, planes);
    const levelsOf = async (role: string) => {
      const { id, samples: [first] } = dataset.contents.subjects.find((subject) => subject.role === role)!;
      const { low, high } = (await dataset.sample(id, first)).acquisition!;
      return [low, high];
    };
    assert.deepEqual(await levelsOf("x"), await levelsOf("y"));
    assert.notDeepEqual(await levelsOf("x"), await levelsOf("test"));
    dataset.close();
  }));

Deno.test("what is tested on decides no levels, and a stack for test alone has its own", () =>
  withFolder(async (folder) => {
    const page = 40 * 34;
    const stack = (last: number) => {
      const rng = stream("test/levels");
      return Uint16Array.from(
        { length: 18 * page },
        (_, i) => (i < 12 * page ? 100 : last) + rng.integer(900),
      );
    };
    const levelsOf = async (paths: readonly string[]) => {
      const stacks = await openData([tiffPlanesKind], paths, { stream: "test" });
      const dataset = readyToDeconvolve(stacks, planes);
      const { id, samples: [first] } = dataset.contents.subjects.at(-1)!;
      const { low, high } = (await dataset.sample(id, first)).acquisition!;
      dataset.close();
      return [low, high];
    };
    // The last six planes of a single stack are for test.
    for (const last of [100, 30_000]) {
      await writeTiff(`${folder}/cell-${last}.tif`, { shape: [18, 40, 34], data: stack(last) });
    }
    assert.deepEqual(
      await levelsOf([`${folder}/cell-100.tif`]),
      await levelsOf([`${folder}/cell-30000.tif`]),
    );

    await writeTiff(`${folder}/test_cell.tif`, { shape: [18, 40, 34], data: stack(30_000) });
    const [low, high] = await levelsOf([`${folder}/cell-100.tif`, `${folder}/test_cell.tif`]);
    assert.ok(Number(low) > 100 && Number(high) > 30_000, `${low}, ${high}`);
  }));

Deno.test("simulated volumes have the stack's voxels, and tiles are cut by the margin of each axis", () =>
  withFolder(async (folder) => {
    await write(`${folder}/cell.tif`, [28, 34, 40]);
    const stacks = await openData([tiffVolumesKind], [folder], {
      stream: "test",
      settings: { pixelNm: "65,260" },
    });
    const sizes: (readonly number[] | undefined)[] = [];
    const dataset = readyToDeconvolve(stacks, {
      ...volumes,
      marginDepth: 16,
      images: (pixelNm) => {
        sizes.push(pixelNm);
        return volumes.images(pixelNm);
      },
    });
    assert.deepEqual(sizes, [[260, 65, 65]]);
    const shapes = Object.fromEntries(dataset.contents.subjects.map(({ role, shape }) => [role, shape]));
    assert.deepEqual(shapes.x, [24, 24, 24, 1]);
    assert.deepEqual([shapes.y, shapes.test], [[8, 16, 16, 1], [8, 16, 16, 1]]);
    dataset.close();
  }));

Deno.test("a stack that says that it is a truth gives images to both sides, whose brightest have the value 1", () =>
  withFolder(async (folder) => {
    await write(`${folder}/cell_ground_truth.tif`, [20, 48, 30]);
    const stacks = await openData([tiffPlanesKind], [folder], { stream: "test" });
    const dataset = readyToDeconvolve(stacks, planes);
    assert.deepEqual(partsOf(dataset).map(([, role, count]) => [role, count]), [
      ["x", 12],
      ["y", 12],
      ["validation", 4],
      ["test", 12],
    ]);
    const { image, measurement } = await dataset.sample("cell_ground_truth", "14-r0c0");
    assert.equal(measurement, undefined);
    const { pixelSizeNm } = (await dataset.sample("cell_ground_truth", "14-r0c0")).acquisition!;
    assert.equal(pixelSizeNm, null);
    const largest = image!.data.reduce((most, value) => Math.max(most, value), 0);
    assert.ok(largest > 0.9 && largest < 1.1, `the brightest value is ${largest}`);
    assert.match(dataset.contents.banners.join(), /its blur and noise are simulated/);
    dataset.close();
  }));

Deno.test("one volume is cut to cubes first, and refused where it is smaller than one", () =>
  withFolder(async (folder) => {
    await write(`${folder}/cell.tif`, [16, 34, 40]);
    const open = () => openData([tiffVolumesKind], [folder], { stream: "test" });
    const dataset = readyToDeconvolve(await open(), volumes);
    assert.deepEqual(partsOf(dataset), [
      ["volume-001", "x", 2, "24x24x24"],
      ["cell-training", "y", 2, "16x16x16"],
      ["cell-validation", "validation", 1, "16x16x16"],
      ["cell", "test", 1, "16x16x16"],
    ]);
    dataset.close();
    const stacks = await open();
    assert.throws(
      () => readyToDeconvolve(stacks, { ...volumes, side: 32 }),
      /it has 16 planes of 34 x 40 pixels, and is cut into cubes of 24 x 24 x 24[^]*subject "cell"[^]*--set matrix=N/,
    );
    stacks.close();
  }));

Deno.test({
  name: "the real stacks of deconvolution have a part each",
  ignore: !sharedExists,
  async fn() {
    const roles = async (path: string, reading: "planes" | "volumes") => {
      const kind = reading === "planes" ? tiffPlanesKind : tiffVolumesKind;
      const stacks = await openData([kind], [`${sharedFolder}/deconvolution/${path}`], {
        stream: "test",
      });
      const dataset = readyToDeconvolve(stacks, reading === "planes" ? planes : volumes);
      assertNoLeak(splitBySubject(dataset.contents, stream("split")), dataset.contents.subjects);
      dataset.close();
      return dataset.contents.subjects.map(({ role }) => role).join(" ");
    };
    for (const path of ["bars", "bead", "pollen_ground_truth.tif"]) {
      for (const reading of ["planes", "volumes"] as const) {
        assert.equal(await roles(path, reading), "x y validation test", `${path} as ${reading}`);
      }
    }
    assert.equal(await roles("celegans_widefield_2d.tif", "planes"), "x y validation test");
  },
});
