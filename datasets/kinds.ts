/** The kinds of files that come with the suite. */

import type { DatasetKind } from "./dataset.ts";
import { fastmriKind } from "./fastmri.ts";
import { niftiKind } from "./nifti.ts";

/** What `--data` of the MRI benchmark may be. */
export const mriKinds: readonly DatasetKind[] = [fastmriKind, niftiKind];

/** Every kind: what `deno task data` looks for. */
export const allKinds: readonly DatasetKind[] = mriKinds;
