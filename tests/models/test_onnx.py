"""ONNX files answer as the networks that they were exported from."""

from dataclasses import asdict
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from explorer.bounds import Interval, bounds
from explorer.errors import CheckpointUnreadable, ConfigurationError, InvalidInput, UnsupportedOperation
from explorer.models import build_model
from explorer.models.onnx import OPERATIONS
from explorer.models.onnx.graph import OnnxConfig, onnx_classifier
from explorer.models.onnx.opening import open_onnx
from explorer.models.onnx.text import parsed, written
from tests.onnx_writer import field, linear, model, node

FILES = sorted((Path(__file__).parent / "onnx").glob("*.onnx"))


def expected(path):
    return load_file(path.with_name(f"{path.stem.split('-')[0]}.safetensors"))


def opened(path):
    return open_onnx(path.read_bytes(), tuple(expected(path)["x"].shape[1:]))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_exported_network_answers_as_in_torch_and_so_does_its_gradient(path):
    torch_says, (_, network) = expected(path), opened(path)
    x = torch_says["x"].requires_grad_()
    logits = network(x)
    (gradient,) = torch.autograd.grad((logits * torch.arange(10.0)).sum(), x)
    assert torch.allclose(logits, torch_says["logits"], atol=1e-5) and torch.allclose(gradient, torch_says["gradient"], atol=1e-5)


@pytest.mark.parametrize("name", ["lenet-dynamo", "vit-script", "vit-dynamo-one"])
def test_its_lines_and_its_tensors_make_the_same_network_again(name):
    (path,) = (each for each in FILES if each.stem == name)
    config, network = opened(path)
    again = build_model("onnx_graph", config).eval()
    again.load_state_dict(network.state_dict())
    x = expected(path)["x"]
    torch.testing.assert_close(again(x), network(x), rtol=1e-5, atol=1e-6)  # weights that want a gradient may take another kernel


@pytest.mark.parametrize("method", ["ibp", "crown"])
def test_an_imported_lenet_has_the_bounds_of_the_one_that_was_exported(method):
    (path,) = (each for each in FILES if each.stem == "lenet-dynamo")
    _, network = opened(path)
    tensors = [value for name, value in network.features.named_parameters() if value.ndim and value.shape != (1, 1, 1)]
    own = build_model("lenet5", {"widths": [2, 3], "hidden_units": [8, 6], "mean": [0.1], "std": [0.3]}).eval()
    own.load_state_dict(dict(zip(own.state_dict(), tensors, strict=True)))
    box = Interval.around(torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(0)), 0.01, 0.0, 1.0)
    with torch.no_grad():
        found, wanted = bounds(network, box, method), bounds(own, box, method)
    assert torch.allclose(found.lower, wanted.lower, atol=1e-4) and torch.allclose(found.upper, wanted.upper, atol=1e-4)


def ints(*values):
    return torch.tensor(values)


