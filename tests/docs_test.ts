import { ok } from "node:assert/strict";

Deno.test("no table that the pages promise is missing without a word, and every link between them leads somewhere", async () => {
  const root = new URL("../", import.meta.url);
  for (const page of await pagesIn(root, ["", "docs/", "docs/results/"])) {
    const url = new URL(page, root);
    const text = await Deno.readTextFile(url);
    for (const [, name, content] of text.matchAll(/<!-- ([a-z-]+) -->([\s\S]*?)<!-- \/\1 -->/g)) {
      const isThere = content.includes("|") || content.includes("Not measured");
      ok(isThere, `${page}: the table "${name}" is empty, and nothing says why`);
    }
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)\)/g)) {
      const there = await Deno.stat(new URL(target, url)).then(() => true, () => false);
      ok(there, `${page} links ${target}, which is not there`);
    }
  }
});

async function pagesIn(root: URL, folders: readonly string[]): Promise<string[]> {
  const pages: string[] = [];
  for (const folder of folders) {
    for await (const { name } of Deno.readDir(new URL(folder, root))) {
      if (name.endsWith(".md")) pages.push(folder + name);
    }
  }
  ok(pages.length > 10);
  return pages;
}
