// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/** The filter's side of Winograd's F(4x4, 3x3) (`winograd.ts` has the matrices): G g Gᵀ. */
import { madd } from "../shared/simd.ts";

/**
 * G g Gᵀ of `ins` x 8 filters to `[ins][36][8]`. Tap t of input c is at `filter + t · tapBytes + c · inBytes`, eight outputs wide.
 * Between equal points of neighbouring inputs lie 1152 bytes, not a power of two, so they do not fight for the
 * same lines of the cache.
 */
export function transformFilter(filter: usize, tapBytes: i32, inBytes: i32, ins: i32, out: usize): void {
  const sixth = f32x4.splat(-1.0 / 6.0);
  const quarter = f32x4.splat(0.25);
  const half = f32x4.splat(0.5);
  for (let c = 0; c < ins; c++, filter += inBytes, out += 1152) {
    for (let part = 0; part < 32; part += 16) {
      const g0 = filter + part, g1 = g0 + 3 * tapBytes, g2 = g1 + 3 * tapBytes;
      const o = out + part;
      const a0 = v128.load(g0), a1 = v128.load(g0 + tapBytes), a2 = v128.load(g0 + 2 * tapBytes);
      const b0 = v128.load(g1), b1 = v128.load(g1 + tapBytes), b2 = v128.load(g1 + 2 * tapBytes);
      const c0 = v128.load(g2), c1 = v128.load(g2 + tapBytes), c2 = v128.load(g2 + 2 * tapBytes);
      // The six rows of G g, each transformed along at once. With s = −(g0 + g2)/6 and t = −g1/6 rows 1 and 2 are
      // s ± t; with u = −(g0/4 + g2)/6 and t/2 rows 3 and 4 are −u ∓ t/2.
      along(f32x4.mul(quarter, a0), f32x4.mul(quarter, a1), f32x4.mul(quarter, a2), o, sixth, quarter, half);
      let s0 = f32x4.mul(sixth, f32x4.add(a0, c0)), t0 = f32x4.mul(sixth, b0);
      let s1 = f32x4.mul(sixth, f32x4.add(a1, c1)), t1 = f32x4.mul(sixth, b1);
      let s2 = f32x4.mul(sixth, f32x4.add(a2, c2)), t2 = f32x4.mul(sixth, b2);
      along(f32x4.add(s0, t0), f32x4.add(s1, t1), f32x4.add(s2, t2), o + 192, sixth, quarter, half);
      along(f32x4.sub(s0, t0), f32x4.sub(s1, t1), f32x4.sub(s2, t2), o + 384, sixth, quarter, half);
      s0 = f32x4.mul(sixth, madd(quarter, a0, c0)), t0 = f32x4.mul(half, t0);
      s1 = f32x4.mul(sixth, madd(quarter, a1, c1)), t1 = f32x4.mul(half, t1);
      s2 = f32x4.mul(sixth, madd(quarter, a2, c2)), t2 = f32x4.mul(half, t2);
      along(
        f32x4.neg(f32x4.add(s0, t0)),
        f32x4.neg(f32x4.add(s1, t1)),
        f32x4.neg(f32x4.add(s2, t2)),
        o + 576,
        sixth,
        quarter,
        half,
      );
      along(f32x4.sub(t0, s0), f32x4.sub(t1, s1), f32x4.sub(t2, s2), o + 768, sixth, quarter, half);
      along(c0, c1, c2, o + 960, sixth, quarter, half);
    }
  }
}

/** G applied to three neighbours, to six vectors 32 bytes apart. */
function along(g0: v128, g1: v128, g2: v128, out: usize, sixth: v128, quarter: v128, half: v128): void {
  v128.store(out, f32x4.mul(quarter, g0));
  const s = f32x4.mul(sixth, f32x4.add(g0, g2));
  let t = f32x4.mul(sixth, g1);
  v128.store(out, f32x4.add(s, t), 32);
  v128.store(out, f32x4.sub(s, t), 64);
  const u = f32x4.mul(sixth, madd(quarter, g0, g2));
  t = f32x4.mul(half, t);
  v128.store(out, f32x4.neg(f32x4.add(u, t)), 96);
  v128.store(out, f32x4.sub(t, u), 128);
  v128.store(out, g2, 160);
}
