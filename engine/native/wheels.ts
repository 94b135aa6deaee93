/**
 * The wheels on PyPI that hold TensorFlow's C++ libraries, with their SHA-256. They are unpacked, never run: no Python is
 * needed.
 */

/** One file of a project on PyPI. */
export interface Wheel {
  readonly project: string;
  readonly file: string;
  readonly sha256: string;
}

/** Which build of TensorFlow. */
export type Flavour = "cpu" | "cuda";

/** Version of TensorFlow in all of them. */
export const tensorflowVersion = "2.18.1";

const linux = "manylinux_2_17_x86_64.manylinux2014_x86_64";

const nvidia: readonly (readonly [name: string, version: string, sha256: string])[] = [
  ["cublas", "12.5.3.2", "ca070ad70e9fa6654084575d01bd001f30cc4665e33d4bb9fc8e0f321caa034b"],
  ["cuda_cupti", "12.5.82", "bde77a5feb66752ec61db2adfe47f56b941842825b4c7e2068aff27c9d107953"],
  ["cuda_nvcc", "12.5.82", "b03e545b8e8c3ce7ebcd7fc44063180ff52ff01d064ece2127ed90a04ef12cd0"],
  ["cuda_nvrtc", "12.5.82", "3dbd97b0104b4bfbc3c4f8c79cd2496307c89c43c29a9f83125f1d76296ff3fd"],
  ["cuda_runtime", "12.5.82", "3e79a060e126df40fd3a068f3f787eb000fa51b251ec6cd97d09579632687115"],
  ["cudnn", "9.3.0.75", "9ad9c6929ebb5295eb4a1728024666d1c88283373e265a0c5c883e6f9d5cd76d"],
  ["cufft", "11.2.3.61", "9a6e8df162585750f61983a638104a48c756aa13f9f48e19ab079b38e3c828b8"],
  ["curand", "10.3.6.82", "2823fb27de4e44dbb22394a6adf53aa6e1b013aca0f8c22867d1cfae58405536"],
  ["cusolver", "11.6.3.83", "93cfafacde4428b71778eeb092ec615a02a3d05404da1bcf91c53e3fa1bce42b"],
  ["cusparse", "12.5.1.3", "016df8e993c437e8301e62739f01775cba988fd5253cd4c64173f8e8d2f8e752"],
  ["nccl", "2.21.5", "8579076d30a8c24988834445f8d633c697d42397e92ffc3f63fa26766d25e0a0"],
  ["nvjitlink", "12.5.82", "f9b37bc5c8cf7509665cb6ada5aaa0ce65618f2332b7d3e78e9790511f111212"],
];

/** TensorFlow's own wheel first; those of CUDA are the ones that its extra `and-cuda` names. Linux on x86-64 only. */
export const wheels: { readonly [F in Flavour]: readonly Wheel[] } = {
  cpu: [{
    project: "tensorflow-cpu",
    file: `tensorflow_cpu-${tensorflowVersion}-cp312-cp312-${linux}.whl`,
    sha256: "8e0f27dbd92c6d380ae0ccfe73c7343f65c127b0aa98467c30c2e71eda7c76a4",
  }],
  cuda: [
    {
      project: "tensorflow",
      file: `tensorflow-${tensorflowVersion}-cp312-cp312-${linux}.whl`,
      sha256: "442d2a774811789a8ad948e7286cb950fe3d87d3754e8cc6449d53b03dbfdaa6",
    },
    ...nvidia.map(([name, version, sha256]) => ({
      project: `nvidia-${name.replaceAll("_", "-")}-cu12`,
      file: `nvidia_${name}_cu12-${version}-py3-none-manylinux2014_x86_64.whl`,
      sha256,
    })),
  ],
};
