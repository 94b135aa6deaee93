import { equal, match } from "node:assert/strict";
import { pathOf } from "./commands_running.ts";
import { starts } from "./engine_op_cases.ts";
import { gpu } from "./perf/backends.ts";

Deno.test("deno task perf gpu times the step, or says that there is no GPU and runs nothing", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "-A", "--unstable-webgpu", pathOf("perf/main.ts"), "gpu", "--rounds", "1"],
  }).output();
  const text = new TextDecoder();
  if (code === 0) return match(text.decode(stdout), /\| ot-cyclegan 256² c64 \| (native|webgpu) \| \d/);
  equal(code, 2, text.decode(stderr));
  match(
    text.decode(stderr),
    /no backend has a GPU here, and nothing was run\n {2}where: deno task perf gpu\n {2}fix: /,
  );
  match(text.decode(stdout), /^[^\n]*\n\n## gpu\n\n$/);
});

const some = await starts("native") || await starts("webgpu");
Deno.test({
  name: "what deno task perf gpu does on a GPU it does of a tiny step on whatever computes here",
  ignore: !some,
  async fn() {
    const table = await gpu({ rounds: 1, step: ["ot-cyclegan", 16, 2], anyDevice: true });
    match(table, /\n\| ot-cyclegan 16² c2 \| (native|webgpu) \| [\d.]+ \| {2}\| {2}\|/);
  },
});
