/**
 * Tables of localisations as text: columns with a name and the unit that stands in the header.
 *
 * ThunderSTORM's CSV (M. Ovesný et al., Bioinformatics 30, 2014) quotes `"x [nm]"`, plain CSV says `x_nm`; rapidSTORM's
 * text (S. Wolter et al., Nature Methods 9, 2012) has a first line of XML with a field for each column.
 */

import Papa from "papaparse";

/** A column of numbers. */
export interface Column {
  readonly name: string;
  /** As the header writes it; absent where it says none. */
  readonly unit?: string;
  readonly values: Float64Array;
}

/** A table, and who wrote it. */
export interface LocalisationText {
  readonly by: "ThunderSTORM" | "plain CSV" | "rapidSTORM";
  readonly columns: readonly Column[];
}

/**
 * Reads a table.
 *
 * @throws {Error} in words, with the line, where it has no header, or a row is no row of numbers.
 */
export function parseLocalisations(text: string): LocalisationText {
  return /^\uFEFF?#\s*<localizations\b/.test(text) ? rapidStorm(text) : separated(text);
}

function separated(text: string): LocalisationText {
  // Papa Parse has no types of its own.
  const { data, errors } = Papa.parse(text.replace(/^\uFEFF/, ""), { skipEmptyLines: "greedy" }) as {
    data: string[][];
    errors: { code: string; message: string; row?: number }[];
  };
  const serious = errors.find(({ code }) => code !== "UndetectableDelimiter");
  if (serious !== undefined) throw new Error(`line ${(serious.row ?? 0) + 1}: ${serious.message}`);
  const [header = [], ...rows] = data;
  if (!/[a-df-z]/i.test(header.join())) {
    throw new Error("its first line has no names of columns");
  }
  const isThunderStorm = header.some((name) => /\[[^\]]*\]\s*$/.test(name));
  return {
    by: isThunderStorm ? "ThunderSTORM" : "plain CSV",
    columns: columnsOf(header.map(nameAndUnit), rows, 2),
  };
}

/** `x [nm]`, `x (nm)` and `x_nm` are a name and a unit; what else has an underscore is a name. */
function nameAndUnit(text: string): { name: string; unit?: string } {
  const [, name, unit] = /^\s*(.*?)\s*[[(]([^\])]*)[\])]\s*$/.exec(text) ?? [];
  if (name !== undefined) return { name: name.toLowerCase(), unit };
  const [, before, after] = /^\s*([xyz])_(nm|um|µm|px)\s*$/i.exec(text) ?? [];
  return before === undefined
    ? { name: text.trim().toLowerCase() }
    : { name: before.toLowerCase(), unit: after };
}

function rapidStorm(text: string): LocalisationText {
  const end = text.indexOf("\n");
  const [header, body] = [text.slice(0, end), text.slice(end + 1)];
  const fields = [...header.matchAll(/<field\b([^>]*)\/?>/g)].map(([, attributes]) => {
    const value = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1];
    const identifier = value("identifier") ?? "";
    return { name: rapidStormNames[identifier] ?? identifier, unit: value("unit") };
  });
  if (fields.length === 0) throw new Error("its first line names no fields");
  const rows = body.split("\n").map((line) => line.trim()).filter((line) =>
    line !== "" && !line.startsWith("#")
  );
  return { by: "rapidSTORM", columns: columnsOf(fields, rows.map((line) => line.split(/\s+/)), 2) };
}

const rapidStormNames: Readonly<Record<string, string>> = {
  "Position-0-0": "x",
  "Position-1-0": "y",
  "Position-2-0": "z",
  "ImageNumber-0-0": "frame",
};

function columnsOf(
  heads: readonly { name: string; unit?: string }[],
  rows: readonly (readonly string[])[],
  firstLine: number,
): Column[] {
  const columns = heads.map((head) => ({ ...head, values: new Float64Array(rows.length) }));
  rows.forEach((row, at) => {
    if (row.length !== heads.length) {
      throw new Error(
        `line ${at + firstLine} has ${row.length} values, and there are ${heads.length} columns`,
      );
    }
    row.forEach((text, column) => {
      const value = text.trim() === "" ? NaN : Number(text);
      // Columns that nobody asks for may hold words.
      columns[column].values[at] = value;
    });
  });
  return columns;
}
