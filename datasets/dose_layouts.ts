/**
 * How public collections of low-dose CT name their folders.
 *
 * - AAPM Low Dose CT Grand Challenge 2016 (McCollough et al., Med. Phys. 44, 2017): `full_3mm/L067/*.IMA` and
 *   `quarter_3mm/L067/*.IMA`, or `L067/full_3mm/*.IMA`. L506 is the usual test patient.
 * - LDCT-and-Projection-data of The Cancer Imaging Archive (Moen et al., Med. Phys. 48, 2021): `C002/…Full Dose
 *   Images…/*.dcm` and `C002/…Low Dose Images…/*.dcm`; patients C are chests at a tenth of the dose, L livers and N
 *   heads at a quarter. Projections lie beside them.
 */

import type { Subject } from "./dataset.ts";
import { plainName, plainPatient } from "./files.ts";

/** Where a path puts its file. */
export interface DoseLayout {
  /** E.g. `"L067"`, where a folder or the file is named for a patient. */
  readonly patient?: string;
  /** `"none"`: projections, which are no images. */
  readonly dose: "full" | "low" | "none";
  /** Which reconstruction, e.g. `"3mm"` or `"1mm_sharp"`. */
  readonly variant: string;
  readonly collection: "AAPM" | "TCIA";
}

/** What the folders above a file say of it, the nearest first; undefined where none names a dose. */
export function doseLayout(path: string): DoseLayout | undefined {
  const [name, ...folders] = path.split(/[/\\]/).reverse();
  const patient = folders.find((folder) => /^[CLN]\d{3,4}$/i.test(folder)) ??
    /^([CLN]\d{3,4})_[FQ]D/i.exec(name)?.[1];
  for (const folder of folders) {
    const named = doseOf(folder);
    if (named !== undefined) return { patient: patient?.toUpperCase(), ...named };
  }
  return undefined;
}

/** What a folder of this name holds; undefined where it names no dose. */
function doseOf(folder: string): Omit<DoseLayout, "patient"> | undefined {
  const aapm = /^(full|quarter)(?:_dose)?(?:_(\w+))?$/i.exec(folder);
  if (aapm !== null) {
    const dose = aapm[1].toLowerCase() === "full" ? "full" : "low";
    return { dose, variant: aapm[2]?.toLowerCase() ?? "", collection: "AAPM" };
  }
  const tcia = /(full|low)[ _-]?dose[ _-]?(images|projections)/i.exec(folder);
  if (tcia === null) return undefined;
  const [, dose, what] = tcia.map((part) => part.toLowerCase());
  return { dose: what === "images" ? dose as "full" | "low" : "none", variant: "", collection: "TCIA" };
}

/**
 * Whose a file is: the patient that its path names; else PatientID, without what it says of the dose; else the
 * folder above the dose's.
 */
export function patientAt(path: string, patientId?: string): string {
  const named = doseLayout(path)?.patient;
  if (named !== undefined) return named;
  if (patientId !== undefined) {
    return plainPatient(patientId.replace(/[_-](fd|qd|ld|full|quarter|low)([_-].*)?$/i, ""));
  }
  const folders = path.split(/[/\\]/).slice(0, -1).reverse();
  return plainName(folders.find((folder) => folder !== "" && doseOf(folder) === undefined) ?? "somebody");
}

/** What a collection says of a patient beside others: the archive's region of the body, the challenge's test patient. */
export function aboutPatient(
  patient: string,
  collection: DoseLayout["collection"],
): Pick<Subject, "role" | "stratum"> {
  if (collection === "AAPM") return { role: patient === "L506" ? "test" : undefined };
  const region = /^([CLN])\d{3,4}$/.exec(patient)?.[1] as "C" | "L" | "N" | undefined;
  return { stratum: region && { C: "chest", L: "liver", N: "head" }[region] };
}