IMAGE = torch.rand(2, 3, 5, 6, generator=torch.Generator().manual_seed(1)) * 4 - 2
W = torch.linspace(-1, 1, 54).reshape(6, 1, 3, 3)
C = torch.tensor([0.5, 1.5, 2.5])
CASES = {
    "Abs": ([], {}, torch.abs),
    "Add": ([C.view(3, 1, 1)], {}, lambda x: x + C.view(3, 1, 1)),
    "AveragePool": ([], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}, lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)),
    "BatchNormalization": ([C, C + 1, C - 1, C], {"epsilon": 0.01}, lambda x: F.batch_norm(x, C - 1, C, C, C + 1, eps=0.01)),
    "Clip": ([torch.tensor(-0.5), torch.tensor(0.5)], {}, lambda x: x.clamp(-0.5, 0.5)),
    "Conv": ([W], {"group": 3, "pads": [0, 1, 2, 1], "strides": [2, 1], "dilations": [1, 2]}, lambda x: F.conv2d(F.pad(x, (1, 1, 0, 2)), W, None, (2, 1), 0, (1, 2), 3)),
    "Div": ([C.view(3, 1, 1)], {}, lambda x: x / C.view(3, 1, 1)),
    "Elu": ([], {"alpha": 0.5}, lambda x: F.elu(x, 0.5)),
    "Erf": ([], {}, torch.erf),
    "Exp": ([], {}, torch.exp),
    "Expand": ([ints(4, 1, 1, 1, 1)], {}, lambda x: x.expand(4, 2, 3, 5, 6)),
    "Flatten": ([], {"axis": 2}, lambda x: x.reshape(6, 30)),
    "Floor": ([], {}, torch.floor),
    "Gather": ([ints(2, -3)], {"axis": 1}, lambda x: x[:, [2, 0]]),
    "Gelu": ([], {"approximate": "tanh"}, lambda x: F.gelu(x, approximate="tanh")),
    "GlobalAveragePool": ([], {}, lambda x: x.mean((2, 3), True)),
    "GlobalMaxPool": ([], {}, lambda x: x.amax((2, 3), True)),
    "HardSigmoid": ([], {"alpha": 0.3}, lambda x: (0.3 * x + 0.5).clamp(0, 1)),
    "HardSwish": ([], {}, F.hardswish),
    "InstanceNormalization": ([C, C], {}, lambda x: F.instance_norm(x, weight=C, bias=C)),
    "LayerNormalization": ([torch.arange(6.0)], {"axis": -1}, lambda x: F.layer_norm(x, (6,), torch.arange(6.0))),
    "LeakyRelu": ([], {"alpha": 0.2}, lambda x: F.leaky_relu(x, 0.2)),
    "LogSoftmax": ([], {"axis": 1}, lambda x: F.log_softmax(x, 1)),
    "MatMul": ([torch.linspace(-1, 1, 12).reshape(6, 2)], {}, lambda x: x @ torch.linspace(-1, 1, 12).reshape(6, 2)),
    "Max": ([C.view(3, 1, 1), torch.tensor(1.0)], {}, lambda x: x.maximum(C.view(3, 1, 1)).clamp(min=1)),
    "MaxPool": ([], {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [0, 0, 1, 1]}, lambda x: F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-9.0), (3, 2), 2)),
    "Min": ([C.view(3, 1, 1)], {}, lambda x: x.minimum(C.view(3, 1, 1))),
    "Mod": ([C.view(3, 1, 1)], {"fmod": 1}, lambda x: x.fmod(C.view(3, 1, 1))),
    "Mul": ([torch.tensor(2.5)], {}, lambda x: x * 2.5),
    "Neg": ([], {}, torch.neg),
    "PRelu": ([C.view(3, 1, 1)], {}, lambda x: F.prelu(x, C)),
    "Pad": ([ints(0, 1, 2, 0, 0, 0, 1, 3), torch.tensor(0.5)], {}, lambda x: F.pad(x, (0, 3, 2, 1, 1, 0), value=0.5)),
    "Pow": ([torch.tensor(3.0)], {}, lambda x: x**3),
    "Reciprocal": ([], {}, torch.reciprocal),
    "ReduceMax": ([ints(1)], {"keepdims": 0}, lambda x: x.amax(1)),
    "ReduceMean": ([ints(2, 3)], {}, lambda x: x.mean((2, 3), True)),
    "ReduceMin": ([ints(-1)], {}, lambda x: x.amin(-1, True)),
    "ReduceSum": ([ints(1)], {"keepdims": 0}, lambda x: x.sum(1)),
    "Relu": ([], {}, F.relu),
    "Reshape": ([ints(0, -1, 3)], {}, lambda x: x.reshape(2, 30, 3)),
    "Sigmoid": ([], {}, torch.sigmoid),
    "Slice": ([ints(4, 1), ints(-9, 5), ints(2, 3), ints(-2, 2)], {}, lambda x: x[:, :, [4, 2, 0]][..., 1:5:2]),
    "Softmax": ([], {"axis": 1}, lambda x: F.softmax(x, 1)),
    "Softplus": ([], {}, F.softplus),
    "Sqrt": ([], {}, torch.sqrt),
    "Squeeze": ([], {}, lambda x: x),
    "Sub": ([C.view(3, 1, 1)], {}, lambda x: x - C.view(3, 1, 1)),
    "Sum": ([C.view(3, 1, 1), C.view(3, 1, 1)], {}, lambda x: x + 2 * C.view(3, 1, 1)),
    "Tanh": ([], {}, torch.tanh),
    "Transpose": ([], {"perm": [0, 2, 1, 3]}, lambda x: x.transpose(1, 2)),
    "Unsqueeze": ([ints(1, -1)], {}, lambda x: x[:, None, ..., None]),
    "Where": ([IMAGE[:1], torch.tensor(0.25)], {}, lambda x: torch.where(x != 0, IMAGE[:1], torch.tensor(0.25))),
}


