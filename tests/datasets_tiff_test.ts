import assert from "node:assert/strict";
import { survey } from "../commands/data.ts";
import { beside } from "../datasets/beside.ts";
import { openData } from "../datasets/open.ts";
import { tiffFramesKind, tiffPlanesKind, tiffVolumesKind } from "../datasets/tiff.ts";
import { withFolder, writeTiff } from "./datasets_files.ts";
import { sharedExists, sharedFolder } from "./tree.ts";

const ignore = !sharedExists;
const options = { stream: "test" };

/** A stack whose values say where they are: 100 a page, 10 a row, 1 a column. */
function numbered(pages: number, height: number, width: number, first = 0): Float32Array {
  const size = height * width;
  return Float32Array.from({ length: pages * size }, (_, i) => {
    const [page, row, column] = [Math.floor(i / size), Math.floor(i % size / width), i % width];
    return first + 100 * page + 10 * row + column;
  });
}

Deno.test("a stack is frames, planes or a volume, as the benchmark asks for", () =>
  withFolder(async (folder) => {
    await writeTiff(`${folder}/a.tif`, { shape: [3, 4, 5], data: numbered(3, 4, 5) });
    for (
      const [kind, shape, ids] of [
        [tiffFramesKind, [4, 5, 1], ["00", "01", "02"]],
        [tiffPlanesKind, [4, 5, 1], ["00", "01", "02"]],
        [tiffVolumesKind, [3, 4, 5, 1], ["00"]],
      ] as const
    ) {
      const dataset = await openData([kind], [folder], options);
      const [subject] = dataset.contents.subjects;
      assert.deepEqual([subject.shape, subject.samples], [shape, ids]);
      const { measurement } = await dataset.sample("a", ids.at(-1)!);
      assert.deepEqual(measurement!.shape, shape);
      assert.equal(measurement!.data.at(-1), 234);
      dataset.close();
    }
  }));

Deno.test("frames of volumes are volumes in time, in the order that ImageJ gives them", () =>
  withFolder(async (folder) => {
    const description = "ImageJ=1.5\nimages=6\nslices=3\nframes=2\nunit=nm\nspacing=200";
    await writeTiff(`${folder}/a.tif`, {
      shape: [6, 2, 2],
      data: numbered(6, 2, 2),
      description,
      resolution: 0.01,
    });
    const dataset = await openData([tiffVolumesKind], [folder], options);
    assert.deepEqual(dataset.contents.subjects[0].samples, ["00", "01"]);
    assert.deepEqual(dataset.contents.pixelSizeMm!.map((mm) => +mm.toFixed(9)), [2e-4, 1e-4, 1e-4]);
    const { measurement } = await dataset.sample("a", "01");
    assert.deepEqual([measurement!.data[0], measurement!.data[4], measurement!.data[8]], [300, 400, 500]);
    dataset.close();
    await assert.rejects(openData([tiffFramesKind], [folder], options), /2 frames of 3 planes/);
    await assert.rejects(openData([tiffPlanesKind], [folder], options), /2 frames in time/);
  }));

Deno.test("slices without frames count as frames, and the contents say so", () =>
  withFolder(async (folder) => {
    const description = "ImageJ=1.5\nimages=4\nslices=4\nunit=micron";
    await writeTiff(`${folder}/a.tif`, {
      shape: [4, 3, 3],
      data: numbered(4, 3, 3),
      description,
      resolution: 10,
    });
    const { contents } = await openData([tiffFramesKind], [folder], options);
    assert.equal(contents.subjects[0].samples.length, 4);
    assert.match(contents.notes.join(), /its 4 slices, without frames, count as frames/);
    assert.deepEqual(contents.pixelSizeMm!.map((mm) => +mm.toFixed(9)), [1e-4, 1e-4]);
  }));

