/** Panels: which samples they show, and stacks whose samples are tiles of a field. */

import { deepStrictEqual } from "node:assert/strict";
import { assembled, type Image } from "../core/image.ts";
import type { Shown } from "../harness/evaluate.ts";
import type { Workplace } from "../harness/job.ts";
import { Panels } from "../harness/panels.ts";
import type { Picture } from "../results/record.ts";
import { inFolder } from "./commands_running.ts";

const image = (value: number): Image => ({ shape: [2, 2, 1], data: new Float32Array(4).fill(value) });

const shown = (sample: string, value: number, more: Partial<Shown> & { truth?: Image } = {}): Shown => ({
  subject: "cell",
  kept: { sample, reconstruction: image(value), truth: more.truth, channels: 1 },
  input: image(value / 2),
  curves: () => [{ name: "curve", sample, axes: { x: "x", y: "y" }, x: [0], y: [value] }],
  ...more,
});

/** What one job's panels leave of these samples. */
async function picturesOf(folder: string, all: readonly Shown[]) {
  const place = { folder, settings: { panels: 1 }, shelf: { benchmark: {} } } as unknown as Workplace;
  const job = { index: 0, method: "a", seed: 1, record: "a.json" };
  const panels = new Panels(place, job, all.map(({ subject, kept }) => ({ subject, sample: kept.sample })));
  for (const one of all) await panels.take(one);
  await panels.finish();
  const valuesOf = async (name: string) => {
    const { path, shape, sample } = panels.pictures.find((picture: Picture) => picture.name === name)!;
    const bytes = await Deno.readFile(`${folder}/${path}`);
    return { sample, shape: shape.slice(0, 2), values: [...new Float32Array(bytes.buffer)] };
  };
  return { panels, valuesOf };
}

Deno.test("of samples of their own a panel shows the middle one", () =>
  inFolder(async (folder) => {
    const { panels, valuesOf } = await picturesOf(folder, [1, 2, 3].map((i) => shown(String(i), i)));
    deepStrictEqual((await valuesOf("reconstruction")).sample, "2");
    deepStrictEqual(panels.curves.map(({ sample, subject }) => [sample, subject]), [["2", "cell"]]);
  }));

Deno.test("of tiles a panel shows the brightest field whole, by its truth where there is one", () =>
  inFolder(async (folder) => {
    const tile = (of: string, row: number, column: number) => ({ of, at: [10 + 2 * row, 4 + 3 * column] });
    const field = (of: string, value: number, truth?: number) =>
      [[0, 0], [0, 1], [1, 0]].map(([row, column]) =>
        shown(`${of}-r${row}c${column}`, value + row, {
          tile: tile(of, row, column),
          ...(truth === undefined ? {} : { truth: image(truth) }),
        })
      );
    const dimmer = await picturesOf(folder, [...field("00", 1), ...field("01", 5), ...field("02", 3)]);
    const { sample, shape, values } = await dimmer.valuesOf("reconstruction");
    deepStrictEqual([sample, shape], ["01", [4, 5]]);
    // A column between two tiles is no tile's, and neither is the fourth corner.
    const [above, below] = [[5, 5, 0, 5, 5], [6, 6, 0, 0, 0]];
    deepStrictEqual(values, [above, above, below, below].flat());
    deepStrictEqual((await dimmer.valuesOf("input")).values[0], 2.5);
    deepStrictEqual(dimmer.panels.pictures.some(({ name }) => name === "truth"), false);
    deepStrictEqual(dimmer.panels.curves.map(({ sample }) => sample), ["01-r1c0"]);

    const byTruth = await picturesOf(folder, [...field("00", 1, 9), ...field("01", 5, 0)]);
    deepStrictEqual((await byTruth.valuesOf("truth")).sample, "00");
  }));

Deno.test("assembled() puts parts of volumes at their places", () => {
  const slab = (value: number): Image => ({ shape: [1, 1, 2, 1], data: Float32Array.of(value, value + 1) });
  const { shape, data } = assembled([{ at: [1, 0, 0], image: slab(3) }, { at: [0, 1, 2], image: slab(7) }]);
  deepStrictEqual(shape, [2, 2, 4, 1]);
  deepStrictEqual([...data], [0, 0, 0, 0, 0, 0, 7, 8, 3, 4, 0, 0, 0, 0, 0, 0]);
});
