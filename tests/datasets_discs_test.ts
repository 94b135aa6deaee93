import assert from "node:assert/strict";
import type { Image } from "../core/image.ts";
import { samples } from "../datasets/dataset.ts";
import { discs } from "../datasets/discs.ts";

const settings = { subjects: 40, slices: 2, matrix: 64, shift: 5, stream: "test/discs" };

const massOf = ({ data }: Image) => data.reduce((sum, value) => sum + value, 0);

function centroidOf(image: Image): [row: number, column: number] {
  const width = image.shape[1];
  let [row, column] = [0, 0];
  image.data.forEach((value, i) => {
    row += value * Math.floor(i / width);
    column += value * (i % width);
  });
  return [row / massOf(image), column / massOf(image)];
}

/** Pieces that touch by a side, by painting over them. */
function piecesOf({ shape: [height, width], data }: Image): number {
  const isOpen = Array.from(data, (value) => value > 0.5);
  let pieces = 0;
  for (let start = isOpen.indexOf(true); start >= 0; start = isOpen.indexOf(true)) {
    pieces += 1;
    const queue = [start];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      if (!isOpen[at]) continue;
      isOpen[at] = false;
      if (at % width > 0) queue.push(at - 1);
      if (at % width < width - 1) queue.push(at + 1);
      if (at >= width) queue.push(at - width);
      if (at < (height - 1) * width) queue.push(at + width);
    }
  }
  return pieces;
}

Deno.test("discs() are one to three that do not touch, 1 inside and 0 outside", async () => {
  const found = new Set<number>();
  for await (const { image } of samples(discs(settings))) {
    found.add(piecesOf(image!));
    assert.ok(image!.data.every((value) => value >= 0 && value <= 1));
    assert.ok(image!.data.includes(1) && image!.data[0] === 0);
    // Radius 3 to 9 pixels each.
    assert.ok(massOf(image!) > Math.PI * 8.9 && massOf(image!) < 3 * Math.PI * 81.5);
  }
  assert.deepEqual([...found].sort(), [1, 2, 3]);
});

Deno.test("a label of discs() is the object with each disc moved by up to the shift, its mass kept", async () => {
  const shifts: number[] = [];
  for await (const { image, label } of samples(discs(settings))) {
    assert.ok(Math.abs(massOf(label!) / massOf(image!) - 1) < 2e-3);
    if (piecesOf(image!) > 1) continue;
    const [from, to] = [centroidOf(image!), centroidOf(label!)];
    shifts.push(to[0] - from[0], to[1] - from[1]);
  }
  assert.ok(shifts.every((shift) => Math.abs(shift) < 5.02));
  // Of a uniform distribution over ±5 that is √(25/3); its standard error here is about 0.2.
  const rms = Math.sqrt(shifts.reduce((sum, shift) => sum + shift ** 2, 0) / shifts.length);
  assert.ok(shifts.length > 30 && Math.abs(rms - 5 / Math.sqrt(3)) < 0.6, `${shifts.length}: ${rms}`);
});

Deno.test("the discs of one label move each on its own", async () => {
  let apart = 0;
  for await (const { image, label } of samples(discs(settings))) {
    if (piecesOf(image!) === 1) continue;
    // Were they moved together, the object moved by the difference of the centroids would be the label.
    const [from, to] = [centroidOf(image!), centroidOf(label!)];
    const [rows, columns] = [Math.round(to[0] - from[0]), Math.round(to[1] - from[1])];
    let difference = 0;
    for (let i = 0; i < 64 * 64; i++) {
      const at = i - 64 * rows - columns;
      difference += Math.abs(label!.data[i] - (image!.data[at] ?? 0));
    }
    if (difference > 0.4 * massOf(image!)) apart += 1;
  }
  assert.ok(apart > 20, `${apart}`);
});

Deno.test("discs() with another shift are the same objects, and without a shift their own labels", async () => {
  const [usual, still] = [discs(settings), discs({ ...settings, shift: 0 })];
  for (const subject of ["discs-001", "discs-040"]) {
    const { image, label } = await still.sample(subject, "01");
    assert.deepEqual(label, image);
    assert.deepEqual(image, (await usual.sample(subject, "01")).image);
  }
  assert.notEqual(usual.contents.hash, still.contents.hash);
});

Deno.test("discs(), labels and shifts scale with the matrix", async () => {
  const of = async (matrix: number) => {
    const { image, label } = await discs({ ...settings, matrix }).sample("discs-003", "00");
    return [image!, label!].flatMap((one) => [
      massOf(one) / matrix ** 2,
      ...centroidOf(one).map((at) => (at + 0.5) / matrix),
    ]);
  };
  const reference = await of(64);
  (await of(160)).forEach((value, i) => assert.ok(Math.abs(value - reference[i]) < 1e-3));
});

Deno.test("discs() with the largest shift keep their labels within the picture", async () => {
  for await (const { image, label } of samples(discs({ ...settings, shift: 10 }))) {
    assert.ok(Math.abs(massOf(label!) / massOf(image!) - 1) < 2e-3);
  }
});

Deno.test("discs() refuse a shift that carries labels away, and sizes that are none", () => {
  for (const shift of [-1, 10.5, NaN]) {
    assert.throws(() => discs({ ...settings, shift }), /cannot be shifted[^]*between 0 and 10/);
  }
  assert.throws(() => discs({ ...settings, matrix: 1.5 }), /whole matrix/);
});