Deno.test("truth, kernel and emitters beside a stack are known by their names", () =>
  withFolder(async (folder) => {
    const stack = (first: number) => ({ shape: [2, 4, 4] as const, data: numbered(2, 4, 4, first) });
    await writeTiff(`${folder}/data.tif`, stack(0));
    await writeTiff(`${folder}/actual.tif`, stack(1000));
    await writeTiff(`${folder}/cell_stack.tif`, stack(50));
    await writeTiff(`${folder}/cell_truth.tif`, stack(2000));
    await writeTiff(`${folder}/psf.tif`, { shape: [1, 3, 3], data: numbered(1, 3, 3) });
    const dataset = await openData([tiffPlanesKind], [folder], options);
    assert.deepEqual(dataset.contents.subjects.map(({ id }) => id), ["cell_stack", "data"]);
    assert.equal(dataset.contents.holds, "pairs");
    const { image, measurement, kernel } = await dataset.sample("data", "01");
    assert.deepEqual([measurement!.data[0], image!.data[0], kernel!.shape], [100, 1100, [3, 3, 1]]);
    assert.equal((await dataset.sample("cell_stack", "00")).image!.data[0], 2000);
    assert.match(dataset.contents.notes.join(), /actual\.tif was taken for the truth of data\.tif/);
    dataset.close();

    await Deno.writeTextFile(
      `${folder}/cell_ground_truth.csv`,
      "frame,x_nm,y_nm\n2,150,50\n1,20,30\n2,350,350\n",
    );
    const frames = await openData([tiffFramesKind], [`${folder}/cell_stack.tif`], options);
    const { emitters, image: none, kernel: psf } = await frames.sample("cell_stack", "01");
    assert.deepEqual(psf!.shape, [3, 3, 1]);
    assert.deepEqual([[...emitters!.xNm], [...emitters!.yNm]], [[150, 350], [50, 350]]);
    assert.equal(none, undefined);
    frames.close();
    await Deno.writeTextFile(`${folder}/cell_ground_truth.csv`, "frame,x_nm,y_nm\n3,150,50\n");
    await assert.rejects(
      openData([tiffFramesKind], [`${folder}/cell_stack.tif`], options),
      /emitters in frame 3, and the stack beside it has 2 frames/,
    );
    // A little beyond the field, an emitter's light still reaches it; a field's width beyond, another unit was meant.
    const sized = { ...options, settings: { pixelNm: "100" } };
    const withEmitter = async (place: string) => {
      await Deno.writeTextFile(`${folder}/cell_ground_truth.csv`, `frame,x_nm,y_nm\n1,20,30\n2,${place}\n`);
      (await openData([tiffFramesKind], [`${folder}/cell_stack.tif`], sized)).close();
    };
    await withEmitter("-300,700");
    for (const place of ["-99999,50", "50,900"]) {
      const says = new RegExp(
        `frame 2 is at x ${place.replace(",", " nm, y ")} nm, far outside of the field, which is 400 nm wide`,
      );
      await assert.rejects(withEmitter(place), says);
    }
  }));

Deno.test("a truth alone is an image to be blurred, by the kernel beside it where there is one", () =>
  withFolder(async (folder) => {
    await writeTiff(`${folder}/pollen_truth.tif`, { shape: [3, 5, 5], data: numbered(3, 5, 5) });
    await writeTiff(`${folder}/kernel.tif`, { shape: [3, 3, 3], data: numbered(3, 3, 3) });
    const dataset = await openData([tiffVolumesKind], [folder], options);
    assert.equal(dataset.contents.holds, "images");
    const { image, measurement, kernel } = await dataset.sample("pollen_truth", "00");
    assert.deepEqual([image!.shape, measurement, kernel!.shape], [[3, 5, 5, 1], undefined, [3, 3, 3, 1]]);
    dataset.close();
  }));

