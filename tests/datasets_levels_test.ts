import assert from "node:assert/strict";
import { stream } from "../core/random.ts";
import { type Levels, LevelsOfStack } from "../datasets/levels.ts";
import { openData } from "../datasets/open.ts";
import { tiffFramesKind, tiffPlanesKind } from "../datasets/tiff.ts";
import { withFolder, writeTiff } from "./datasets_files.ts";
import { sharedExists, sharedFolder } from "./tree.ts";

async function levelsOf(pages: readonly Float32Array[], inTime = false): Promise<Levels> {
  const watch = new LevelsOfStack(inTime);
  for (const page of pages) watch.add(page);
  return await watch.result(async function* () {
    for (const page of pages) yield await Promise.resolve(page);
  });
}

function expected(pages: readonly Float32Array[]) {
  const sorted = Float32Array.from(pages.flatMap((page) => [...page])).sort();
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))];
  return { low: at(0.1), high: at(0.999) };
}

const kinds: Readonly<Record<string, (draw: number) => number>> = {
  "counts of 16 bits": (draw) => Math.round(500 + 300 * draw),
  "whole numbers too large to be counted": (draw) => Math.round(1e6 * draw),
  "fractions of either sign": (draw) => draw / 7,
  "many that are equal": (draw) => Math.sign(draw) / 3,
};

for (const [name, make] of Object.entries(kinds)) {
  Deno.test(`the levels of ${name} are the values that sorting finds, in whatever pages they come`, async () => {
    const rng = stream(`test/levels/${name}`);
    const values = Float32Array.from({ length: 3000 }, () => make(rng.normal()));
    const pages = [values.subarray(0, 1000), values.subarray(1000, 2000), values.subarray(2000)];
    assert.deepEqual(await levelsOf(pages), expected(pages));
    assert.deepEqual(await levelsOf([values]), expected(pages));
  });
}

Deno.test("flicker tells how bright a spot is that comes and goes, whatever light and noise are there that stay", async () => {
  const rng = stream("test/flicker");
  // Ten pixels, on one of which 50 shine in one frame of ten: p(1 − p)(1 − 2p)·50³ over p(1 − p)·50².
  const pages = Array.from({ length: 20_000 }, () => {
    const isOn = rng.uniform() < 0.1;
    return Float32Array.from(
      { length: 10 },
      (_, i) => 5000 + 30 * i + 2 * rng.normal() + (i === 5 && isOn ? 50 : 0),
    );
  });
  const { dark, flicker } = await levelsOf(pages, true);
  assert.ok(
    Math.abs(dark!.mean - 5000) < 0.1 && Math.abs(dark!.variance / 4 - 1) < 0.05,
    JSON.stringify(dark),
  );
  assert.ok(Math.abs(flicker! / 40 - 1) < 0.05, `${flicker}`);
  const { flicker: none } = await levelsOf([pages[0], pages[0], pages[0]], true);
  assert.equal(none, undefined);
  assert.equal((await levelsOf(pages.slice(0, 2), true)).dark, undefined);
});

Deno.test("samples of a stack say its levels, whoever opened it, and frames alone flicker", () =>
  withFolder(async (folder) => {
    const data = Float32Array.from({ length: 60 }, (_, i) => i === 59 ? 70 : i);
    await writeTiff(`${folder}/a.tif`, { shape: [3, 4, 5], data });
    for (const kind of [tiffFramesKind, tiffPlanesKind]) {
      const first = await openData([kind], [folder], { stream: "test" });
      const again = await openData([kind], [folder], { stream: "test" }, first.contents);
      const { acquisition } = await again.sample("a", "01");
      const { low, high, flicker } = acquisition!;
      assert.deepEqual([low, high], [5, 58]);
      assert.equal(flicker === undefined, kind === tiffPlanesKind);
      first.close();
      again.close();
    }
  }));

Deno.test({
  name: "the flicker of the Deep-STORM frames tells how bright their emitters are, within a tenth",
  ignore: !sharedExists,
  async fn() {
    const dataset = await openData([tiffFramesKind], [
      `${sharedFolder}/smlm/deepstorm_microtubules/frames.tif`,
    ], {
      stream: "test",
    });
    const { dark, flicker } = dataset.contents.subjects[0].levels!;
    // 2929 counts an emitter over a background of 144 fit frames 1-40 best where σ is 106 nm, by least squares against
    // the true positions; what is left then has a variance of 169 where it is dark.
    assert.ok(Math.abs(dark!.mean - 144) < 6 && Math.abs(dark!.variance - 169) < 25, JSON.stringify(dark));
    const counts = flicker! * 3 * Math.PI * (1.06 ** 2 + 1 / 12);
    assert.ok(Math.abs(counts / 2929 - 1) < 0.1, `${counts}`);
    dataset.close();
  },
});
