/**
 * The page in a browser: headless Chromium, where one is installed (Debian's package chromium, or CHROMIUM=PATH).
 * Elsewhere these tests are skipped, and the runner says so.
 */

import assert from "node:assert/strict";
import { type Browser, chromium, type Page } from "playwright-core";
import { reportPage } from "../reports/page/page.ts";
import { summarise } from "../results/summary.ts";
import type { Run } from "../results/run.ts";
import { inFolder } from "./commands_running.ts";
import { fullRun, hostileRun, record, row, run, score, withPictures } from "./reports_made_run.ts";

const executablePath = [Deno.env.get("CHROMIUM") ?? "", "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => {
    try {
      return path !== "" && Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  },
);

// Run in the page, where other names are known than here.
const transforms = `[...document.querySelector(".gallery").querySelectorAll(".view img")]
  .map((image) => getComputedStyle(image).transform)`;
const looks = `(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map((value) => {
      const share = Number(value) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  const texts = document.querySelectorAll("p, th, td, small, .caption, dt, dd, li, h1, h3, label, text");
  const contrasts = [...texts].map((one) => {
    const ink = light(getComputedStyle(one).color);
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  });
  return { over: document.documentElement.scrollWidth - innerWidth, paper, least: Math.min(...contrasts) };
})()`;

type Look = NonNullable<Parameters<Browser["newPage"]>[0]>;

/** Opens the page of a run, and fails on whatever the browser complains of or asks the network for. */
async function opened(made: Run, look: Look, test: (page: Page) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".html" });
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    await Deno.writeTextFile(path, await reportPage([{ run: made, summary: summarise(made) }]));
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...look });
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("dialog", async (dialog) => {
      complaints.push(`a dialog: ${dialog.message()}`);
      await dialog.dismiss();
    });
    page.on("request", (request) => {
      if (!/^(file|data):/.test(request.url())) complaints.push(`a request: ${request.url()}`);
    });
    await page.goto(`file://${path}`);
    await test(page);
    assert.deepEqual(complaints, []);
  } finally {
    await browser.close();
    await Deno.remove(path);
  }
}

function browserTest(name: string, fn: () => Promise<void>): void {
  // The browser's process and pipes outlast a test by a moment.
  const lasting = { sanitizeOps: false, sanitizeResources: false };
  Deno.test({ name, ignore: executablePath === undefined, ...lasting, fn });
}

browserTest(
  "in a browser, a click or the Enter key on a heading sorts its table, and again turns it",
  async () => {
    const made = fullRun();
    const psnr = summarise(made).rows.map(({ head, cells }) => ({ name: head.name, mean: cells[0].mean! }));
    await opened(made, {}, async (page) => {
      const table = page.locator("table.sortable").first();
      const names = () => table.locator("tbody th").allTextContents();
      const ascending = psnr.toSorted((a, b) => a.mean - b.mean).map(({ name }) => name);
      await table.locator("thead button").nth(1).click();
      assert.deepEqual(await names(), ascending);
      assert.equal(await table.locator("thead th").nth(1).getAttribute("aria-sort"), "ascending");
      await table.locator("thead button").nth(1).focus();
      await page.keyboard.press("Enter");
      assert.deepEqual(await names(), ascending.toReversed());
      await table.locator("thead button").nth(0).click();
      assert.deepEqual(await names(), ascending.toSorted());
      assert.equal(await table.locator("[aria-sort]").count(), 1);
    });
  },
);

browserTest(
  "in a browser, all pictures of a sample are zoomed and moved together, by keys and by the pointer",
  async () => {
    await inFolder(async (folder) => {
      await opened(await withPictures(fullRun(), folder, 16), {}, async (page) => {
        const gallery = page.locator(".gallery").first();
        const shown = async () => {
          const all = await page.evaluate<string[]>(transforms);
          assert.ok(all.length > 10);
          const [first, ...others] = all.map((transform) =>
            transform.match(/-?[\d.]+(e-?\d+)?/g)!.map(Number)
          );
          // Frames differ by a fraction of a pixel, of which the shift is a share.
          for (const other of others) {
            first.forEach((value, at) => assert.ok(Math.abs(value - other[at]) < 0.1));
          }
          return first;
        };
        assert.deepEqual(await shown(), [1, 0, 0, 1, 0, 0]);
        await gallery.focus();
        await page.keyboard.press("+");
        await page.keyboard.press("+");
        const [zoom, , , , x] = await shown();
        assert.ok(Math.abs(zoom - 2.25) < 1e-6 && x < 0);
        await page.keyboard.press("ArrowRight");
        assert.ok((await shown())[4] < x);
        const box = (await gallery.locator(".view img").first().locator("..").boundingBox())!;
        await page.mouse.move(box.x + 20, box.y + 20);
        await page.mouse.down();
        await page.mouse.move(box.x + 60, box.y + 40);
        const [, , , , before] = await shown();
        await page.mouse.move(box.x + 80, box.y + 40);
        assert.ok((await shown())[4] > before);
        await page.mouse.up();
        for (let i = 0; i < 20; i++) await page.keyboard.press("ArrowRight");
        const [most, , , , far] = await shown();
        assert.ok(Math.abs(far - box.width * (1 - most)) < 1, "no picture leaves its frame");
        await gallery.focus();
        await page.keyboard.press("0");
        assert.deepEqual(await shown(), [1, 0, 0, 1, 0, 0]);
      });
    });
  },
);

