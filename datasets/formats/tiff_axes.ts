/**
 * What a TIFF stack says of its own axes: ImageJ's and OME's descriptions, read for what the pages are and how large a
 * pixel is. What is not said stays undefined: resolutions of plain TIFF are those of printers.
 *
 * ImageJ: `ij/io/TiffDecoder`'s description, `key=value` lines. OME: "OME-TIFF specification", the `Pixels` element.
 */

/** What the pages of a stack are. */
export interface StackAxes {
  readonly channels: number;
  /** Planes along the optical axis. */
  readonly slices: number;
  /** Times. */
  readonly frames: number;
  /** The three, the one that changes fastest from page to page first, e.g. `"CZT"`. */
  readonly order: string;
}

/** What a description says. */
export interface StackDescription {
  /** Who wrote it; undefined where nobody that we know did. */
  readonly by?: "ImageJ" | "OME";
  /** What the pages are, where it is said and is true of their number. */
  readonly axes?: StackAxes;
  /** How many pages ImageJ says there are. */
  readonly images?: number;
  /** `[row, column]`. */
  readonly pixelSizeNm?: readonly [number, number];
  readonly sliceStepNm?: number;
}

/** What stands in a first page besides its description. */
export interface Resolution {
  /** Pixels a unit along a row, and along a column. */
  readonly x?: number;
  readonly y?: number;
}

const nanometres: Readonly<Record<string, number>> = {
  "m": 1e9,
  "cm": 1e7,
  "mm": 1e6,
  "micron": 1e3,
  "microns": 1e3,
  "micrometer": 1e3,
  "micrometre": 1e3,
  "um": 1e3,
  "µm": 1e3,
  "nm": 1,
  "nanometer": 1,
  "nanometre": 1,
  "pm": 1e-3,
  "å": 0.1,
};

/** Reads a description; `pages` is how many there are. */
export function describeStack(description: string, resolution: Resolution, pages: number): StackDescription {
  if (/^ImageJ=/.test(description)) return byImageJ(description, resolution, pages);
  if (/<(?:\w+:)?OME\b/.test(description)) return byOme(description, pages);
  return {};
}

function byImageJ(description: string, { x, y }: Resolution, pages: number): StackDescription {
  const values = new Map(
    [...description.matchAll(/^([\w ]+)=(.*)$/gm)].map(([, key, value]) => [key.trim(), value.trim()]),
  );
  const number = (key: string) => {
    const text = values.get(key);
    const value = text === undefined || text === "" ? NaN : Number(text);
    return Number.isFinite(value) ? value : undefined;
  };
  const count = (key: string) => number(key) ?? 1;
  const images = number("images");
  const axes = {
    channels: count("channels"),
    slices: count("slices"),
    frames: count("frames"),
    order: "CZT",
  };
  // Written as it stands in a Java properties file, where µ is an escape.
  const unitOf = (key: string) => scaleOf(values.get(key)?.replace(/\\u00b5/i, "µ"));
  const unit = unitOf("unit");
  const [along, across] = [unitOf("yunit") ?? unit, unit];
  const spacing = number("spacing");
  const depth = unitOf("zunit") ?? unit;
  return {
    by: "ImageJ",
    axes: fitting(axes, images ?? pages),
    images,
    pixelSizeNm: sizeOf(positive(y) && along && along / y!, positive(x) && across && across / x!),
    sliceStepNm: spacing !== undefined && spacing !== 0 && depth !== undefined
      ? Math.abs(spacing) * depth
      : undefined,
  };
}

function byOme(description: string, pages: number): StackDescription {
  const pixels = /<(?:\w+:)?Pixels\b([^>]*)>/.exec(description)?.[1] ?? "";
  const attributes = new Map(
    [...pixels.matchAll(/([A-Za-z]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(([, key, a, b]) => [key, a ?? b]),
  );
  const count = (key: string) => Number(attributes.get(key) ?? NaN);
  const size = (axis: string) => {
    const value = Number(attributes.get(`PhysicalSize${axis}`) ?? NaN);
    // "µm" is the schema's default.
    const unit = scaleOf(attributes.get(`PhysicalSize${axis}Unit`)?.replace("&#181;", "µ") ?? "µm");
    return positive(value) && unit !== undefined ? value * unit : undefined;
  };
  const order = /^XY([CZT]{3})$/.exec(attributes.get("DimensionOrder") ?? "")?.[1];
  const axes = {
    channels: count("SizeC"),
    slices: count("SizeZ"),
    frames: count("SizeT"),
    order: order ?? "",
  };
  // Colours that are samples of one page are counted among the channels.
  const samples = Number(/SamplesPerPixel="(\d+)"/.exec(description)?.[1] ?? 1);
  return {
    by: "OME",
    axes: order === undefined ? undefined : fitting({ ...axes, channels: axes.channels / samples }, pages),
    pixelSizeNm: sizeOf(size("Y"), size("X")),
    sliceStepNm: size("Z"),
  };
}

/** The axes, where their product is the number of pages and no other count could be meant. */
function fitting(axes: StackAxes, pages: number): StackAxes | undefined {
  const { channels, slices, frames } = axes;
  const areCounts = [channels, slices, frames].every((extent) => Number.isInteger(extent) && extent >= 1);
  return areCounts && channels * slices * frames === pages ? axes : undefined;
}

function scaleOf(unit: string | undefined): number | undefined {
  // The Greek letter and the sign for a millionth look the same.
  const name = unit?.trim().replace("μ", "µ").toLowerCase();
  return name !== undefined && Object.hasOwn(nanometres, name) ? nanometres[name] : undefined;
}

function positive(value: number | undefined): boolean {
  return value !== undefined && Number.isFinite(value) && value > 0;
}

function sizeOf(
  row: number | false | undefined,
  column: number | false | undefined,
): [number, number] | undefined {
  return row && column ? [row, column] : undefined;
}

/** The page that holds one channel, slice and frame. */
export function pageOf(axes: StackAxes, at: { channel: number; slice: number; frame: number }): number {
  const extents: Record<string, number> = { C: axes.channels, Z: axes.slices, T: axes.frames };
  const places: Record<string, number> = { C: at.channel, Z: at.slice, T: at.frame };
  let [page, step] = [0, 1];
  for (const axis of axes.order) {
    page += places[axis] * step;
    step *= extents[axis];
  }
  return page;
}
