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
  const [rows, columns] = image.shape;
  if (height > rows || width > columns || height < 1 || width < 1) {
    throw new RangeError(`cannot crop [${rows}, ${columns}] to [${height}, ${width}]`);
  }
  return crop(image, Math.floor((rows - height) / 2), Math.floor((columns - width) / 2), height, width);
}

/** The `[height, width]` of a 2-D image whose first row is `top` and first column `left`; the whole is the image itself. */
export function crop(image: Image, top: number, left: number, height: number, width: number): Image {
  const [rows, columns, channels] = image.shape;
  if (height === rows && width === columns) return image;
  const data = new Float32Array(height * width * channels);
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * columns + left) * channels;
    data.set(image.data.subarray(from, from + width * channels), row * width * channels);
  }
  return { shape: [height, width, channels], data };
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
