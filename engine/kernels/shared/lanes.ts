// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * Four neighbouring values as a vector, or one value as a vector's first lane, by the same code: `Lanes` is v128 or f32.
 * A loop over channels runs with v128 as long as four are left, then with f32, so that a channel's bits
 * do not depend on its place.
 */

export function get<Lanes>(at: usize): v128 {
  return sizeof<Lanes>() == 16 ? v128.load(at) : v128.load32_zero(at);
}

export function put<Lanes>(at: usize, value: v128): void {
  if (sizeof<Lanes>() == 16) v128.store(at, value);
  else store<f32>(at, f32x4.extract_lane(value, 0));
}
