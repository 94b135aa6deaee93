/** SVG and PDF with their font within them, the same bytes each time. */

import { Buffer } from "node:buffer";
// Named here so that the font is fetched with the modules and is there without a network.
import "dejavu-fonts-ttf/package.json" with { type: "json" };
import PDFDocument from "pdfkit";
import subsetFont from "subset-font";
import SVGtoPDF from "svg-to-pdfkit";
import { xmlText } from "./escape.ts";
import type { Figure } from "./figures.ts";

/** The font of figures. */
export const fontFamily = "DejaVu Sans";

let font: Promise<Buffer> | undefined;

function loadFont(): Promise<Buffer> {
  font ??= Deno.readFile(new URL(import.meta.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf"))).then(
    Buffer.from,
  );
  return font;
}

/** The figure as an SVG file of its width, with those characters of the font that it uses. */
export async function svgFile({ width, svg }: Figure): Promise<string> {
  const [, points, height] = sizeOf(svg);
  const used = [...svg.matchAll(/>([^<]+)</g)].map(([, text]) => text).join("");
  const subset = await subsetFont(await loadFont(), used.replaceAll(/&[^;]+;/g, "&<>\"'"), {
    targetFormat: "woff2",
  });
  const face = `<style>@font-face{font-family:"${xmlText(fontFamily)}";src:url(data:font/woff2;base64,${
    Buffer.from(subset).toString("base64")
  }) format("woff2")}</style>`;
  const opening = /<svg[^>]*>/.exec(svg)![0];
  const sized = opening
    .replace(/ width="[^"]*"/, ` width="${width}mm"`)
    .replace(/ height="[^"]*"/, ` height="${(width * Number(height) / Number(points)).toFixed(2)}mm"`);
  return svg.replace(opening, () => sized + face) + "\n";
}

/** The figure as a PDF of one page of its size. */
export async function pdfFile({ name, svg }: Figure): Promise<Uint8Array> {
  const [, width, height] = sizeOf(svg).map(Number);
  const bytes = await loadFont();
  // The date is of no record, and would make two files of one figure differ.
  const info = { Title: name, CreationDate: new Date(0), ModDate: new Date(0) };
  const document = new PDFDocument({
    size: [width, height],
    margin: 0,
    font: bytes as unknown as string,
    info,
  });
  document.registerFont(fontFamily, bytes);
  const chunks: Uint8Array[] = [];
  document.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  const ended = new Promise((resolve) => document.on("end", resolve));
  SVGtoPDF(document, svg, 0, 0, { width, height, assumePt: true, fontCallback: () => fontFamily });
  document.end();
  await ended;
  return Buffer.concat(chunks);
}

function sizeOf(svg: string): string[] {
  return /<svg[^>]*? width="([\d.]+)" height="([\d.]+)"/.exec(svg)!;
}
