"""Networks from ONNX files: the operators that are known, by name. A new one is a line here."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from . import arithmetic as a
from . import layers, shapes


@dataclass(frozen=True)
class Operation:
    """`apply` takes the inputs, and the attributes by their ONNX names; of the inputs at the places `reads` it reads the numbers themselves,
    so these may follow from shapes, not from what an image shows. Computed on import where all inputs are `small` constants."""

    apply: Callable
    reads: tuple[int, ...] = ()
    small: bool = False


OPERATIONS: dict[str, Operation] = {
    "Abs": Operation(torch.abs), "Add": Operation(a.add, small=True), "AveragePool": Operation(layers.average_pool),
    "BatchNormalization": Operation(layers.batch_norm), "Cast": Operation(a.cast, small=True), "Clip": Operation(a.clip, reads=(1, 2)),
    "Concat": Operation(shapes.concatenate, small=True), "ConstantOfShape": Operation(shapes.constant_of_shape, reads=(0,), small=True),
    "Conv": Operation(layers.convolution), "Div": Operation(a.divide, small=True), "Dropout": Operation(a.dropout, reads=(1, 2)), "Elu": Operation(a.elu),
    "Equal": Operation(a.equal, small=True), "Erf": Operation(torch.erf), "Exp": Operation(torch.exp),
    "Expand": Operation(shapes.expand, reads=(1,), small=True), "Flatten": Operation(shapes.flatten), "Floor": Operation(torch.floor, small=True),
    "Gather": Operation(shapes.gather, reads=(1,), small=True), "Gelu": Operation(a.gelu), "Gemm": Operation(a.linear),
    "GlobalAveragePool": Operation(layers.global_average_pool), "GlobalMaxPool": Operation(layers.global_max_pool),
    "HardSigmoid": Operation(a.hard_sigmoid), "HardSwish": Operation(a.hard_swish), "Identity": Operation(a.identity, small=True),
    "InstanceNormalization": Operation(layers.instance_norm), "LayerNormalization": Operation(layers.layer_norm), "LeakyRelu": Operation(a.leaky_relu),
    "Log": Operation(torch.log), "LogSoftmax": Operation(a.log_softmax), "MatMul": Operation(a.product), "Max": Operation(a.largest, small=True),
    "MaxPool": Operation(layers.max_pool), "Min": Operation(a.smallest, small=True), "Mod": Operation(a.modulo, small=True),
    "Mul": Operation(a.multiply, small=True), "Neg": Operation(torch.neg, small=True), "PRelu": Operation(a.parametric_relu),
    "Pad": Operation(shapes.pad, reads=(1, 2, 3)), "Pow": Operation(a.power, small=True), "Range": Operation(shapes.count_from, reads=(0, 1, 2), small=True),
    "Reciprocal": Operation(torch.reciprocal, small=True),
    "ReduceMax": Operation(layers.reduction(lambda x, axes, keep: x.amax(axes, keep)), reads=(1,)),
    "ReduceMean": Operation(layers.reduction(lambda x, axes, keep: x.mean(axes, keep)), reads=(1,)),
    "ReduceMin": Operation(layers.reduction(lambda x, axes, keep: x.amin(axes, keep)), reads=(1,)),
    "ReduceSum": Operation(layers.reduction(lambda x, axes, keep: x.sum(axes, keep)), reads=(1,)),
    "Relu": Operation(F.relu), "Reshape": Operation(shapes.reshape, reads=(1,), small=True), "Shape": Operation(shapes.shape_of, small=True),
    "Sigmoid": Operation(torch.sigmoid), "Slice": Operation(shapes.cut, reads=(1, 2, 3, 4), small=True), "Softmax": Operation(a.softmax),
    "Softplus": Operation(F.softplus), "Split": Operation(shapes.split, reads=(1,), small=True), "Sqrt": Operation(torch.sqrt, small=True),
    "Squeeze": Operation(shapes.squeeze, reads=(1,), small=True), "Sub": Operation(a.subtract, small=True), "Sum": Operation(a.total), "Tanh": Operation(torch.tanh),
    "Transpose": Operation(shapes.transpose, small=True), "Unsqueeze": Operation(shapes.unsqueeze, reads=(1,), small=True), "Where": Operation(a.where, small=True),
}  # fmt: skip
