/**
 * Files that belong to a stack, known by their names: its truth, the kernel that it was blurred by, and the emitters that
 * are in its frames. `data.tif` has `actual.tif` and `kernel.tif` beside it, `cell_frames.tif` has
 * `cell_ground_truth.csv`.
 */

/** Paths of what lies beside a stack. */
export interface Beside {
  /** A stack of the same size. */
  readonly truth?: string;
  /** A stack, or one plane. */
  readonly kernel?: string;
  /** A table of localisations. */
  readonly emitters?: string;
}

const truthWords = ["ground_truth", "truth", "actual"];
const kernelWords = ["kernel", "psf"];
const stackEndings = [".tif", ".tiff"];
/** How tables of localisations end. */
export const tableEndings = [".csv", ".hdf5", ".h5", ".txt"];

/** What lies beside the stack at `path`. */
export async function beside(path: string): Promise<Beside> {
  const { folder, stem } = parts(path);
  const names = new Map<string, string>();
  for await (const { name, isFile, isSymlink } of Deno.readDir(folder === "" ? "." : folder)) {
    if (isFile || isSymlink) names.set(name.toLowerCase(), name);
  }
  // What the stack is called without the word that says that it is one.
  const base = stem.replace(/[_-]?(frames|stack|data)$/i, "");
  const find = (stems: readonly string[], words: readonly string[], endings: readonly string[]) => {
    for (const start of stems) {
      for (const word of words) {
        for (const ending of endings) {
          const name = names.get(`${start}${start === "" ? "" : "_"}${word}${ending}`.toLowerCase());
          if (name !== undefined && folder + name !== path) return folder + name;
        }
      }
    }
    return undefined;
  };
  return {
    truth: find([stem, base], truthWords, stackEndings),
    // One kernel may serve all stacks of a folder.
    kernel: find([stem, base, ""], kernelWords, stackEndings),
    emitters: find([stem, base], truthWords, tableEndings),
  };
}

/** Whether the name says that the stack is a truth rather than what was measured of it. */
export function isTruth(path: string): boolean {
  const { stem } = parts(path);
  return truthWords.some((word) => new RegExp(`(^|[_-])${word}$`, "i").test(stem));
}

/** The folder up to its last stroke, and the name without its ending. */
function parts(path: string): { folder: string; stem: string } {
  const at = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1;
  return { folder: path.slice(0, at), stem: path.slice(at).replace(/\.[^.]*$/, "") };
}
