/** The pictures of a page: reconstructions with their errors, zoomed together, and what methods learned besides. */

import type { Run } from "../../results/run.ts";
import type { Summary } from "../../results/summary.ts";
import { colouredPng, greyScale, rampPng, type Scale } from "../colour.ts";
import { shortNumber } from "../format.ts";
import { framesOf, type Tile, tilesOf } from "../panels.ts";
import { type Panel, panelsOf, placedPictures, projection, rangeOf, readPicture } from "../pictures.ts";
import type { Table } from "../results_json.ts";
import { type Html, markup } from "./html.ts";
import { choice } from "./plots.ts";

// What a page of many samples or of a hundred rows can hold; the files in panels/ have the rest.
const mostPanels = 6;
const mostLearned = 24;

/** Reconstructions of each sample that has any, and the learned pictures. */
export async function picturesSection({ run, summary }: Table, id: string): Promise<Html | undefined> {
  const panels = panelsOf(run, summary);
  const learned = await learnedPictures(run, summary);
  if (panels.length === 0 && learned.length === 0) return undefined;
  const galleries: { label: string; body: Html }[] = [];
  for (const panel of panels.slice(0, mostPanels)) {
    galleries.push({ label: `${panel.subject}, ${panel.sample}`, body: await gallery(panel) });
  }
  return markup`${
    galleries.length === 0
      ? undefined
      : markup`<h3>Reconstructions</h3>${choice("sample", `${id}-sample`, galleries)}`
  }
${
    learned.length === 0 ? undefined : markup`
      <h3>Learned besides</h3>
      <div class="gallery still">
        <div class="tiles">${learned}</div>
      </div>
    `
  }`;
}

async function gallery(panel: Panel): Promise<Html> {
  const { tiles, grey, heat, hasTruth, size } = tilesOf(panel, await framesOf(panel));
  return markup`
    <div class="gallery" tabindex="0" role="group" style="--ratio: ${size.width} / ${size.height}"
      aria-label="Pictures of one sample; plus and minus zoom all of them, arrows move, zero resets">
      <div class="bars">${bar("image", grey)}${hasTruth ? bar("|error|", heat) : undefined}</div>
      <div class="tiles">${tiles.map((tile) => figure(tile, hasTruth))}</div>
      <p
        class="caption">${
    hasTruth
      ? "One grey scale for all pictures, and one colour scale for all error maps, |picture − truth|"
      : "One grey scale"
  }; greater values have its last colour. Of each row the first seed. Drag to move; double-click, Ctrl and wheel, or + and − zoom.</p>
    </div>
  `;
}

function figure({ label, detail, values, image, error }: Tile, hasTruth: boolean): Html {
  const picture = (source: string, alt: string) =>
    markup`<div class="view"><img src="${source}" alt="${alt}" draggable="false"></div>`;
  return markup`<figure><figcaption><b>${label}</b> <small>${detail}</small></figcaption>${
    image === undefined
      ? markup`<div class="view none"><span>${String(values)}</span></div>`
      : picture(image, `${label} ${detail}`)
  }${
    error !== undefined
      ? picture(error, `error of ${label}`)
      : hasTruth
      ? markup`<div class="view blank"></div>`
      : undefined
  }</figure>`;
}

function bar(name: string, scale: Scale): Html {
  return markup`<span class="bar">${name} ${shortNumber(scale.from)} <img src="${rampPng(scale)}" alt=""> ${
    shortNumber(scale.to)
  }</span>`;
}

/** What methods learned besides, e.g. a kernel: of each row the first seed that left any, each on its own scale. */
async function learnedPictures(run: Run, { rows }: Summary): Promise<Html[]> {
  const figures: Html[] = [];
  for (const { head, records } of rows) {
    const record = records.find(({ pictures }) => pictures.some(({ name }) => name === "learned"));
    if (record === undefined) continue;
    const own = placedPictures(run, record).filter(({ name }) => name === "learned");
    for (const picture of own.slice(0, Math.max(0, mostLearned - figures.length))) {
      const values = await readPicture(picture.folder, picture);
      const seed = record.seed === null ? "" : `, seed ${record.seed}`;
      const label = `${head.name}: ${picture.sample}`;
      if (typeof values === "string") {
        figures.push(figure({ label, detail: seed.slice(2), values: `no picture: ${values}` }, false));
        continue;
      }
      const { low, high } = picture.window ?? {};
      const [least, greatest] = rangeOf(values);
      const scale = greyScale(low ?? least, high ?? greatest);
      const shown = projection(picture);
      const range = `${shortNumber(scale.from)} to ${shortNumber(scale.to)}`;
      const detail = `${range}${shown && `, ${shown}`}${seed}`;
      figures.push(figure({ label, detail, values, image: colouredPng(values, scale) }, false));
    }
  }
  return figures;
}
