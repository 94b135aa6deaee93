/** The tensors of the contracts, by names of our own: whoever reads them needs to know no more of TensorFlow.js. */

import type {
  Scalar as ScalarTensor,
  Tensor as AnyTensor,
  Tensor1D as ListTensor,
  Tensor2D as MatrixTensor,
  Tensor3D as MapsTensor,
  Tensor4D as BatchTensor,
  Variable as VariableTensor,
} from "@tensorflow/tfjs-core";

/** A TensorFlow.js tensor of any rank. */
export type Tensor = AnyTensor;

/** A TensorFlow.js tensor of one value. */
export type Scalar = ScalarTensor;

/** A TensorFlow.js tensor of one axis. */
export type Tensor1D = ListTensor;

/** A TensorFlow.js tensor `[rows, columns]`. */
export type Tensor2D = MatrixTensor;

/** A TensorFlow.js tensor `[batch, height, width]`. */
export type Tensor3D = MapsTensor;

/** A TensorFlow.js tensor `[batch, height, width, channels]`. */
export type Tensor4D = BatchTensor;

/** A TensorFlow.js tensor that training moves. */
export type Variable = VariableTensor;
