/** Reads pages of a TIFF stack here and there, and prints how many it has and the most memory that took, in bytes. */

import { TiffStack } from "../datasets/formats/tiff.ts";
import { peakMemory } from "./peak_memory.ts";

if (import.meta.main) {
  using stack = await TiffStack.open(Deno.args[0]);
  const { pages } = stack.header;
  const before = peakMemory();
  const lengths = new Set<number>();
  for (let page = 0; page < pages; page += 97) lengths.add((await stack.page(page)).length);
  const growth = peakMemory() - before;
  console.log(JSON.stringify({ pages, lengths: [...lengths], growth }));
}
