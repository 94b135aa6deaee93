// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/** The filter's side of Winograd's F(4x4, 3x3) (`winograd.ts` has the matrices): G g Gᵀ. */
import { madd } from "../shared/simd.ts";

/**
 * G g Gᵀ of `ins` x 8 filters to `[ins][36][8]`. Tap t of input c is at `filter + t · tapBytes + c ·
 * inBytes`, eight outputs wide. Between equal points of neighbouring inputs lie 1152 bytes, not a power of
 * two, so they do not fight for the same lines of the cache. `rows` is room for 18 vectors.
 */
export function transformFilter(
  filter: usize,
  tapBytes: i32,
  inBytes: i32,
  ins: i32,
  out: usize,
  rows: usize,
): void {
  const sixth = f32x4.splat(1.0 / 6.0), minusSixth = f32x4.splat(-1.0 / 6.0);
  const quarter = f32x4.splat(0.25), half = f32x4.splat(0.5);
  for (let c = 0; c < ins; c++, filter += inBytes, out += 1152) {
    for (let part = 0; part < 32; part += 16) {
      let g = filter + part;
      // With s = −(g0 + g2)/6, t = −g1/6 and u = (g0/4 + g2)/6, G's rows 1 and 2 give s ± t, rows 3 and 4 u ∓
      // t/2.
      for (let r = rows, end = rows + 48; r < end; r += 16, g += tapBytes) {
        const g0 = v128.load(g), g1 = v128.load(g + 3 * tapBytes), g2 = v128.load(g + 6 * tapBytes);
        const s = f32x4.mul(minusSixth, f32x4.add(g0, g2)), t = f32x4.mul(minusSixth, g1);
        const u = f32x4.mul(sixth, madd(quarter, g0, g2)), v = f32x4.mul(half, t);
        v128.store(r, f32x4.mul(quarter, g0));
        v128.store(r, f32x4.add(s, t), 48);
        v128.store(r, f32x4.sub(s, t), 96);
        v128.store(r, f32x4.sub(u, v), 144);
        v128.store(r, f32x4.add(u, v), 192);
        v128.store(r, g2, 240);
      }
      let o = out + part;
      for (let r = rows, end = rows + 288; r < end; r += 48, o += 192) {
        const g0 = v128.load(r), g1 = v128.load(r, 16), g2 = v128.load(r, 32);
        const s = f32x4.mul(minusSixth, f32x4.add(g0, g2)), t = f32x4.mul(minusSixth, g1);
        const u = f32x4.mul(sixth, madd(quarter, g0, g2)), v = f32x4.mul(half, t);
        v128.store(o, f32x4.mul(quarter, g0));
        v128.store(o, f32x4.add(s, t), 32);
        v128.store(o, f32x4.sub(s, t), 64);
        v128.store(o, f32x4.sub(u, v), 96);
        v128.store(o, f32x4.add(u, v), 128);
        v128.store(o, g2, 160);
      }
    }
  }
}
