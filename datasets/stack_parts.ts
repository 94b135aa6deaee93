/** Which stacks, or which samples of one, play which part when there are too few to deal out. */

import { UsageError } from "../core/errors.ts";
import type { Subject } from "./dataset.ts";
import type { Portion } from "./joined.ts";

/** Which stacks, or samples of one, play which part; `spare` are training stacks that others stand beside. */
export interface Parts {
  readonly parts: readonly Portion[];
  readonly spare: readonly Portion[];
  readonly banners: readonly string[];
}

/** Shares of a stack's samples at which its parts end, in the order of the parts. */
type Ends = Readonly<Partial<Record<"x" | "y" | "validation" | "test", number>>>;

/** By what a stack gives to learn from: of a stack that another is tested on, and of one that is tested on itself. */
const shares: Readonly<Record<"measurements" | "images", { readonly apart: Ends; readonly alone: Ends }>> = {
  measurements: { apart: { y: 0.9, validation: 1 }, alone: { y: 5 / 9, validation: 6 / 9, test: 1 } },
  images: { apart: { x: 0.45, y: 0.9, validation: 1 }, alone: { x: 0.3, y: 0.6, validation: 0.7, test: 1 } },
};

/**
 * Parts by the stacks' roles, which their names give; without them the first stack is learned from and the others are for
 * test, and a single one is cut.
 *
 * @param gives Whether they are measurements, or images that are yet to be measured, of which x takes some too.
 * @param samples What a stack's samples are, for the banner, e.g. `frames of the same field`.
 */
export function partsOf(
  subjects: readonly Subject[],
  gives: "measurements" | "images",
  samples: string,
): Parts {
  const { apart, alone } = shares[gives];
  const named = (...roles: readonly Subject["role"][]) => subjects.filter(({ role }) => roles.includes(role));
  const whole = (role: Subject["role"]) => ({ id }: Subject): Portion => ({ of: id, role });
  const [training, tested, others] = [named("train"), named("test", "validation"), named(undefined)];
  if (tested.length > 0 && tested.length < subjects.length) {
    const learned = [...training, ...others].flatMap((stack) => cut(stack, apart));
    return { parts: [...learned, ...tested.map(whole("test"))], spare: [], banners: [] };
  }
  const spare = others.length > 0 ? training.map(whole("x")) : [];
  const [first, ...rest] = others.length > 0 ? others : subjects;
  if (rest.length > 0) {
    const parts = [...cut(first, apart), ...rest.map(whole("test"))];
    return { parts, spare, banners: [] };
  }
  return {
    parts: cut(first, alone),
    spare,
    banners: [
      `ONE STACK: training, validation and test are ${samples}, one part after the other; scores are optimistic.`,
    ],
  };
}

/** Samples from which on one is left out between two parts, so that nothing goes on from one into the other. */
const roomForGaps = 24;

/** A stack cut into consecutive parts, which end at these shares of its frames; all of it is for test where it has too few. */
function cut(
  { id, samples }: Subject,
  ends: Ends,
): Portion[] {
  const roles = Object.keys(ends) as (keyof Ends)[];
  if (samples.length < roles.length) return [{ of: id, role: "test" }];
  const gap = samples.length < roomForGaps ? 0 : 1;
  let from = 0;
  const names = { x: "images", y: "training", validation: "validation" };
  return roles.map((role, i): Portion => {
    const isLast = i === roles.length - 1;
    // Rounding must not take a part all its frames.
    const left = roles.length - 1 - i;
    const to = Math.min(
      samples.length - left,
      Math.max(from + 1, Math.floor(ends[role]! * samples.length + 1e-9)),
    );
    const portion = { of: id, role, range: [from, isLast ? to : to - gap] as const };
    from = to;
    return role === "test" ? portion : { ...portion, id: `${id}-${names[role]}` };
  });
}

/**
 * Refuses stacks that hold the same: parts of one under two names would be told apart by no hash of theirs.
 *
 * @throws {UsageError} naming both.
 */
export function requireDifferent(subjects: readonly Subject[]): void {
  const owners = new Map<string, string>();
  for (const { id, volumes = [] } of subjects) {
    for (const volume of volumes) {
      const other = owners.get(volume);
      if (other !== undefined) {
        throw new UsageError({
          what: `leak: "${other}" and "${id}" hold the same frames`,
          where: "--data",
          fix: "leave one of the two out: the values are the same under two names",
        });
      }
      owners.set(volume, id);
    }
  }
}
