import { equal, match } from "node:assert/strict";
import { withoutCosts } from "../reports/markdown.ts";
import { bench, ended, inFolder, pathOf, started } from "./commands_running.ts";

const toy = ["toy", "--profile", "smoke", "--use", pathOf("toy_extension.ts")];

Deno.test("folders that two machines left of one run become its table, whatever both did; another run's is refused", () =>
  inFolder(async (folder) => {
    const run = async (name: string, ...more: string[]) => {
      const { code, err } = await bench(...toy, ...more, "--out", `${folder}/${name}`);
      equal(code, 0, err);
      return `${folder}/${name}`;
    };
    const whole = await run("whole", "--seeds", "3");
    const here = await run("here", "--seeds", "1-2");
    const there = await run("there", "--seeds", "2-3");
    // A machine keeps what it has to itself: pictures are found where they are.
    const merged = await ended(started("report", here, there, "--out", `${folder}/merged`));
    equal(merged.code, 0, merged.err);
    for (const name of ["table.md", "table.csv", "scores.csv", "statistics.csv"]) {
      const [one, other] = await Promise.all(
        [whole, `${folder}/merged`].map((path) => Deno.readTextFile(`${path}/${name}`)),
      );
      equal(withoutCosts(other), withoutCosts(one), name);
    }

    const other = await run("other", "--seeds", "3", "--set", "strength=3");
    const refused = await ended(started("report", here, other, "--out", `${folder}/refused`));
    equal(refused.code, 2);
    match(refused.err, /not comparable: settings\.strength: 2 there, 3 here/);
  }));
