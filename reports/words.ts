/** Small help with English: counts, sentences, capitals. */

/** `1 sample`, `2 samples`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** The text with a full stop, unless it ends as a sentence already. */
export function sentence(text: string): string {
  const whole = text.trimEnd();
  return /[.!?…]$/.test(whole) || whole === "" ? whole : `${whole}.`;
}

/** The text with a capital, unless its first word is a name that is written otherwise, e.g. `ot-cyclegan` or `a.h5`. */
export function capital(text: string): string {
  // "k-space" opens many banners, and is a word for all its hyphen.
  return /^([a-z]+|k-space)(?=[\s,;:]|$)/.test(text) ? text[0].toUpperCase() + text.slice(1) : text;
}

/** Ascending whole numbers, those that follow each other as a range: `1 to 12, 15, 16`. */
export function ranges(numbers: readonly number[]): string {
  const runs: number[][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last?.at(-1) === number - 1) last.push(number);
    else runs.push([number]);
  }
  // Up to three are read faster one by one.
  return runs.map((run) => run.length > 3 ? `${run[0]} to ${run.at(-1)}` : run.join(", ")).join(", ");
}
