import assert from "node:assert/strict";
import { decode } from "fast-png";
import { interpolateMagma } from "d3-scale-chromatic";
import { colourOf, errorScale, greyScale } from "../reports/colour.ts";
import { drawPanels, framesOf, panelSvg } from "../reports/panels.ts";
import { panelsOf, readPicture, samePicture } from "../reports/pictures.ts";
import { writeReports } from "../reports/write.ts";
import { summarise } from "../results/summary.ts";
import { fullRun, record, row, run, withPictures } from "./reports_made_run.ts";

Deno.test("greyScale() and errorScale() run from end to end, and saturate beyond", () => {
  const grey = greyScale(10, 20);
  assert.deepEqual([5, 10, 15, 20, 99, NaN].map((value) => colourOf(grey, value)[0]), [
    0,
    0,
    128,
    255,
    255,
    0,
  ]);
  const hex = (value: number) =>
    "#" + colourOf(errorScale(2), value).map((byte) => byte.toString(16).padStart(2, "0")).join("");
  assert.deepEqual([0, 2].map(hex), [interpolateMagma(0), interpolateMagma(1)]);
});

Deno.test("a panel shows each pixel of the truth enlarged, in the grey of its value", async () => {
  await inFolder(async (folder) => {
    const made = await withPictures(fullRun(), folder, 16);
    const summary = summarise(made);
    const [panel] = panelsOf(made, summary);
    const truth = await readPicture(folder, panel.truth!);
    assert.ok(typeof truth !== "string");
    const { value } = await drawPanels(made, summary).next();
    assert.equal(value!.file, "s6__a.png");
    const { width, data, channels } = decode(value!.png);
    // The first picture stands below the title (58 px) and its label (38 px), 16 px from the left, 11 times enlarged.
    const grey = greyScale(Math.min(...truth.data), Math.max(...truth.data));
    for (const [i, wanted] of truth.data.entries()) {
      for (const [right, down] of [[0, 0], [10, 0], [5, 5], [10, 10]]) {
        const x = 16 + 11 * (i % 16) + right;
        const y = 58 + 38 + 11 * Math.floor(i / 16) + down;
        const at = (y * width + x) * channels;
        assert.deepEqual([...data.slice(at, at + 3)], [...colourOf(grey, wanted)], `pixel ${i}`);
      }
    }
  });
});

Deno.test("a panel without a truth keeps no room for errors and their scale", async () => {
  await inFolder(async (folder) => {
    const side = 16;
    const [withTruth, without] = await Promise.all([true, false].map(async (truths) => {
      await Deno.mkdir(`${folder}/${truths}`);
      const made = await withPictures(fullRun(), `${folder}/${truths}`, side, { truths });
      const { value } = await drawPanels(made, summarise(made)).next();
      return decode(value!.png);
    }));
    // Two bands of six and five frames, each of them without a row of tiles; and a shorter text at the foot.
    assert.ok(withTruth.height - without.height >= 2 * (side * 11 + 8));
    const { width, height, data, channels } = without;
    const inked = (y: number) =>
      data.subarray(y * width * channels, (y + 1) * width * channels).some((v) => v < 200);
    let [blank, longest] = [0, 0];
    for (let y = 0; y < height; y++) longest = Math.max(longest, blank = inked(y) ? 0 : blank + 1);
    assert.ok(longest < 40, `${longest} blank lines on end`);
  });
});

Deno.test("a panel shows the input once, be it in its own frame or as the row that gives it back", async () => {
  await inFolder(async (folder) => {
    const labels = async (firstIsInput: boolean) => {
      const made = await withPictures(fullRun(), folder, 16, { firstIsInput });
      const [panel] = panelsOf(made, summarise(made));
      if (firstIsInput) assert.notEqual(panel.rows[0].picture!.sha256, panel.input!.sha256);
      return (await framesOf(panel)).map(({ label, detail }) => `${label}: ${detail}`);
    };
    const [apart, together] = [await labels(false), await labels(true)];
    assert.deepEqual(apart.slice(0, 2), ["truth: ", "input: what networks see"]);
    assert.ok(apart.every((label) => !label.includes("the input")));
    assert.match(together[1], /^zero-filled: PSNR .* dB, the input$/);
    assert.deepEqual(together.toSpliced(1, 1), apart.toSpliced(1, 2));
  });
});

Deno.test("a panel says of how many slices of a volume it shows the maximum", async () => {
  await inFolder(async (folder) => {
    const made = await withPictures(fullRun(), folder, 16);
    const [{ truth, input, ...panel }] = panelsOf(made, summarise(made));
    const frames = await framesOf({
      ...panel,
      truth: { ...truth!, slices: 32 },
      input: { ...input!, slices: 32 },
    });
    assert.deepEqual(frames.slice(0, 2).map(({ detail }) => detail), [
      "maximum of 32 slices",
      "what networks see, maximum of 32 slices",
    ]);
  });
});