@pytest.mark.parametrize("name", CASES)
def test_an_operation_computes_what_torch_does(name):
    inputs, attributes, wanted = CASES[name]
    assert torch.allclose(OPERATIONS[name].apply(IMAGE, *inputs, **attributes), wanted(IMAGE), equal_nan=True, atol=1e-6)


def test_every_operation_is_tested_by_itself_or_by_shapes_and_products():
    elsewhere = {"Cast", "Concat", "ConstantOfShape", "Dropout", "Equal", "Gemm", "Identity", "Log", "Range", "Shape", "Split"}
    assert OPERATIONS.keys() == CASES.keys() | elsewhere


def test_shapes_are_computed_as_integers():
    apply = {name: OPERATIONS[name].apply for name in OPERATIONS}
    assert apply["Shape"](IMAGE, start=1).tolist() == [3, 5, 6]
    assert apply["Range"](ints(7)[0], ints(1)[0], ints(-3)[0]).tolist() == [7, 4]
    assert apply["Div"](ints(-7), ints(2)).tolist() == [-3]
    assert apply["ConstantOfShape"](ints(2, 2), value=3).tolist() == [[3, 3], [3, 3]]
    assert apply["Cast"](torch.tensor([1.7, -1.7]), to=7).tolist() == [1, -1]
    assert [part.shape[1] for part in apply["Split"](IMAGE, ints(1, 2), axis=1)] == [1, 2]
    assert apply["Equal"](ints(1, 2), ints(1, 3)).tolist() == [True, False]


@pytest.mark.parametrize("transposed", [0, 1])
def test_gemm_is_alpha_a_b_and_beta_c(transposed):
    a, b, c = torch.rand(2, 4), torch.rand(4, 3), torch.rand(3)
    found = OPERATIONS["Gemm"].apply(a, b.T if transposed else b, c, alpha=0.5, beta=2.0, transB=transposed)
    assert torch.allclose(found, 0.5 * a @ b + 2 * c)


def test_same_padding_puts_the_odd_pixel_below_or_above():
    x, w = torch.arange(16.0).reshape(1, 1, 4, 4), torch.ones(1, 1, 3, 3)
    upper, lower = (OPERATIONS["Conv"].apply(x, w, auto_pad=f"SAME_{way}", strides=[2, 2]) for way in ("UPPER", "LOWER"))
    assert torch.equal(upper, F.conv2d(F.pad(x, (0, 1, 0, 1)), w, stride=2)) and torch.equal(lower, F.conv2d(F.pad(x, (1, 0, 1, 0)), w, stride=2))


def test_softmax_of_old_files_is_over_all_that_follows():
    nodes = [node("Softmax", ["x"], ["s"]), node("Flatten", ["s"], ["y"])]
    x = torch.rand(2, 1, 4, 4)
    old, new = (open_onnx(model(nodes, opset=opset), (1, 4, 4))[1](x) for opset in (11, 13))
    assert torch.allclose(old.sum(1), torch.ones(2)) and torch.allclose(new.sum(1), torch.full((2,), 4.0))


def test_normalisation_is_part_of_the_model():
    x = torch.rand(2, 1, 4, 4)
    plain, normalised = open_onnx(linear(), (1, 4, 4))[1], open_onnx(linear(), (1, 4, 4), mean=(0.5,), std=(0.25,))[1]
    assert torch.allclose(normalised(x), plain((x - 0.5) / 0.25), atol=1e-5)


def test_a_final_softmax_is_cut_where_that_is_asked_for():
    nodes = [node("Flatten", ["x"], ["f"]), node("Softmax", ["f"], ["y"])]
    x = torch.rand(2, 1, 4, 4)
    assert torch.equal(open_onnx(model(nodes), (1, 4, 4), cut_softmax=True)[1](x), x.flatten(1))


