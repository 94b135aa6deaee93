/**
 * What a reconstruction makes of discs: their level, their edges and their places. Discs are found in the truth; each is
 * scored by itself, and an image's score is the mean over its discs, so that it does not depend on how many there are.
 * A disc that is lost has the worst edge and place that there can be: to lose one is no way to a better score.
 */

import type { Image } from "../core/image.ts";
import { backgroundOf, centroidOf, type Disc, discsOf, median, neighbourhoodsOf, reach } from "./discs.ts";
import type { Metric } from "./metric.ts";
import { type Outcome, type Pair, scoreImages } from "./scoring.ts";

/** A disc lower than this share of its true value is lost. */
const lost = 0.1;

/** The edge and the error of a lost disc: from its centre to as far as it is looked for, which none exceeds. */
const worst = ({ radius }: Disc) => radius + reach;

/** Median value inside each disc, its outermost pixels left out, over the true one: 1 is right, a smear is lower. */
export const plateau: Metric = {
  id: "plateau",
  convention: "discs",
  unit: "",
  better: "neither",
  about:
    "median value inside each disc of the truth, its outermost pixels left out, over the true median; mean over the discs of an image; 1 is right",
  score: (subject) =>
    scoreImages(subject, ({ reconstruction, truth }) => {
      const level = (image: Image, { inside }: Disc) => median(inside.map((at) => image.data[at]));
      return meanOver(
        discsOf(truth).map((disc) => {
          const [found, wanted] = [level(reconstruction, disc), level(truth, disc)];
          return found === undefined || wanted === undefined ? undefined : found / wanted;
        }),
        "no disc is so wide that it has an inside",
      );
    }),
};

/**
 * Distance over which a disc's edge falls from 80 to 20 % of its own level above the background, in pixels: along 64 rays
 * from the reconstructed disc's centroid, their median. The level is the median within half the true radius of that
 * centroid, so that an edge is as wide whatever its height and wherever the disc is. A Gaussian blur of σ gives 1.683 σ;
 * pixels that are means over their area, and interpolation between them, give a perfect edge about 0.9 px. A disc that is
 * lost, or has no such edge, has one from its centre to {@linkcode reach} pixels outside; one whose edge cannot be
 * measured in the truth either, between others or at the picture's border, is left out.
 */
export const edgeWidth: Metric = {
  id: "edge-width",
  convention: "discs",
  unit: "px",
  better: "lower",
  about:
    `distance over which an edge falls from 80 to 20 % of the disc’s own level, median over rays from the reconstructed disc’s centroid, mean over the discs of an image; a disc that is lost or has no edge counts with its radius + ${reach} px`,
  score: (subject) =>
    scoreImages(subject, (pair) => {
      const found = followed(pair);
      const others = (disc: Disc) =>
        new Set(found.flatMap((one) => one.disc === disc ? [] : one.disc.pixels));
      return meanOver(
        found.map(({ disc, centre, trueCentre, background }) => {
          const avoided = others(disc);
          if (widthOfEdge(pair.truth, disc, trueCentre, 0, avoided) === undefined) return undefined;
          const width = centre && widthOfEdge(pair.reconstruction, disc, centre, background, avoided);
          return width ?? worst(disc);
        }),
        "no disc of the truth has an edge that can be measured",
      );
    }),
};

/**
 * How far each disc's centroid is from the true one, in pixels. A centroid is that of what exceeds half of the largest
 * value within {@linkcode reach} pixels of the true disc (and nearer to it than to others): a smear to all sides does not
 * move it. A disc that is lost, below a tenth of its true value, is {@linkcode reach} pixels outside its true edge.
 */
export const centroidError: Metric = {
  id: "centroid-error",
  convention: "discs",
  unit: "px",
  better: "lower",
  about:
    `distance of each disc’s centroid from the true one, of what exceeds half of the largest value up to ${reach} px around the true disc; mean over the discs of an image; one that is lost, below a tenth of its true value, counts with its radius + ${reach} px`,
  score: (subject) =>
    scoreImages(subject, (pair) =>
      meanOver(
        followed(pair).map(({ disc, centre, trueCentre }) =>
          centre ? Math.hypot(centre[0] - trueCentre[0], centre[1] - trueCentre[1]) : worst(disc)
        ),
      )),
};

