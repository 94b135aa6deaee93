import { match, strictEqual } from "node:assert/strict";

Deno.test("the README's example adds its row to the MRI table", async () => {
  const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
  const [, example] = /```ts\n([\s\S]*?)```/.exec(readme)!;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/mine.ts`, example);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "bench", "mri", "--profile", "smoke", "--use", `${folder}/mine.ts`, "--methods"]
        .concat("squared-error,zero-filled", "--out", `${folder}/run`),
      cwd: new URL("..", import.meta.url),
    }).output();
    const text = new TextDecoder().decode(stdout);
    strictEqual(code, 0, text + new TextDecoder().decode(stderr));
    match(await Deno.readTextFile(`${folder}/run/table.csv`), /\nmri,smoke,squared-error,psnr,fastmri,dB,\d/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the README pins the Deno that CI runs", async () => {
  const versions = async (path: string) =>
    new Set((await Deno.readTextFile(new URL(path, import.meta.url))).match(/deno@\d+\.\d+\.\d+/g));
  strictEqual([...await versions("../README.md")].join(), [...await versions("../.ci/run")].join());
});
