import assert from "node:assert/strict";
import { inFrame, readLocalisations } from "../datasets/localisations.ts";
import { TiffStack } from "../datasets/formats/tiff.ts";
import { withFolder, writeFastmri } from "./datasets_files.ts";
import { sharedExists, sharedFolder } from "./tree.ts";

const ignore = !sharedExists;
const smlm = `${sharedFolder}/smlm`;

async function withText(
  text: string,
  test: (path: string) => Promise<void>,
  name = "table.csv",
): Promise<void> {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/${name}`, text);
    await test(`${folder}/${name}`);
  });
}

/** Median distance, in pixels, from a table's points to the bright spots' centres of mass in the frames. */
async function offsets(stackPath: string, tablePath: string, pixelSizeNm: number): Promise<[number, number]> {
  const table = await readLocalisations(tablePath, { pixelSizeNm });
  using stack = await TiffStack.open(stackPath);
  const { pages, height, width } = stack.header;
  const reach = 2;
  const found: [number[], number[]] = [[], []];
  for (let frame = 0; frame < pages; frame++) {
    const { xNm, yNm } = inFrame(table, frame);
    if (xNm.length === 0) continue;
    const values = await stack.page(frame);
    xNm.forEach((x, i) => {
      const [column, row] = [Math.floor(x / pixelSizeNm), Math.floor(yNm[i] / pixelSizeNm)];
      const inside = column >= reach && row >= reach && column < width - reach && row < height - reach;
      if (!inside) return;
      const around = [];
      for (let dy = -reach; dy <= reach; dy++) {
        for (let dx = -reach; dx <= reach; dx++) {
          around.push({ dx, dy, value: values[(row + dy) * width + column + dx] });
        }
      }
      const median = around.map(({ value }) => value).sort((a, b) => a - b)[around.length >> 1];
      let [sum, sx, sy] = [0, 0, 0];
      for (const { dx, dy, value } of around) {
        const weight = Math.max(0, value - median);
        sum += weight, sx += weight * dx, sy += weight * dy;
      }
      // A pixel's centre is half a pixel from its corner.
      found[0].push(column + 0.5 + sx / sum - x / pixelSizeNm);
      found[1].push(row + 0.5 + sy / sum - yNm[i] / pixelSizeNm);
    });
  }
  return found.map((each) => each.sort((a, b) => a - b)[each.length >> 1]) as [number, number];
}

for (
  const [writer, stack, table, pixelSizeNm] of [
    [
      "ThunderSTORM",
      "deepstorm_microtubules/train_frames.tif",
      "deepstorm_microtubules/train_ground_truth.csv",
      100,
    ],
    ["Picasso", "picasso_origami_100x32x32.tif", "picasso_origami_localisations.hdf5", 160],
    // 127 pixels from centre to centre are the 16954.5 nm that its header gives as the largest position.
    ["rapidSTORM", "dstorm_real_5frames.tif", "dstorm_real_localisations.txt", 133.5],
  ] as const
) {
  Deno.test(
    { name: `${writer}'s localisations lie on the spots of the frames that it was given`, ignore },
    async () => {
      const [x, y] = await offsets(`${smlm}/${stack}`, `${smlm}/${table}`, pixelSizeNm);
      assert.ok(Math.abs(x) < 0.06 && Math.abs(y) < 0.06, `${x}, ${y} pixels away`);
    },
  );
}

Deno.test(
  { name: "the Deep-STORM stack's truth has 81178 emitters in 361 frames, 225 each", ignore },
  async () => {
    const table = await readLocalisations(`${smlm}/deepstorm_microtubules/ground_truth.csv`);
    assert.equal(table.frame.length, 81178);
    assert.deepEqual([table.frame[0], table.frame.at(-1)], [0, 360]);
    const counts = Array.from({ length: 361 }, (_, frame) => inFrame(table, frame).xNm.length);
    assert.equal(counts.reduce((sum, count) => sum + count), 81178);
    assert.equal(Math.round(counts.reduce((sum, count) => sum + count) / 361), 225);
  },
);

