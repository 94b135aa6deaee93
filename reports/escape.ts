/**
 * Names and texts from files, made safe for what they are printed in.
 *
 * Every report shows text that somebody else wrote: subjects, file names, a user's methods. Control characters and
 * marks that reorder text are shown as escapes everywhere, so that one row stays one line and a terminal is never steered.
 */

// Controls, line and paragraph separators, and the marks that turn the direction of writing.
const unprintable =
  /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|\p{Cs}/gu;

/** The text on one line, with what cannot be seen written as `\u{…}`. */
export function visible(text: string): string {
  return text.replace(/[\t\r\n]+/g, " ").replace(
    unprintable,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/**
 * One field of a CSV file (RFC 4180). A text that a spreadsheet would take for a formula gets an apostrophe in front,
 * as OWASP recommends; plain numbers stay numbers.
 */
export function csvField(value: string | number): string {
  if (typeof value === "number") return String(value);
  // Nearly every field of a long file is one plain word.
  if (/^\w[\w.:/-]*$/.test(value)) return value;
  const text = visible(value);
  const number = /^[+-]?(\d+(\.\d+)?|Inf)$/.test(text);
  const safe = /^\s*[=+\-@＝＋－＠]/.test(text) && !number ? `'${text}` : text;
  return /[",]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Text within a line or a table cell of Markdown. */
export function markdownText(text: string): string {
  return visible(text).replace(/[\\`*_[\]<>|~&]/g, "\\$&").replace(
    /^(\s*)([#+\-]|\d+[.)])(?=\s|$)/,
    "$1\\$2",
  );
}

/** Text within XML or SVG, also inside quotes. */
export function xmlText(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return visible(text).replace(/[&<>"']/g, (character) => entities[character]);
}

/**
 * Text within LaTeX, for pdfLaTeX with no package for fonts or input: what it cannot set is put as mathematics, as an
 * accent over a letter, or, where nothing fits, as the number of the character.
 */
export function latexText(text: string): string {
  let out = "";
  for (const whole of visible(text).normalize("NFC")) {
    for (const character of whole in latexCharacters ? [whole] : whole.normalize("NFD")) {
      const accent = latexAccents[character];
      if (accent !== undefined && /[A-Za-z]$/.test(out)) {
        const letter = out.at(-1)!;
        // An accent over i or j stands on the letter without its dot.
        const base = letter === "i" || letter === "j" ? `\\${letter}` : letter;
        out = `${out.slice(0, -1)}{\\${accent}{${base}}}`;
      } else {
        out += latexCharacters[character] ??
          (/[\x20-\x7e]/.test(character) ? character : `{[}U+${hex(character)}{]}`);
      }
    }
  }
  return out;
}

function hex(character: string): string {
  return character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
}

const latexAccents: Record<string, string> = {
  "\u0300": "`",
  "\u0301": "'",
  "\u0302": "^",
  "\u0303": "~",
  "\u0304": "=",
  "\u0306": "u",
  "\u0307": ".",
  "\u0308": '"',
  "\u030a": "r",
  "\u030b": "H",
  "\u030c": "v",
  "\u0327": "c",
};

const latexCharacters: Record<string, string> = {
  "\\": "\\textbackslash{}",
  "{": "\\{",
  "}": "\\}",
  "$": "\\$",
  "&": "\\&",
  "#": "\\#",
  "%": "\\%",
  "_": "\\_",
  "^": "\\textasciicircum{}",
  "~": "\\textasciitilde{}",
  "<": "$<$",
  ">": "$>$",
  "|": "$|$",
  '"': "''",
  // Bare, these three would belong to a line break before them.
  "[": "{[}",
  "]": "{]}",
  "*": "{*}",
  "–": "--",
  "—": "---",
  "‘": "`",
  "’": "'",
  "“": "``",
  "”": "''",
  "…": "\\ldots{}",
  "ß": "\\ss{}",
  "æ": "\\ae{}",
  "Æ": "\\AE{}",
  "ø": "\\o{}",
  "Ø": "\\O{}",
  "ł": "\\l{}",
  "ı": "\\i{}",
  "\u00a0": "~",
  "\u202f": "\\,",
  "§": "\\S{}",
  "©": "\\copyright{}",
  ...Object.fromEntries(
    Object.entries({
      "±": "\\pm",
      "×": "\\times",
      "·": "\\cdot",
      "−": "-",
      "½": "\\frac{1}{2}",
      "¼": "\\frac{1}{4}",
      "°": "^{\\circ}",
      "²": "^2",
      "³": "^3",
      "¹": "^1",
      "⁰": "^0",
      "⁻": "^{-}",
      "₀": "_0",
      "₁": "_1",
      "₂": "_2",
      "∞": "\\infty",
      "≤": "\\le",
      "≥": "\\ge",
      "≠": "\\ne",
      "≈": "\\approx",
      "→": "\\rightarrow",
      "←": "\\leftarrow",
      "↑": "\\uparrow",
      "↓": "\\downarrow",
      "√": "\\surd",
      "Σ": "\\Sigma",
      "∑": "\\sum",
      "‖": "\\|",
      "ℓ": "\\ell",
      "∇": "\\nabla",
      "∈": "\\in",
      "ᴴ": "^{H}",
      "α": "\\alpha",
      "β": "\\beta",
      "γ": "\\gamma",
      "δ": "\\delta",
      "ε": "\\varepsilon",
      "η": "\\eta",
      "θ": "\\theta",
      "κ": "\\kappa",
      "λ": "\\lambda",
      "μ": "\\mu",
      "µ": "\\mu",
      "ν": "\\nu",
      "π": "\\pi",
      "ρ": "\\rho",
      "σ": "\\sigma",
      "τ": "\\tau",
      "φ": "\\varphi",
      "χ": "\\chi",
      "ψ": "\\psi",
      "ω": "\\omega",
      "Δ": "\\Delta",
      "Θ": "\\Theta",
      "Λ": "\\Lambda",
      "Φ": "\\Phi",
      "Ψ": "\\Psi",
      "Ω": "\\Omega",
    }).map(([character, command]) => [character, `$${command}$`]),
  ),
};
