/** What the panels of a report show: truth and input once a run, the reconstruction of every job. */

import { writeWhole } from "../core/files.ts";
import { assembled, type Image, maximumProjection } from "../core/image.ts";
import { sha256 } from "../core/json.ts";
import type { Tile } from "../datasets/dataset.ts";
import type { Curve, Picture } from "../results/record.ts";
import type { Shown } from "./evaluate.ts";
import type { Workplace } from "./job.ts";
import type { Job } from "./plan.ts";
import type { SampleRef } from "./split.ts";

/** What a panel shows of a sample, or of tiles put together. */
type Shot = Pick<Shown, "subject" | "input" | "curves"> & {
  readonly sample: string;
  readonly reconstruction: Image;
  readonly truth?: Image;
};

/**
 * Takes the pictures and curves of some subjects, evenly spread: of each its middle sample, or what its samples were combined
 * to. Of a subject whose samples are tiles, the field that they were cut from, of all of them the brightest, since many fields
 * of a stack may be empty.
 */
export class Panels {
  /** Those that were written. */
  readonly pictures: Picture[] = [];
  /** What scores of the shown samples were read off. */
  readonly curves: Curve[] = [];
  readonly #wanted: ReadonlyMap<string, string>;
  readonly #fields = new Map<string, Brightest>();

  /** @param test the samples that will be shown. */
  constructor(readonly place: Workplace, readonly job: Job, test: readonly SampleRef[]) {
    const subjects = [...new Set(test.map(({ subject }) => subject))];
    this.#wanted = new Map(
      spread(subjects, place.settings.panels as number).map((subject) => {
        const own = test.filter((ref) => ref.subject === subject);
        return [subject, own[Math.floor(own.length / 2)].sample];
      }),
    );
  }

  /** Looks at what is shown, and takes it where it is wanted. */
  async take(
    { subject, kept: { sample, reconstruction, truth }, input, tile, curves }: Shown,
  ): Promise<void> {
    const middle = this.#wanted.get(subject);
    if (middle === undefined) return;
    const shot: Shot = { subject, sample, reconstruction, truth, input, curves };
    if (tile !== undefined) {
      const fields = this.#fields.get(subject) ?? new Brightest();
      this.#fields.set(subject, fields);
      return fields.add(tile, shot);
    }
    const isCombined = this.place.shelf.benchmark.combine !== undefined;
    if (isCombined || sample === middle) await this.#write(shot);
  }

  /** Takes the brightest fields, when all samples were shown. */
  async finish(): Promise<void> {
    for (const fields of this.#fields.values()) await this.#write(fields.whole());
  }

  async #write({ subject, sample, reconstruction, truth, input, curves }: Shot): Promise<void> {
    const { place, job } = this;
    this.curves.push(...curves().map((curve) => ({ ...curve, subject })));
    const { benchmark } = place.shelf;
    const number = [...this.#wanted.keys()].indexOf(subject);
    const own = job.record.replace(/\.json$/, "");
    // Truth and input are the same bytes from every job, so whichever writes them last changes nothing.
    const files = [
      { name: "truth", image: truth, path: `images/${number}/truth.f32` },
      { name: "input", image: input, path: `images/${number}/input.f32` },
      { name: "reconstruction", image: reconstruction, path: `images/${number}/${own}.f32` },
    ];
    const window = benchmark.shown?.(place.settings);
    for (const { name, image, path } of files) {
      if (image === undefined) continue;
      const head = { name, subject, sample, ...(window === undefined ? {} : { window }) };
      this.pictures.push(await keepPicture(place.folder, head, path, image));
    }
  }
}

/** The brightest of the fields that tiles were cut from, by truth where there is one; it keeps two of them. */
class Brightest {
  #best: readonly TileShot[] = [];
  #current: TileShot[] = [];

  /** Takes the next tile; those of one field follow each other. */
  add(tile: Tile, shot: Shot): void {
    if (this.#current.length > 0 && this.#current[0].tile.of !== tile.of) this.#settle();
    this.#current.push({ tile, shot });
  }

  /** The brightest field; its curves are those of its brightest tile. */
  whole(): Shot {
    this.#settle();
    const tiles = this.#best;
    const picture = (of: (shot: Shot) => Image | undefined) => {
      const parts = tiles.flatMap(({ tile, shot }) => {
        const image = of(shot);
        return image === undefined ? [] : [{ at: tile.at, image }];
      });
      return parts.length === 0 ? undefined : assembled(parts);
    };
    const [brightest] = tiles.toSorted((a, b) => lightOf([b]) - lightOf([a]));
    return {
      ...brightest.shot,
      sample: brightest.tile.of,
      reconstruction: picture(({ reconstruction }) => reconstruction)!,
      input: picture(({ input }) => input)!,
      truth: picture(({ truth }) => truth),
    };
  }

  #settle(): void {
    if (this.#best.length === 0 || lightOf(this.#current) > lightOf(this.#best)) this.#best = this.#current;
    this.#current = [];
  }
}

interface TileShot {
  readonly tile: Tile;
  readonly shot: Shot;
}

function lightOf(tiles: readonly TileShot[]): number {
  const light = ({ truth, input }: Shot) => (truth ?? input).data.reduce((sum, value) => sum + value, 0);
  return tiles.reduce((sum, { shot }) => sum + light(shot), 0);
}

/** Writes a picture, of a volume its greatest values along the depth. */
export async function keepPicture(
  folder: string,
  head: Pick<Picture, "name" | "subject" | "sample" | "window">,
  path: string,
  image: Image,
): Promise<Picture> {
  const { shape, data } = maximumProjection(image);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  await writeWhole(`${folder}/${path}`, bytes);
  const slices = shape === image.shape ? {} : { slices: image.shape[0] };
  return { ...head, ...slices, path, shape, sha256: sha256(bytes) };
}

/** Evenly spread members of a list, at most `count`. */
export function spread<T>(list: readonly T[], count: number): T[] {
  if (list.length <= count) return [...list];
  return Array.from({ length: count }, (_, i) => list[Math.floor((i + 0.5) * list.length / count)]);
}