Deno.test("what lies beside a stack is found from inside its folder, too", () =>
  withFolder(async (folder) => {
    await writeTiff(`${folder}/data.tif`, { shape: [2, 4, 4], data: numbered(2, 4, 4) });
    await writeTiff(`${folder}/actual.tif`, { shape: [2, 4, 4], data: numbered(2, 4, 4) });
    for (const path of [`${folder}/data.tif`, `${folder}//data.tif`]) {
      assert.match((await beside(path)).truth!, /actual\.tif$/);
    }
    // In a process of its own, since the current folder is everybody's.
    const command = new URL("../commands/data.ts", import.meta.url).pathname;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "-A", command, "data.tif", "actual.tif", "--json"],
      cwd: folder,
      env: { INIT_CWD: folder },
    }).output();
    const { datasets: [{ contents }] } = JSON.parse(new TextDecoder().decode(stdout));
    assert.deepEqual(contents.subjects.map(({ id }: { id: string }) => id), ["data"]);
  }));

Deno.test("a size of a pixel and a kernel that are given go before what is found, and a size that nobody gives is asked for", () =>
  withFolder(async (folder) => {
    const file = { shape: [2, 3, 3] as const, data: numbered(2, 3, 3) };
    await writeTiff(`${folder}/a.tif`, {
      ...file,
      description: "ImageJ=1.5\nimages=2\nunit=um",
      resolution: 10,
    });
    await writeTiff(`${folder}/b.tif`, file);
    const sizes = async (path: string, pixelNm: string) => {
      const settings = { pixelNm };
      const { contents } = await openData([tiffVolumesKind], [`${folder}/${path}`], { ...options, settings });
      return [contents.pixelSizeMm?.map((mm) => +(mm * 1e6).toFixed(6)), contents.notes.join()] as const;
    };
    assert.deepEqual((await sizes("a.tif", "65,300"))[0], [300, 65, 65]);
    const [unknown, note] = await sizes("b.tif", "");
    assert.equal(unknown, undefined);
    assert.match(note, /nobody says how large a pixel is/);
    await Deno.mkdir(`${folder}/elsewhere`);
    await writeTiff(`${folder}/elsewhere/own.tif`, { shape: [1, 5, 3], data: numbered(1, 5, 3) });
    const settings = { psf: `${folder}/elsewhere/own.tif` };
    const dataset = await openData([tiffVolumesKind], [`${folder}/a.tif`], { ...options, settings });
    assert.deepEqual((await dataset.sample("a", "00")).kernel!.shape, [5, 3, 1]);
    assert.match(dataset.contents.notes.join(), /own\.tif was taken for the kernel of a\.tif/);
    // Its values grow to its corner, and slowly.
    assert.match(
      dataset.contents.notes.join(),
      /brightest value for its middle; its light is centred \(−1\.0, −1\.0\)/,
    );
    dataset.close();
    await assert.rejects(sizes("a.tif", "65"), /"65" is no size of a pixel[^]*--pixel-nm[^]*give X,Z in nm/);
    await assert.rejects(sizes("a.tif", "-1,3"), /no size of a pixel/);
  }));

Deno.test("stacks keep their hash in another folder and encoding, and change it with a value or what lies beside", () =>
  withFolder(async (folder) => {
    const data = numbered(3, 4, 4);
    const contents = async (name: string) =>
      (await openData([tiffPlanesKind], [`${folder}/${name}`], options)).contents;
    for (const name of ["one", "two", "three"]) await Deno.mkdir(`${folder}/${name}`);
    await writeTiff(`${folder}/one/data.tif`, { shape: [3, 4, 4], data });
    await writeTiff(`${folder}/two/data.tif`, { shape: [3, 4, 4], data: Uint16Array.from(data) });
    await writeTiff(`${folder}/three/data.tif`, { shape: [3, 4, 4], data: data.with(7, 0.5) });
    const [one, two, three] = [await contents("one"), await contents("two"), await contents("three")];
    assert.deepEqual([one.hash, one.subjects[0].volumes], [two.hash, two.subjects[0].volumes]);
    assert.notEqual(one.hash, three.hash);
    await writeTiff(`${folder}/one/kernel.tif`, { shape: [1, 3, 3], data: numbered(1, 3, 3) });
    assert.notEqual((await contents("one")).hash, one.hash);
  }));

