/** The kinds of files that come with the suite. */

import type { DatasetKind } from "./dataset.ts";
import { fastmriKind } from "./fastmri.ts";
import { niftiKind } from "./nifti.ts";
import { tiffFramesKind, tiffKind, tiffPlanesKind, tiffVolumesKind } from "./tiff.ts";

/** What `--data` of the MRI benchmark may be. */
export const mriKinds: readonly DatasetKind[] = [fastmriKind, niftiKind];

/** What `--data` of deconvolution in 2-D may be. */
export const planeKinds: readonly DatasetKind[] = [tiffPlanesKind];
/** What `--data` of deconvolution in 3-D may be. */
export const volumeKinds: readonly DatasetKind[] = [tiffVolumesKind];
/** What `--data` of localisation microscopy may be. */
export const frameKinds: readonly DatasetKind[] = [tiffFramesKind];
/** What `--data` of the CT benchmark may be. */
export const ctKinds: readonly DatasetKind[] = [];

/** Every kind: what `deno task data` looks for. */
export const allKinds: readonly DatasetKind[] = [...mriKinds, tiffKind];
