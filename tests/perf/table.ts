/** Tables of what was measured. */

/** Milliseconds with as many digits as mean something. */
export const ms = (milliseconds: number): string =>
  milliseconds.toFixed(milliseconds < 1 ? 3 : milliseconds < 20 ? 1 : 0);

/** How many times. */
export const times = (ratio: number): string => `${ratio.toFixed(2)}x`;

/** Markdown that is printed line by line. */
export class Table {
  readonly #lines: string[] = [];

  constructor(...head: string[]) {
    head.forEach((line) => this.add(line));
  }

  add(line: string): void {
    console.log(line);
    this.#lines.push(line);
  }

  get text(): string {
    return this.#lines.join("\n");
  }
}
