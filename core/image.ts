/** Plain images: a shape and its values, before `physics/` makes tensors of them and after. */

/**
 * An image, volume or measurement. `shape` is `[height, width, channels]`, or `[depth, height, width, channels]`
 * for a volume; complex values are two channels, real and imaginary. `data` is row-major and borrowed: nobody
 * who is handed an image writes to it.
 */
export interface Image {
  /** Extents, the slowest first. */
  readonly shape: readonly number[];
  /** As many values as the shape says. */
  readonly data: Float32Array;
}

/** How many values an array of this shape holds. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Whether two shapes are the same. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/**
 * The magnitude √(Σ c²) over the channels: `[…, channels]` to `[…, 1]`. For two channels it is the modulus of the
 * complex value; for several coils it is their root sum of squares.
 */
export function magnitude(image: Image): Image {
  const channels = image.shape[image.shape.length - 1];
  const data = new Float32Array(image.data.length / channels);
  for (let i = 0; i < data.length; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += image.data[i * channels + c] ** 2;
    data[i] = Math.sqrt(sum);
  }
  return { shape: [...image.shape.slice(0, -1), 1], data };
}

/** The central `[height, width]` of a 2-D image; an odd remainder leaves the extra row or column at the end. */
export function centreCrop(image: Image, height: number, width: number): Image {
  return centrePart(image, [height, width]);
}

/** The central part, of these extents, of an image or volume; an odd remainder leaves the extra pixel at the end. */
export function centrePart(image: Image, extents: readonly number[]): Image {
  const whole = image.shape.slice(0, -1);
  if (whole.length !== extents.length || extents.some((extent, axis) => extent < 1 || extent > whole[axis])) {
    throw new RangeError(`cannot crop [${whole.join(", ")}] to [${extents.join(", ")}]`);
  }
  return part(image, whole.map((extent, axis) => Math.floor((extent - extents[axis]) / 2)), extents);
}

/** The part of an image or volume that starts at `start` and has these extents; the whole is the image itself. */
export function part(image: Image, start: readonly number[], extents: readonly number[]): Image {
  const whole = image.shape.slice(0, -1);
  if (sameShape(extents, whole)) return image;
  const channels = image.shape[whole.length];
  const shape = [...extents, channels];
  const data = new Float32Array(sizeOf(shape));
  const run = extents[extents.length - 1] * channels;
  eachRow(extents, (place, row) => {
    const from = channels * offset(place.map((index, axis) => index + start[axis]), whole);
    data.set(image.data.subarray(from, from + run), row * run);
  });
  return { shape, data };
}

/** Images or volumes as parts of one, each at its place, as small as holds them all; 0 where there is none. */
export function assembled(
  parts: readonly { readonly at: readonly number[]; readonly image: Image }[],
): Image {
  const channels = parts[0].image.shape.at(-1)!;
  const bounds = parts[0].at.map((_, axis) => ({
    first: Math.min(...parts.map(({ at }) => at[axis])),
    end: Math.max(...parts.map(({ at, image }) => at[axis] + image.shape[axis])),
  }));
  const whole = bounds.map(({ first, end }) => end - first);
  const data = new Float32Array(sizeOf(whole) * channels);
  for (const { at, image } of parts) {
    const extents = image.shape.slice(0, -1);
    const run = extents[extents.length - 1] * channels;
    eachRow(extents, (place, row) => {
      const to = channels * offset(place.map((index, axis) => index + at[axis] - bounds[axis].first), whole);
      data.set(image.data.subarray(row * run, (row + 1) * run), to);
    });
  }
  return { shape: [...whole, channels], data };
}

/** The image or volume reversed along those of its axes of space that say so. */
export function mirrored({ shape, data }: Image, axes: readonly boolean[]): Image {
  const extents = shape.slice(0, -1);
  const channels = shape[extents.length];
  const [width, last] = [extents[extents.length - 1], axes[extents.length - 1]];
  const result = new Float32Array(data.length);
  eachRow(extents, (place, row) => {
    const source = place.map((index, axis) => axes[axis] ? extents[axis] - 1 - index : index);
    const from = channels * offset([...source.slice(0, -1), 0], extents);
    for (let column = 0; column < width; column++) {
      const at = from + channels * (last ? width - 1 - column : column);
      for (let c = 0; c < channels; c++) result[(row * width + column) * channels + c] = data[at + c];
    }
  });
  return { shape, data: result };
}

/** The greatest value along the depth of a volume, as an image; an image is as it is. */
export function maximumProjection({ shape, data }: Image): Image {
  if (shape.length < 4) return { shape, data };
  const [depth, ...slice] = shape;
  const size = sizeOf(slice);
  const most = data.slice(0, size);
  for (let i = size; i < depth * size; i++) most[i % size] = Math.max(most[i % size], data[i]);
  return { shape: slice, data: most };
}

/** Calls `visit` with the first place of each row (the last axis) in order, and the row's number. */
function eachRow(extents: readonly number[], visit: (place: readonly number[], row: number) => void): void {
  const outer = extents.slice(0, -1);
  const rows = sizeOf(outer);
  const place = extents.map(() => 0);
  for (let row = 0; row < rows; row++) {
    visit(place, row);
    for (let axis = outer.length - 1; axis >= 0 && ++place[axis] === outer[axis]; axis--) place[axis] = 0;
  }
}

/** The number of the pixel at a place, in reading order. */
function offset(place: readonly number[], extents: readonly number[]): number {
  return place.reduce((at, index, axis) => at * extents[axis] + index, 0);
}

/** The image times a number. */
export function scaled(image: Image, factor: number): Image {
  return { shape: image.shape, data: image.data.map((value) => value * factor) };
}

/** Σ (a − b)² over all values, in float64. */
export function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum;
}

/** Σ a² over all values, in float64. */
export function squaredNorm(a: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] ** 2;
  return sum;
}

/** Population standard deviation of the values. */
export function standardDeviation(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean) ** 2;
  return Math.sqrt(squares / values.length);
}
