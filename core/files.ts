/** Files that are either whole or not there. */

// Tells apart two writings of one file at the same time by one process.
let written = 0;

/**
 * Writes a file by way of a temporary one beside it and a rename, so that whoever reads it finds the old bytes or
 * the new ones and never a part. Folders on the way are made.
 */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
  if (folder !== "") await Deno.mkdir(folder, { recursive: true });
  const temporary = `${path}.${Deno.pid}-${++written}.tmp`;
  try {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    using file = await Deno.open(temporary, { write: true, create: true, truncate: true });
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

/** The text of a file, or undefined where there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
