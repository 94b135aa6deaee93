/** HTML in which nothing that comes from a file is taken for markup. */

import { xmlText } from "../escape.ts";

/** Markup that may be put into a page as it is. */
export class Html {
  /** `text` is taken as markup: it must not hold what somebody else wrote. */
  constructor(readonly text: string) {}
}

/** What a template may hold: text and numbers are escaped, markup is not. */
export type Part = string | number | Html | undefined | readonly Part[];

/** A template that escapes whatever is no markup already. */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(
    strings.map((text, index) => text + (index < parts.length ? inMarkup(parts[index]) : "")).join(""),
  );
}

function inMarkup(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "string") return xmlText(part);
  return typeof part === "number" ? String(part) : part.map(inMarkup).join("");
}

/** A value as JSON within a page's `<script type="application/json">`. */
export function embedded(value: unknown): Html {
  return new Html(JSON.stringify(value).replaceAll("<", "\\u003c"));
}