def test_lines_are_read_as_they_were_written():
    for path in (each for each in FILES if each.stem in ("lenet-dynamo", "resnet-script")):
        config, _ = opened(path)
        assert tuple(written(parsed(line)) for line in config["lines"]) == config["lines"]


# What is wrong with a file


WRONG = {
    "an unknown operation": (model([node("Celu", ["x"], ["y"])]), "'Celu'.*OPERATIONS of explorer"),
    "another domain": (model([node("Relu", ["x"], ["y"], domain="com.evil")]), "com.evil.Relu"),
    "an unknown attribute": (model([node("Relu", ["x"], ["y"], slope=2)]), "'slope' is not known"),
    "a cycle": (model([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Flatten", ["b"], ["y"])]), "cyclic"),
    "a dangling name": (model([node("Add", ["x", "nothing"], ["y"])]), "'nothing', which nothing in it makes"),
    "a value made twice": (model([node("Relu", ["x"], ["y"]), node("Abs", ["x"], ["y"])]), "makes 'y' twice"),
    "a bomb of a shape": (model([node("ConstantOfShape", ["s"], ["y"])], {"s": torch.tensor([1 << 20, 1 << 20])}), "at most"),
    "a bomb by expansion": (model([node("Expand", ["x", "s"], ["y"])], {"s": torch.tensor([1 << 30, 1, 1, 4, 4])}), "at most"),
    "a bomb by padding": (model([node("Pad", ["x", "p"], ["y"])], {"p": torch.tensor([0, 0, 1 << 20, 1 << 20, 0, 0, 0, 0])}), "at most"),
    "a bomb of a range": (model([node("Range", ["a", "b", "c"], ["y"])], {"a": torch.tensor(0), "b": torch.tensor(1 << 40), "c": torch.tensor(1)}), "at most"),
    "a bomb by doubling": (model([node("Identity", ["x"], ["v0"]), *(node("Concat", [f"v{i}"] * 64, [f"v{i + 1}"], axis=1) for i in range(6)), node("Flatten", ["v6"], ["y"])]), "at most"),
    "external data": (model([node("Relu", ["x"], ["y"])], more=field(5, field(8, "w") + field(1, 3) + field(2, 1) + field(13, field(1, "location") + field(2, "/etc/passwd")) + field(14, 1))), "another file"),
    "a subgraph": (model([node("Relu", ["x"], ["y"]) + field(5, field(1, "body") + field(6, b"") + field(20, 5))]), "loops and branches"),
    "a shape that lies": (model([node("Relu", ["x"], ["y"])], more=field(5, field(1, 1 << 30) + field(2, 1) + field(8, "w") + field(9, b"1234"))), "holds 1 numbers"),
    "a negative size": (model([node("Relu", ["x"], ["y"])], more=field(5, field(1, -5) + field(2, 1) + field(8, "w") + field(9, b"1234"))), "sizes of at least 0"),
    "two inputs": (model([node("Add", ["x", "z"], ["y"])], inputs={"x": (None, 1, 4, 4), "z": (None, 1, 4, 4)}), "2 inputs"),
    "two outputs": (model([node("Relu", ["x"], ["y"]), node("Abs", ["x"], ["z"])], outputs=("y", "z")), "say which"),
    "another image size": (linear(inputs={"x": (None, 3, 32, 32)}), "any × 3 × 32 × 32"),
    "channels last": (linear(inputs={"x": (None, 4, 4, 1)}), "channels first"),
    "operators of the future": (linear(opset=99), "version 99"),
    "training mode": (model([node("BatchNormalization", ["x", *"abcd"], ["h"], training_mode=1), node("Flatten", ["h"], ["y"])], dict.fromkeys("abcd", torch.ones(1))), "training mode"),
    "no logits": (model([node("Relu", ["x"], ["y"])]), "expected a row of logits"),
    "what the image decides": (model([node("Cast", ["x"], ["i"], to=7), node("Reshape", ["x", "i"], ["y"])]), "image's content"),
    "examples that are mixed": (model([node("ReduceMean", ["x", "a"], ["m"]), node("Sub", ["x", "m"], ["d"]), node("Flatten", ["d"], ["y"])], {"a": torch.tensor([0])}), "others of its batch"),
    "NaN weights": (model([node("Flatten", ["x"], ["f"]), node("Mul", ["f", "w"], ["y"])], {"w": torch.full((16,), torch.nan)}), "NaN"),
    "a quantised network": (model([node("Relu", ["x"], ["y"])], more=field(5, field(1, 1) + field(2, 3) + field(8, "w") + field(9, b"1"))), "int8"),
    "functions": (linear() + field(25, b""), "functions of its own"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_cannot_be_read_is_one_clear_error(name):
    content, says = WRONG[name]
    with pytest.raises((CheckpointUnreadable, UnsupportedOperation, InvalidInput), match=says):
        open_onnx(content, (1, 4, 4))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" * 50, b"\x80\x04\x95" * 50, b"{}", bytes(1000), b"\xff" * 1000])
def test_another_kind_of_file_is_unreadable(content):
    with pytest.raises((CheckpointUnreadable, UnsupportedOperation)):
        open_onnx(content, (1, 4, 4))


def test_a_truncated_file_is_unreadable():
    content = linear()
    for length in range(0, len(content), 7):
        with pytest.raises((CheckpointUnreadable, InvalidInput, UnsupportedOperation)):
            open_onnx(content[:length], (1, 4, 4))


def mutated(content: bytes, generator: torch.Generator) -> bytes:
    """With some bytes changed, cut out, or repeated."""
    found = bytearray(content)
    for _ in range(int(torch.randint(1, 6, (), generator=generator))):
        place, kind, byte = (int(torch.randint(high, (), generator=generator)) for high in (len(found), 4, 256))
        if kind < 2:
            found[place] = byte
        elif kind == 2:
            del found[place : place + byte % 9]
        else:
            found[place:place] = found[place : place + byte]
        found = found or bytearray(b"\0")
    return bytes(found)


def survives_mutations(count: int) -> None:
    files = [linear(), *(path.read_bytes() for path in FILES if path.stem in ("lenet-dynamo", "resnet-script", "vit-script"))]
    shapes = [(1, 4, 4), *(tuple(expected(path)["x"].shape[1:]) for path in FILES if path.stem in ("lenet-dynamo", "resnet-script", "vit-script"))]
    generator = torch.Generator().manual_seed(0)
    for number in range(count):
        which = number % len(files)
        try:
            _, network = open_onnx(mutated(files[which], generator), shapes[which])
        except (CheckpointUnreadable, InvalidInput, UnsupportedOperation):
            continue
        assert network(torch.rand(2, *shapes[which])).shape == (2, network.classes)


def test_a_damaged_file_opens_or_is_one_clear_error():
    survives_mutations(24)


@pytest.mark.slow
def test_thousands_of_damaged_files_open_or_are_one_clear_error():
    survives_mutations(8000)


# What is wrong with a checkpoint's lines


def test_the_smallest_configuration_is_a_linear_classifier():
    assert build_model("onnx_graph", {})(torch.rand(2, 1, 28, 28)).shape == (2, 10)


LINES = {
    "v1 = System(v0)": "'System'",
    "v1 = Flatten(v7)": "'v7', which no line before it makes",
    "v0 = Flatten(v0)": "'v0' is made twice",
    "import os": "no operation",
    "v1 = Flatten(v0, axis=__import__)": "cannot be read|is no number",
    "v1 = Expand(v0, [1000000000, 1, 1, 1, 1])": "at most",
    "v1 = Reshape(v0, [2, 3])": "cannot be computed",
    "v1 = Flatten(v0, depth=3)": "'depth' is not known",
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_makes_no_classifier_is_one_clear_error(line):
    with pytest.raises(ConfigurationError, match=LINES[line]):
        onnx_classifier(OnnxConfig(tensors=(), lines=(line,)))


def test_tensors_of_absurd_shapes_are_refused():
    for shape in ("float 99999999x99999999", "float -1", "double 3", "float 1x1x1x1x1x1x1x1x1"):
        with pytest.raises(ConfigurationError, match="no tensor"):
            onnx_classifier(OnnxConfig(**{**asdict(OnnxConfig()), "tensors": (shape,)}))