Deno.test("what cannot be a stack of this kind is refused with the file and the way out", () =>
  withFolder(async (folder) => {
    const refused = async (what: Parameters<typeof openData>[0][number], path: string, message: RegExp) => {
      await assert.rejects(openData([what], [`${folder}/${path}`], options), (error: Error) => {
        assert.match(error.message, message);
        assert.match(error.message, /where: .*\n {2}fix: /);
        return true;
      });
    };
    await Deno.mkdir(`${folder}/mixed`);
    await Deno.mkdir(`${folder}/unlike`);
    const stack = { shape: [2, 4, 4] as const, data: numbered(2, 4, 4) };
    await writeTiff(`${folder}/single.tif`, { shape: [1, 4, 4], data: numbered(1, 4, 4) });
    await writeTiff(`${folder}/colours.tif`, { ...stack, description: "ImageJ=1.5\nimages=2\nchannels=2" });
    await writeTiff(`${folder}/mixed/data.tif`, stack);
    await writeTiff(`${folder}/mixed/actual.tif`, stack);
    await writeTiff(`${folder}/mixed/other.tif`, stack);
    await writeTiff(`${folder}/unlike/data.tif`, stack);
    await writeTiff(`${folder}/unlike/actual.tif`, { shape: [1, 4, 4], data: numbered(1, 4, 4) });
    await refused(tiffVolumesKind, "single.tif", /it has one plane/);
    await refused(tiffPlanesKind, "colours.tif", /it has 2 channels/);
    await refused(tiffPlanesKind, "mixed", /other\.tif|no truth beside it/);
    await refused(tiffPlanesKind, "unlike", /it is 1 x 4 x 4, and .*data\.tif beside it/);
  }));

Deno.test(
  { name: "the shared stacks are found with their truths, kernels and emitters", ignore },
  async () => {
    const bars = await openData([tiffVolumesKind], [`${sharedFolder}/deconvolution/bars`], options);
    const sample = await bars.sample("data", "00");
    assert.deepEqual(
      [sample.measurement!.shape, sample.image!.shape, sample.kernel!.shape],
      [[32, 64, 64, 1], [32, 64, 64, 1], [32, 64, 64, 1]],
    );
    assert.equal(sample.image!.data.reduce((most, value) => Math.max(most, value)), 65535);
    assert.equal(bars.contents.name, "bars");
    bars.close();
    const pollen = await openData([tiffVolumesKind], [
      `${sharedFolder}/deconvolution/pollen_ground_truth.tif`,
    ], options);
    assert.equal(pollen.contents.holds, "images");
    pollen.close();
    const smlm = `${sharedFolder}/smlm/deepstorm_microtubules`;
    const frames = await openData(
      [tiffFramesKind],
      [`${smlm}/frames.tif`, `${smlm}/train_frames.tif`],
      options,
    );
    assert.deepEqual(frames.contents.subjects.map(({ samples, role }) => [samples.length, role]), [
      [361, undefined],
      [20, "train"],
    ]);
    assert.equal((await frames.sample("train_frames", "00")).emitters!.xNm.length, 282);
    frames.close();
    const { datasets, refused } = await survey([`${sharedFolder}/smlm/tiff_variants`], {});
    assert.deepEqual(
      refused.filter(({ path }) => path.endsWith(".tif")).map(({ reason }) => reason.split("\n")[0]),
      [
        "it has 3 channels",
        "it has 3 channels",
      ],
    );
    const variants = datasets.flatMap(({ contents }) => contents.subjects).filter(({ id }) =>
      id.startsWith("dstorm")
    );
    assert.equal(variants.length, 7);
    assert.equal(new Set(variants.map(({ volumes }) => volumes!.join())).size, 1);
  },
);
