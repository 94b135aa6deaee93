/** The kinds of files that come with the suite. */

import type { DatasetKind } from "./dataset.ts";
import { dicomCtKind, dicomMrKind } from "./dicom.ts";
import { fastmriKind } from "./fastmri.ts";
import { lowDosePairsKind } from "./low_dose_pairs.ts";
import { niftiCtKind, niftiKind } from "./nifti.ts";
import { tiffFramesKind, tiffKind, tiffPlanesKind, tiffVolumesKind } from "./tiff.ts";

/** What `--data` of the MRI benchmark may be. */
export const mriKinds: readonly DatasetKind[] = [fastmriKind, niftiKind, dicomMrKind];
/** What `--data` of the CT benchmark may be. Pairs are known by the names of their folders, so they come first. */
export const ctKinds: readonly DatasetKind[] = [lowDosePairsKind, dicomCtKind, niftiCtKind];
/** What `--data` of deconvolution in 2-D may be. */
export const planeKinds: readonly DatasetKind[] = [tiffPlanesKind];
/** What `--data` of deconvolution in 3-D may be. */
export const volumeKinds: readonly DatasetKind[] = [tiffVolumesKind];
/** What `--data` of localisation microscopy may be. */
export const frameKinds: readonly DatasetKind[] = [tiffFramesKind];

/** Every kind: what `deno task data` looks for. Where two recognise a file, the first that can open it has it. */
export const allKinds: readonly DatasetKind[] = [...mriKinds, ...ctKinds, tiffKind];