Deno.test("tables in other words, units and orders are the same table", async () => {
  const texts: [string, object][] = [
    ["frame,x_nm,y_nm\n1,100,250\n3,50,60\n2,0.5,1e3\n", {}],
    ['"id","frame","x [nm]","y [nm]","note"\r\n1,3,50,60,a\r\n2,1,100,250,b\r\n3,2,0.5,1000,c\r\n', {}],
    ["frame;x [um];y [um]\n1;0.1;0.25\n2;0.0005;1\n3;0.05;0.06\n", {}],
    ["x (px)\ty (px)\tframe\n1\t2.5\t0\n0.005\t10\t1\n0.5\t0.6\t2\n", { pixelSizeNm: 100, firstFrame: 0 }],
    ["frame,x_nm,y_nm\n1,50,200\n2,-49.5,950\n3,0,10\n", { pixelSizeNm: 100, origin: "centre" }],
  ];
  for (const [text, options] of texts) {
    await withText(text, async (path) => {
      const { frame, xNm, yNm } = await readLocalisations(path, options);
      assert.deepEqual([...frame], [0, 1, 2], text);
      assert.deepEqual([...xNm].map((x) => +x.toFixed(9)), [100, 0.5, 50], text);
      assert.deepEqual([...yNm].map((y) => +y.toFixed(9)), [250, 1000, 60], text);
    });
  }
});

Deno.test("what a table says and what was taken for granted is stated", () =>
  withText("frame,x_nm,y_nm\n1,1,1\n", async (path) => {
    assert.deepEqual((await readLocalisations(path)).said, [
      "plain CSV: positions in nm, as it says",
      "from the corner of the first pixel, taken for granted, since it does not say",
      "the first frame is 1, taken for granted, since it does not say",
    ]);
    assert.match((await readLocalisations(path, { origin: "corner" })).said[1], /as given/);
  }));

const refusals: Readonly<Record<string, [string, RegExp]>> = {
  "no unit": [
    "frame,x,y\n1,2,3\n",
    /"x" has no unit\n[^]*fix: {3}write the unit into the header, e\.g\. "x \[nm\]"/,
  ],
  "a unit of no length": ['frame,"x [s]","y [s]"\n1,2,3\n', /"x" is in "s", which is no unit of length/],
  "pixels of unknown size": ["frame,x_px,y_px\n1,2,3\n", /in pixels, and nobody says how large/],
  "two units": ["frame,x_nm,y_um\n1,2,3\n", /x is in nm and y in um/],
  "no header": ["1,2,3\n4,5,6\n", /first line has no names of columns/],
  "no frames": ["x_nm,y_nm\n2,3\n", /no column "frame"/],
  "a row too short": ["frame,x_nm,y_nm\n1,2,3\n1,2\n", /line 3 has 2 values, and there are 3 columns/],
  "words for a position": ["frame,x_nm,y_nm\n1,2,3\n1,here,3\n", /localisation 2 is at x NaN/],
  "a frame before the first": ["frame,x_nm,y_nm\n0,2,3\n", /in frame 0; the first frame is 1/],
};
for (const [what, [text, message]] of Object.entries(refusals)) {
  Deno.test(`a table of localisations with ${what} is refused`, () =>
    withText(text, (path) =>
      assert.rejects(readLocalisations(path), (error: Error) => {
        assert.match(error.message, message);
        assert.match(error.message, /where: .*table\.csv\n {2}fix: /);
        return true;
      })));
}

Deno.test("rapidSTORM's table needs the size of a pixel, and other HDF5 is no table", async () => {
  const field = (identifier: string) => `<field identifier="${identifier}" unit="nanometer" />`;
  const header = `# <localizations>${field("Position-0-0")}${field("Position-1-0")}${
    field("ImageNumber-0-0")
  }</localizations>`;
  await withText(`${header}\n0 50 0\n`, async (path) => {
    await assert.rejects(readLocalisations(path), /nobody says how large a pixel is/);
    const { xNm, yNm, frame } = await readLocalisations(path, { pixelSizeNm: 100 });
    assert.deepEqual([xNm[0], yNm[0], frame[0]], [50, 100, 0]);
  }, "table.txt");
  await withFolder(async (folder) => {
    await writeFastmri(`${folder}/other.h5`, { shape: [1, 4, 4] });
    await assert.rejects(readLocalisations(`${folder}/other.h5`), /there is no dataset "locs"/);
  });
});
