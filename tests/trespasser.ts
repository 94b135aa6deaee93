/** Tries what nobody asked it to do, and prints what it could. */

const attempts: Record<string, () => unknown> = {
  read: () => Deno.readTextFileSync("/etc/hostname"),
  write: () => Deno.writeTextFileSync("/tmp/trespassing", ""),
  "read the environment": () => {
    if (Deno.env.get("HOME") === undefined) throw new Deno.errors.NotCapable("it is ignored");
  },
  "write the environment": () => {
    Deno.env.set("HOME", "/tmp");
    if (Deno.env.get("HOME") === undefined) throw new Deno.errors.NotCapable("it is ignored");
  },
  connect: () => Deno.listen({ port: 0 }).close(),
  "start deno": () => new Deno.Command(Deno.execPath(), { args: ["--version"], stdout: "null" }).outputSync(),
  "start a program": () => new Deno.Command("true").outputSync(),
  "load a library": () => Deno.dlopen("libc.so.6", {}),
  "ask for the user": () => Deno.uid(),
};

const could = Object.entries(attempts).filter(([, attempt]) => {
  try {
    attempt();
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotCapable);
  }
});
const fetched = await fetch("http://127.0.0.1:8123/").then(
  () => true,
  (error) => !(error instanceof Deno.errors.NotCapable),
);
console.log(JSON.stringify([...could.map(([name]) => name), ...(fetched ? ["fetch"] : [])]));
