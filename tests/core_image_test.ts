import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { centreCrop, centrePart, type Image, maximumProjection, mirrored, part } from "../core/image.ts";

/** An image or volume whose values spell their own place, one digit an axis; its second channel is negative. */
function places(...extents: number[]): Image {
  const pixels = extents.reduce((product, extent) => product * extent);
  const data = Array.from({ length: pixels }, (_, index) => {
    let [spelled, rest] = [0, index];
    for (let axis = extents.length - 1, digit = 1; axis >= 0; axis--, digit *= 10) {
      spelled += digit * (rest % extents[axis]);
      rest = Math.floor(rest / extents[axis]);
    }
    return [spelled, -spelled];
  });
  return { shape: [...extents, 2], data: Float32Array.from(data.flat()) };
}

const first = ({ data }: Image) => [...data].filter((_, i) => i % 2 === 0);

Deno.test("part() of an image or volume has the values that lay there", () => {
  const square = part(places(4, 5), [1, 2], [2, 3]);
  deepStrictEqual(square.shape, [2, 3, 2]);
  deepStrictEqual(first(square), [12, 13, 14, 22, 23, 24]);
  const block = part(places(3, 4, 5), [1, 2, 3], [2, 1, 2]);
  deepStrictEqual(block.shape, [2, 1, 2, 2]);
  deepStrictEqual(first(block), [123, 124, 223, 224]);
  deepStrictEqual([...block.data], first(block).flatMap((value) => [value, -value]));
});

Deno.test("part() of the whole is the image itself", () => {
  const volume = places(2, 3, 4);
  strictEqual(part(volume, [0, 0, 0], [2, 3, 4]), volume);
});

Deno.test("centrePart() leaves the extra slice, row and column at the end", () => {
  deepStrictEqual(first(centrePart(places(4, 3, 5), [1, 1, 2])), [111, 112]);
  deepStrictEqual(centreCrop(places(5, 4), 2, 4), part(places(5, 4), [1, 0], [2, 4]));
});

Deno.test("centrePart() refuses what does not lie within, and says both sizes", () => {
  throws(() => centrePart(places(2, 3, 4), [2, 4, 4]), /cannot crop \[2, 3, 4\] to \[2, 4, 4\]/);
  throws(() => centrePart(places(2, 3, 4), [2, 3]), /cannot crop \[2, 3, 4\] to \[2, 3\]/);
  throws(() => centreCrop(places(2, 3), 0, 3), /cannot crop/);
});

Deno.test("mirrored() reverses the axes that say so, and twice is as it was", () => {
  deepStrictEqual(first(mirrored(places(2, 2), [true, false])), [10, 11, 0, 1]);
  deepStrictEqual(first(mirrored(places(2, 2), [false, true])), [1, 0, 11, 10]);
  deepStrictEqual(first(mirrored(places(2, 1, 3), [true, true, true])), [102, 101, 100, 2, 1, 0]);
  const volume = places(3, 4, 5);
  for (const axes of [[true, false, false], [false, true, true], [true, true, true]]) {
    deepStrictEqual(mirrored(mirrored(volume, axes), axes), volume);
  }
});

Deno.test("maximumProjection() is the greatest value along the depth; an image has none", () => {
  const projected = maximumProjection(places(3, 1, 2));
  deepStrictEqual(projected.shape, [1, 2, 2]);
  deepStrictEqual([...projected.data], [200, -0, 201, -1]);
  const image = places(2, 3);
  deepStrictEqual(maximumProjection(image), image);
});
