/** Every trained method that the toy problem of two channels suits: the laws of training and of replay hold for each. */

import { cycleGan } from "../methods/cyclegan.ts";
import { noiseMatching } from "../methods/noise_matching.ts";
import { otCycleGan } from "../methods/ot_cyclegan.ts";
import { otCycleGanAsPublished } from "../methods/ot_cyclegan_as_published.ts";
import { otCycleGanAsReleased } from "../methods/ot_cyclegan_as_released.ts";
import { otCycleGanBlind } from "../methods/ot_cyclegan_blind.ts";
import { otCycleGanBlindGaussian } from "../methods/ot_cyclegan_blind_gaussian.ts";
import { otCycleGanBlindLsgan } from "../methods/ot_cyclegan_blind_lsgan.ts";
import { otCycleGanClipping } from "../methods/ot_cyclegan_clipping.ts";
import { otCycleGanFrozenNoise } from "../methods/ot_cyclegan_frozen_noise.ts";
import { otCycleGanHalf } from "../methods/ot_cyclegan_half.ts";
import { otCycleGanKnownPsf } from "../methods/ot_cyclegan_known_psf.ts";
import { otCycleGanLsgan } from "../methods/ot_cyclegan_lsgan.ts";
import { otCycleGanNoAdversary } from "../methods/ot_cyclegan_no_adversary.ts";
import { otCycleGanNoImageCritic } from "../methods/ot_cyclegan_no_image_critic.ts";
import { otCycleGanPatchesLsgan } from "../methods/ot_cyclegan_patches_lsgan.ts";
import { otCycleGanSpectralNorm } from "../methods/ot_cyclegan_spectral_norm.ts";
import { otCycleGanTwoGenerators } from "../methods/ot_cyclegan_two_generators.ts";
import { otCycleGanTwoGeneratorsLsgan } from "../methods/ot_cyclegan_two_generators_lsgan.ts";
import { otCycleGanUnknownOperator } from "../methods/ot_cyclegan_unknown_operator.ts";
import { otCycleGanUnknownOperatorClipping } from "../methods/ot_cyclegan_unknown_operator_clipping.ts";
import { otCycleGanUnknownOperatorSpectralNorm } from "../methods/ot_cyclegan_unknown_operator_spectral_norm.ts";
import { redCnn } from "../methods/red_cnn.ts";
import { spectrumMatching } from "../methods/spectrum_matching.ts";
import { supervised } from "../methods/supervised.ts";
import { wgan } from "../methods/wgan.ts";
import type { Method } from "../methods/method.ts";

/** The learned primal-dual methods, whose losses take one channel, have tests of their own. */
export const trainedMethods: readonly Method[] = [
  supervised,
  cycleGan,
  wgan,
  otCycleGan,
  otCycleGanNoAdversary,
  otCycleGanClipping,
  otCycleGanSpectralNorm,
  otCycleGanLsgan,
  otCycleGanAsReleased,
  otCycleGanUnknownOperator,
  otCycleGanUnknownOperatorClipping,
  otCycleGanUnknownOperatorSpectralNorm,
  otCycleGanNoImageCritic,
  otCycleGanFrozenNoise,
  noiseMatching,
  otCycleGanAsPublished,
  otCycleGanTwoGenerators,
  otCycleGanTwoGeneratorsLsgan,
  redCnn,
  otCycleGanKnownPsf,
  otCycleGanBlindGaussian,
  otCycleGanBlind,
  otCycleGanBlindLsgan,
  otCycleGanPatchesLsgan,
  otCycleGanHalf,
  spectrumMatching,
];