browserTest("in a browser, one sample and one metric are shown at a time", async () => {
  await inFolder(async (folder) => {
    await opened(await withPictures(fullRun(), folder, 8), {}, async (page) => {
      const visible = async () =>
        await page.locator(".chosen:visible").evaluateAll((all) =>
          all.map((one) => one.getAttribute("data-label"))
        );
      assert.deepEqual(await visible(), ["PSNR fastmri ↑ (dB)", "s6, a"]);
      const [metric, sample] = await page.locator("select").all();
      await metric.selectOption({ label: "SSIM ↑" });
      await sample.selectOption({ label: "s7, a" });
      assert.deepEqual(await visible(), ["SSIM ↑", "s7, a"]);
    });
  });
});

browserTest(
  "in a browser, a page of 10 000 records opens, and shows fifty jobs at a time, sorted and filtered",
  async () => {
    const seeds = Array.from({ length: 2500 }, (_, i) => i + 1);
    const names = ["a", "b", "c", "d"];
    const records = names.flatMap((name, place) =>
      seeds.map((seed) =>
        record(name, seed, ["s6", "s7"].map((subject) => score(0, subject, "", 20 + place + Math.sin(seed))))
      )
    );
    await opened(run(names.map((name) => row(name, true)), records, { seeds }), {}, async (page) => {
      const jobs = page.locator(".jobs");
      const told = jobs.locator("[role=status]");
      assert.equal(await told.textContent(), "1 to 50 of 10000 jobs");
      assert.equal(await jobs.locator("tbody tr").count(), 50);
      await jobs.getByRole("button", { name: "on" }).click();
      assert.equal(await told.textContent(), "51 to 100 of 10000 jobs");
      await jobs.locator("thead button").nth(3).click();
      const best = 20 + Math.min(...seeds.map((seed) => Math.sin(seed)));
      assert.equal(await jobs.locator("tbody td").nth(2).textContent(), String(Number(best.toPrecision(5))));
      await jobs.locator("input").fill("c 17");
      assert.match((await told.textContent())!, /^1 to 50 of \d+ jobs$/);
      await jobs.locator("input").fill("no such");
      assert.equal(await told.textContent(), "no such job");
    });
  },
);

browserTest("in a browser, hostile names run nothing and stay text", async () => {
  await opened(hostileRun(), {}, async (page) => {
    assert.match((await page.locator("h1").textContent())!, /<script>alert\(1\)<\/script>/);
    assert.equal(await page.locator("script").count(), 2);
    assert.match((await page.locator(".jobs tbody th").first().textContent())!, /<img src=x/);
  });
});

for (
  const [name, look] of Object.entries<Look>({
    "on a telephone": { viewport: { width: 360, height: 740 } },
    "in dark mode": { colorScheme: "dark" },
    "on paper": { viewport: { width: 640, height: 900 } },
    "without JavaScript": { javaScriptEnabled: false },
  })
) {
  browserTest(`in a browser, ${name}, the page fits and everything can be read`, async () => {
    await inFolder(async (folder) => {
      await opened(await withPictures(fullRun(), folder, 8), look, async (page) => {
        if (name === "on paper") {
          await page.emulateMedia({ media: "print" });
          assert.equal(await page.locator(".jobs:visible").count(), 0);
        }
        assert.ok(await page.locator(".view:visible").count() >= 16);
        if (look.javaScriptEnabled === false) {
          assert.equal(await page.locator(".chosen:visible").count(), await page.locator(".chosen").count());
          return;
        }
        const { over, paper, least } = await page.evaluate<{ over: number; paper: number; least: number }>(
          looks,
        );
        assert.ok(over <= 0, `${over} px too wide`);
        assert.equal(paper < 0.1, look.colorScheme === "dark");
        assert.ok(least >= 4.5, `contrast ${least}, WCAG AA asks for 4.5`);
      });
    });
  });
}
