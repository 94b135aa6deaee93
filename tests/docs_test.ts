import { ok } from "node:assert/strict";

Deno.test("no table that the pages promise is empty, and every link between them leads somewhere", async () => {
  for (
    const page of [
      "README.md",
      "CONTRIBUTING.md",
      "docs/architecture.md",
      "docs/mri.md",
      "docs/ct.md",
      "docs/misaligned-ct.md",
      "docs/performance.md",
      "docs/statistics.md",
      "docs/check.md",
      "docs/trust.md",
      "docs/dependencies.md",
    ]
  ) {
    const url = new URL(`../${page}`, import.meta.url);
    const text = await Deno.readTextFile(url);
    for (const [, name, content] of text.matchAll(/<!-- ([a-z-]+) -->([\s\S]*?)<!-- \/\1 -->/g)) {
      ok(content.includes("|"), `${page}: the table "${name}" is empty`);
    }
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)\)/g)) {
      const there = await Deno.stat(new URL(target, url)).then(() => true, () => false);
      ok(there, `${page} links ${target}, which is not there`);
    }
  }
});
