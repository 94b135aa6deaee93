import { deepStrictEqual, equal, rejects, throws } from "node:assert/strict";
import type { Contents, Dataset } from "../datasets/dataset.ts";
import { tiled } from "../datasets/tiles.ts";

/** One sample whose every value is its place in it; `asked` counts how often it was read. */
function counting(shape: readonly number[]) {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const values = { shape, data: Float32Array.from({ length: size }, (_, i) => i) };
  const contents: Contents = {
    kind: "counting",
    name: "counting",
    subjects: [{ id: "s", samples: ["00"], shape }],
    unit: "counts",
    holds: "pairs",
    banners: [],
    notes: [],
    hash: "h",
  };
  const asked = { times: 0 };
  const dataset: Dataset = {
    contents,
    sample(subject, id) {
      asked.times += 1;
      return Promise.resolve({ id, subject, image: values, measurement: values, acquisition: { low: 1 } });
    },
    close() {},
  };
  return { dataset, asked };
}

Deno.test("tiled() cuts an image into squares around its middle, which share no pixel", async () => {
  const { dataset, asked } = counting([5, 7, 1]);
  const tiles = tiled(dataset, 2);
  const [{ samples, shape }] = tiles.contents.subjects;
  deepStrictEqual([samples, shape], [["00-r0c0", "00-r0c1", "00-r0c2", "00-r1c0", "00-r1c1", "00-r1c2"], [
    2,
    2,
    1,
  ]]);
  const all = await Promise.all(samples.map((id) => tiles.sample("s", id)));
  // Seven columns in three squares leave the last one over, five rows in two the last one.
  deepStrictEqual([...all[0].image!.data], [0, 1, 7, 8]);
  deepStrictEqual([...all[5].image!.data], [18, 19, 25, 26]);
  deepStrictEqual(all[5].measurement, all[5].image);
  deepStrictEqual(all[5].acquisition, { low: 1 });
  equal(new Set(all.flatMap(({ image }) => [...image!.data])).size, 24);
  equal(asked.times, 1);
});

Deno.test("tiled() cuts a volume into cubes, and leaves whole what is thinner than a cube", async () => {
  const tiles = tiled(counting([2, 6, 4, 1]).dataset, 3);
  const [{ samples, shape }] = tiles.contents.subjects;
  deepStrictEqual([samples, shape], [["00-z0r0c0", "00-z0r1c0"], [2, 3, 3, 1]]);
  const { image } = await tiles.sample("s", "00-z0r1c0");
  deepStrictEqual([...image!.data.slice(0, 6), image!.data[9]], [12, 13, 14, 16, 17, 18, 36]);
});

Deno.test("tiled() keeps the name of what is one tile, and changes the hash", async () => {
  const { dataset } = counting([3, 3, 1]);
  const tiles = tiled(dataset, 4);
  deepStrictEqual(tiles.contents.subjects[0].samples, ["00"]);
  deepStrictEqual((await tiles.sample("s", "00")).image, (await dataset.sample("s", "00")).image);
  equal(tiles.contents.hash === dataset.contents.hash, false);
  equal(tiled(dataset, 4).contents.hash, tiles.contents.hash);
  equal(tiled(dataset, 2).contents.hash === tiles.contents.hash, false);
});

Deno.test("tiled() refuses sides that are none, and samples that it has not", async () => {
  const { dataset } = counting([3, 3, 1]);
  throws(() => tiled(dataset, 0), /tiles of 0 pixels[^]*at least 1/);
  await rejects(tiled(dataset, 2).sample("s", "00-r9c9"), /no sample "00-r9c9" of subject "s"/);
});

Deno.test("tiled() tells emitters from the tile's corner, and keeps them off a rim", async () => {
  const { dataset } = counting([9, 7, 1]);
  const emitters = { xNm: Float64Array.of(250, 610), yNm: Float64Array.of(880, 5) };
  const withEmitters = (acquisition: Record<string, number[]>): Dataset => ({
    ...dataset,
    sample: async (subject, id) => ({ ...await dataset.sample(subject, id), emitters, acquisition }),
  });
  const tiles = tiled(withEmitters({ pixelSizeNm: [100, 50] }), 3, 1);
  const [{ samples }] = tiles.contents.subjects;
  deepStrictEqual(samples, ["00-r0c0", "00-r1c0"]);
  const second = await tiles.sample("s", "00-r1c0");
  // Six of nine rows, and three of seven columns, in the middle: the second tile starts at row 4, column 2.
  equal(second.image!.data[0], 4 * 7 + 2);
  deepStrictEqual([...second.emitters!.xNm], [150, 510]);
  deepStrictEqual([...second.emitters!.yNm], [480, -395]);
  equal((await tiled(withEmitters({}), 3).sample("s", "00-r0c0")).emitters, undefined);
});