/** The discs of the truth, and where the reconstruction has them. */
function followed(pair: Pair) {
  const discs = discsOf(pair.truth);
  const neighbourhoods = neighbourhoodsOf(discs, pair.truth);
  const background = backgroundOf(pair);
  return discs.map((disc, i) => {
    const trueLevel = Math.max(...disc.pixels.map((at) => pair.truth.data[at]));
    return {
      disc,
      background,
      centre: centroidOf(pair.reconstruction, neighbourhoods[i], background, lost * trueLevel),
      trueCentre: centroidOf(pair.truth, neighbourhoods[i], 0, 0)!,
    };
  });
}

const rays = 64;
/** Pixels between two looks along a ray. */
const stride = 0.1;

/** Undefined where fewer than a quarter of the rays meet a whole edge before another disc or the picture's border. */
function widthOfEdge(
  image: Image,
  { radius }: Disc,
  [row, column]: readonly [number, number],
  background: number,
  others: ReadonlySet<number>,
): number | undefined {
  const width = image.shape[1];
  const profiles = Array.from({ length: rays }, (_, ray) => {
    const [down, right] = [Math.sin(2 * Math.PI * ray / rays), Math.cos(2 * Math.PI * ray / rays)];
    const profile: number[] = [];
    for (let distance = 0; distance <= radius + reach; distance += stride) {
      const [r, c] = [row + distance * down, column + distance * right];
      if (others.has(Math.round(r) * width + Math.round(c))) break;
      const value = between(image, r, c);
      if (value === undefined) break;
      profile.push(value - background);
    }
    return profile;
  });
  const level = median(profiles.flatMap((profile) => profile.slice(0, Math.ceil(radius / 2 / stride))));
  if (level === undefined || !(level > 0)) return undefined;
  const widths = profiles.flatMap((profile) => fallOf(profile.map((value) => value / level)) ?? []);
  return widths.length < rays / 4 ? undefined : median(widths);
}

/** Pixels between the last 80 % before, and the first 20 % after, the place where a profile first falls below one half. */
function fallOf(profile: readonly number[]): number | undefined {
  const half = profile.findIndex((value) => value < 0.5);
  const high = profile.slice(0, Math.max(0, half)).findLastIndex((value) => value >= 0.8);
  const low = profile.findIndex((value, i) => i >= half && value <= 0.2);
  if (half < 0 || high < 0 || low < 0) return undefined;
  // Between two looks the profile is a line.
  const from = high + (profile[high] - 0.8) / (profile[high] - profile[high + 1]);
  const to = low - (0.2 - profile[low]) / (profile[low - 1] - profile[low]);
  return (to - from) * stride;
}

/** The value between pixels by bilinear interpolation; undefined outside the picture. */
function between({ shape: [height, width], data }: Image, row: number, column: number): number | undefined {
  if (!(row >= 0 && row <= height - 1 && column >= 0 && column <= width - 1)) return undefined;
  const [r, c] = [Math.min(Math.floor(row), height - 2), Math.min(Math.floor(column), width - 2)];
  const [down, right] = [row - r, column - c];
  const at = r * width + c;
  return (1 - down) * ((1 - right) * data[at] + right * data[at + 1]) +
    down * ((1 - right) * data[at + width] + right * data[at + width + 1]);
}

/** The mean of the values that there are. */
function meanOver(
  values: readonly (number | undefined)[],
  otherwise = "the truth shows no disc",
): Outcome {
  if (values.length === 0) return { reason: "the truth shows no disc" };
  const there = values.filter((value) => value !== undefined);
  return there.length > 0
    ? there.reduce((sum, value) => sum + value, 0) / there.length
    : { reason: otherwise };
}