Deno.test("samePicture() overlooks the rounding of float32, and nothing that could be seen", () => {
  const values = (...data: number[]) => ({ height: 1, width: 3, data: new Float32Array(data) });
  assert.ok(samePicture(values(0, 139, 70), values(0, 139.00001, 70)));
  assert.ok(!samePicture(values(0, 139, 70), values(0, 139, 70.05)));
  assert.ok(!samePicture(values(0, 139, 70), values(0, 139, NaN)));
  assert.ok(!samePicture(values(0, 139, 70), { ...values(0, 139, 70), height: 3, width: 1 }));
});

Deno.test("a panel's banners begin with a capital", () => {
  const made = run([], [], { banners: ["images were cropped"] });
  const svg = panelSvg(made, { file: "", subject: "s", sample: "a", rows: [] }, []);
  assert.ok(svg.includes(">Images were cropped.</text>"));
});

Deno.test("a panel has the first seed that left a picture, or says why there is none", () => {
  const picture = {
    name: "reconstruction",
    subject: "s6",
    sample: "a",
    path: "images/x.f32",
    shape: [2, 2, 1],
    sha256: "",
  };
  const diverged = { kind: "diverged", update: 17, reason: "NaN" } as const;
  const made = run(["lucky", "unlucky", "slow", "broken"].map((name) => row(name, true)), [
    record("lucky", 1, [], { state: diverged }),
    record("lucky", 2, [], { pictures: [picture] }),
    ...[1, 2, 3].map((seed) => record("unlucky", seed, [], { state: diverged })),
    ...[1, 2, 3].map((seed) => record("broken", seed, [], { state: { kind: "failed", reason: "x" } })),
  ]);
  const [panel] = panelsOf(made, summarise(made));
  assert.deepEqual(panel.rows.map(({ name, seed, absence }) => [name, seed, absence]), [
    ["lucky", 2, ""],
    ["unlucky", 1, "diverged at update 17"],
    ["slow", null, "not finished"],
    ["broken", 1, "failed"],
  ]);
});

Deno.test("readPicture() reads nothing outside the run, and nothing that has changed", async () => {
  await inFolder(async (folder) => {
    const made = await withPictures(fullRun(), folder, 4);
    const [picture] = made.records[0].pictures;
    assert.equal(typeof await readPicture(folder, picture), "object");
    for (const path of ["../secret", "/etc/hostname", "images/../../x", "C:\\x"]) {
      assert.equal(await readPicture(folder, { ...picture, path }), "path outside the run");
    }
    assert.equal(await readPicture(folder, { ...picture, path: "images/none.f32" }), "file is missing");
    assert.equal(await readPicture(folder, { ...picture, shape: [4, 5] }), "file of another size");
    assert.equal(await readPicture(folder, { ...picture, sha256: "0" }), "file has changed");
    assert.equal(await readPicture(folder, { ...picture, shape: [4, 2, 2] }), "shape [4, 2, 2]");
  });
});

Deno.test("panelsOf() names files that no subject can steer, and that no two samples share", () => {
  const pairs = [["../../etc", "a"], ["a", "b__c"], ["a__b", "c"], ["A b", "x"], ["A_b", "x"], ["", "x/y"], [
    "a_",
    "b",
  ], [
    "a",
    "_b",
  ]];
  const pictures = pairs.map(([subject, sample]) => (
    { name: "truth", subject, sample, path: "t", shape: [1, 1], sha256: "" }
  ));
  const made = run([row("input", false)], [record("input", null, [], { pictures })]);
  const files = panelsOf(made, summarise(made)).map(({ file }) => file);
  assert.equal(new Set(files.map((file) => file.toLowerCase())).size, pairs.length);
  for (const file of files) assert.match(file, /^[A-Za-z0-9][A-Za-z0-9._-]*\.png$/);
});

Deno.test("writeReports() leaves all tables and panels, the same bytes each time, and no temporary file", async () => {
  await inFolder(async (folder) => {
    const made = await withPictures(fullRun(), folder, 8);
    await Deno.mkdir(`${folder}/panels`);
    await Deno.writeTextFile(`${folder}/panels/old.png`, "");
    await writeReports(made);
    const before = await contents(folder);
    assert.deepEqual(Object.keys(before), [
      "panels/s6__a.png",
      "panels/s7__a.png",
      "report.html",
      "results.json",
      "scores.csv",
      "statistics.csv",
      "table-standalone.tex",
      "table.csv",
      "table.md",
      "table.tex",
      "verdicts.json",
    ]);
    await writeReports({ ...made, records: made.records.toReversed() });
    assert.deepEqual(await contents(folder), before);
  });
});

async function contents(folder: string): Promise<Record<string, Uint8Array>> {
  const files: string[] = [];
  for (const under of ["", "panels/"]) {
    for await (const { name, isFile } of Deno.readDir(`${folder}/${under}`)) {
      if (isFile) files.push(under + name);
    }
  }
  const entries = files.sort().map(async (file) => [file, await Deno.readFile(`${folder}/${file}`)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
