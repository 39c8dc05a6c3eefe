"""Bounds beside what can be known exactly, their gradients, their rounding, and what is refused."""

import copy
import itertools
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from jaxtyping import Float
from scipy.optimize import linprog
from torch import Tensor, nn

from explorer.bounds import (
    METHODS,
    Ball,
    Interval,
    bounds,
    cross_entropy_bound,
    enclosing,
    layer_bounds,
    margin_rows,
    mixed_cross_entropy,
    trace,
)
from explorer.bounds import methods as methods_module
from explorer.errors import InvalidInput, UnknownName, UnsupportedOperation
from explorer.models import build_model
from explorer.sets.regions import Box, Clipped, L1Ball, L2Ball
from tests.bounds.networks import IMAGE, Apply, random_network
from tests.bounds.test_laws import box_of, inside


def dense(*sizes, seed=0):
    torch.manual_seed(seed)
    layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1]).eval()


# By hand


def test_two_neurons_by_hand():
    network = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[1.0, 1.0], [1.0, -1.0]]))
        network[2].weight.copy_(torch.tensor([[1.0, 1.0]]))
    box = Interval(torch.tensor([[-1.0, -1.0]]), torch.tensor([[1.0, 1.0]]))
    with torch.no_grad():
        ibp, crown = bounds(network, box), bounds(network, box, "crown", slopes="same")
    assert (float(ibp.lower), float(ibp.upper)) == (0, 4)
    # both ReLUs lie on [−2, 2]: below x/2, above x/2 + 1, so that their sum lies in x₁ to x₁ + 2
    assert (float(crown.lower), float(crown.upper)) == (0, 3)  # 0 from the intervals, which it is met with


def test_a_budget_on_one_pixel_moves_by_its_weight():
    network = nn.Linear(3, 1)
    x = torch.rand(1, 3)
    for method in METHODS:
        found = bounds(network, Interval.around(x, torch.tensor([[0.0, 0.1, 0.0]])), method)
        assert torch.allclose(found.width, 0.2 * network.weight[:, 1].abs(), atol=1e-6)


# Exact ranges


def exact_range(network, box):
    """The range of a network with one hidden layer, by a linear programme for each pattern of its ReLUs."""
    first, last = network[0], network[-1]
    weight, bias = first.weight.detach().double().numpy(), first.bias.detach().double().numpy()
    out, shift = last.weight.detach().double().numpy()[0], last.bias.detach().double().numpy()[0]
    limits = list(zip(box.lower[0].tolist(), box.upper[0].tolist()))
    ends = []
    for pattern in itertools.product((0, 1), repeat=len(bias)):
        on = np.array(pattern)
        sign = np.where(on, -1.0, 1.0)
        objective, constant = (out * on) @ weight, (out * on) @ bias + shift
        for direction in (1, -1):
            found = linprog(direction * objective, A_ub=sign[:, None] * weight, b_ub=-sign * bias, bounds=limits)
            if found.success:
                ends.append(direction * found.fun + constant)
    return min(ends), max(ends)


@pytest.mark.parametrize("seed", range(6))
def test_the_exact_range_lies_inside_every_bound(seed):
    network = dense(3, 5, 1, seed=seed)
    box = Interval.around(torch.rand(1, 3), 0.4)
    low, high = exact_range(network, box)
    for method in METHODS:
        with torch.no_grad():
            found = bounds(network, box, method)
        assert found.lower <= low + 1e-5 and found.upper >= high - 1e-5
    assert bounds(network, box, "alpha-crown").width <= bounds(network, box).width + 1e-5


def test_without_unstable_neurons_linear_propagation_is_exact():
    network = dense(3, 5, 1)
    with torch.no_grad():
        network[0].bias.fill_(5.0)
        box = Interval.around(torch.rand(1, 3), 0.2)
        found, (low, high) = bounds(network, box, "crown-ibp"), exact_range(network, box)
    assert float(found.lower) == pytest.approx(low, abs=1e-5) and float(found.upper) == pytest.approx(high, abs=1e-5)


# Sigmoid


@pytest.mark.parametrize("method", METHODS)
def test_outputs_of_a_sigmoid_are_those_of_the_bounds_before_it(method):
    network = dense(4, 16, 3)
    box = Interval.around(torch.rand(5, 4), 0.7)
    with torch.no_grad():
        before, after = bounds(network, box, method), bounds(nn.Sequential(network, nn.Sigmoid()), box, method)
    assert (after.lower >= 0).all() and (after.upper <= 1).all()
    assert torch.allclose(after.lower, before.lower.sigmoid(), atol=1e-6) and torch.allclose(after.upper, before.upper.sigmoid(), atol=1e-6)


# Patches, chunks, layers


@pytest.mark.parametrize("limit", [1 << 18, 1 << 20, None])
def test_chunks_change_nothing(limit):
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Conv2d(3, 4, 2), nn.ReLU(), nn.Flatten(), nn.Linear(16, 20), nn.ReLU(), nn.Linear(20, 5))
    box = box_of(0)
    with torch.no_grad():
        found, whole = bounds(network, box, "crown", memory_limit=limit), bounds(network, box, "crown")
    assert torch.allclose(found.lower, whole.lower, atol=1e-5) and torch.allclose(found.upper, whole.upper, atol=1e-5)


@pytest.mark.parametrize("round_", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_patches_are_whole_images_cut_small(monkeypatch, stride, padding, round_):
    torch.manual_seed(0)
    parts = nn.Conv2d(1, 3, 3, stride, padding), nn.BatchNorm2d(3), nn.LeakyReLU(0.2), nn.Conv2d(3, 4, 3, 1, padding), nn.Conv2d(4, 2, 2, stride, padding), nn.Sigmoid(), nn.Conv2d(2, 2, 2), nn.ReLU()
    network = nn.Sequential(*parts, nn.Flatten()).eval()
    x = torch.rand(3, 1, 14, 13)
    given = Ball(x, torch.tensor([0.1, 0.5, 0.0])) if round_ else Interval.around(x, 0.1 * torch.rand_like(x))
    with torch.no_grad():
        by_patches = bounds(network, given, "crown")
        monkeypatch.setattr(methods_module, "convolution_bounds", lambda *_: None)
        whole = bounds(network, given, "crown")
    assert torch.allclose(by_patches.lower, whole.lower, atol=1e-5) and torch.allclose(by_patches.upper, whole.upper, atol=1e-5)


def test_every_layer_has_its_interval():
    network, box = dense(3, 4, 2), Interval.around(torch.rand(2, 3), 0.1)
    layers = layer_bounds(network, box, "crown")
    assert [(layer.path, layer.name) for layer in layers] == [("", "input"), ("0", "linear"), ("1", "relu"), ("2", "linear")]
    assert torch.equal(layers[-1].interval.lower, bounds(network, box, "crown").lower)


# Gradients


@pytest.mark.parametrize("method", ["ibp", "crown-ibp", "crown"])
@pytest.mark.parametrize("only", [("relu",), ("sigmoid", "tanh"), ("softplus", "square", "exp")])
def test_gradients_are_those_of_finite_differences(method, only):
    network = random_network(11, layers=2, only=only).double()
    box = box_of(3)
    center, radius = box.center.double(), (0.5 * box.radius + 0.01).double()

    def total(radius, shift=0.0):
        for parameter in network.parameters():
            parameter.data += shift
        found = bounds(network, Interval.around(center, radius), method)
        for parameter in network.parameters():
            parameter.data -= shift
        return found.upper.sum() - 2 * found.lower.sum()

    radius.requires_grad_()
    value = total(radius)
    gradients = torch.autograd.grad(value, [radius, *network.parameters()], allow_unused=True)
    direction = torch.randn(radius.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with torch.no_grad():
        step = 1e-6
        by_radius = (total(radius + step * direction) - total(radius - step * direction)) / (2 * step)
        by_weights = (total(radius, step) - total(radius, -step)) / (2 * step)
    assert float(by_radius) == pytest.approx(float((gradients[0] * direction).sum()), rel=1e-3, abs=1e-5)
    assert float(by_weights) == pytest.approx(float(sum(each.sum() for each in gradients[1:] if each is not None)), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("method", ["ibp", "crown-ibp"])
def test_the_loss_has_gradients_of_finite_differences(method):
    network, labels = dense(4, 12, 9, 5).double(), torch.tensor([0, 3, 4])
    x, radius = torch.rand(3, 4).double(), torch.full((3,), 0.1, dtype=torch.float64, requires_grad=True)
    loss = lambda r: cross_entropy_bound(network, Interval.around(x, r), labels, method).sum()  # noqa: E731
    (gradient,) = torch.autograd.grad(loss(radius), radius)
    with torch.no_grad():
        for place in range(3):
            step = 1e-6 * F.one_hot(torch.tensor(place), 3)
            assert float((loss(radius + step) - loss(radius - step)) / 2e-6) == pytest.approx(float(gradient[place]), rel=1e-4)


def test_nothing_becomes_nan_where_all_neurons_are_stable():
    network = dense(3, 6, 6, 2)
    x = torch.rand(2, 3)
    radius = torch.zeros(2, requires_grad=True)
    for method in ("ibp", "crown-ibp"):
        loss = cross_entropy_bound(network, Interval.around(x, radius), torch.tensor([0, 1]), method).sum()
        gradients = torch.autograd.grad(loss, [radius, *network.parameters()])
        assert all(each.isfinite().all() for each in gradients)


# Rounding


@pytest.mark.parametrize("method", METHODS)
def test_outward_rounding_holds_the_value_of_float64(method):
    torch.manual_seed(1)
    network = dense(784, 64, 64, 10)
    exact = copy.deepcopy(network).double()
    x = torch.rand(64, 784)
    box = Interval.around(x, 1e-8)
    with torch.no_grad():
        found = bounds(network, box, method, rounding="outward")
        middle = exact((box.lower.double() + box.upper.double()) / 2)
    assert found.lower.dtype == torch.float32
    assert int((found.lower.double() > middle).sum() + (found.upper.double() < middle).sum()) == 0
    assert float(found.width.max()) < 1e-4


def test_rounding_to_nearest_misses_some_of_them():
    """What `outward` is for."""
    torch.manual_seed(1)
    network = dense(784, 64, 64, 10)
    exact, x = copy.deepcopy(network).double(), torch.rand(64, 784)
    with torch.no_grad():
        found, value = bounds(network, Interval(x, x)), exact(x.double())
    assert not found.holds(value).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(8))
def test_outward_rounding_holds_the_value_of_random_networks(method, seed):
    network = random_network(seed)
    exact, box = copy.deepcopy(network).double(), box_of(seed, largest=1e-7)
    with torch.no_grad():
        found = bounds(network, box, method, rounding="outward")
        wide = Interval(found.lower.double(), found.upper.double())
        for x in inside(Interval(box.lower.double(), box.upper.double()), seed, points=6):
            assert wide.holds(exact(x)).all()


# Cross-entropy


@pytest.mark.parametrize("method", ["ibp", "crown-ibp"])
def test_the_fused_loss_is_above_every_cross_entropy_of_the_box(method):
    network, labels = dense(4, 20, 20, 6, seed=2), torch.randint(6, (8,))
    box = Interval.around(torch.rand(8, 4), 0.3)
    with torch.no_grad():
        bound = cross_entropy_bound(network, box, labels, method)
        losses = torch.stack([F.cross_entropy(network(x), labels, reduction="none") for x in inside(box, 0, 50)])
    assert (losses <= bound + 1e-5).all()


def test_the_fused_loss_of_a_box_without_width_is_the_cross_entropy():
    network, labels, x = dense(4, 20, 6), torch.randint(6, (8,)), torch.rand(8, 4)
    assert torch.allclose(cross_entropy_bound(network, Interval(x, x), labels), F.cross_entropy(network(x), labels, reduction="none"), atol=1e-5)


def test_a_mixture_has_its_ends():
    network, labels, box = dense(4, 20, 6), torch.randint(6, (8,)), Interval.around(torch.rand(8, 4), 0.2)
    ibp, fused = (cross_entropy_bound(network, box, labels, method) for method in ("ibp", "crown-ibp"))
    for share, expected in ((0, ibp), (1, fused), (0.25, 0.75 * ibp + 0.25 * fused)):
        assert torch.allclose(mixed_cross_entropy(network, box, labels, share), expected)


def test_margins_are_label_minus_other():
    rows = margin_rows(torch.tensor([1]), 3)
    assert rows.tolist() == [[[-1, 1, 0], [0, 1, -1]]]


@pytest.mark.parametrize("method", METHODS)
def test_lower_ends_alone_are_those_of_both_ends(method):
    network, box = dense(4, 20, 6), Interval.around(torch.rand(3, 4), 0.2)
    rows = margin_rows(torch.randint(6, (3,)), 6)
    both, alone = (bounds(network, box, method, rows, ends=ends) for ends in ("both", "lower"))
    assert torch.allclose(alone.lower, both.lower, atol=1e-5)
    assert (alone.upper >= both.upper - 1e-5).all()


def test_one_end_without_a_specification_is_an_error():
    with pytest.raises(InvalidInput, match="for a specification"):
        bounds(dense(4, 6), Interval.around(torch.rand(1, 4), 0.1), "crown", ends="lower")


# The package's networks and regions


@pytest.mark.parametrize(("name", "config"), [("dm_small", {}), ("linf_conv_cvae", {})])
def test_annotated_networks_of_this_package_are_recorded(name, config):
    model = build_model(name, config).eval()
    part, x = (model, torch.rand(2, 1, 28, 28)) if name == "dm_small" else (PriorMean(model), torch.rand(2, 1, 28, 28))
    with torch.no_grad():
        found = bounds(part, Interval.around(x, 0.01), "crown-ibp" if name == "dm_small" else "ibp")
        assert found.holds(part(x), 1e-4).all()


class PriorMean(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.prior = model.prior

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch latent"]:
        return self.prior(x).mean


def test_what_encloses_a_region():
    x = torch.full((2, 1, 2, 2), 0.1)
    box = Box(torch.full_like(x, 0.3))
    assert torch.equal(enclosing(x, box).lower, x - 0.3)
    assert torch.equal(enclosing(x, Clipped(box, -x, 1 - x)).lower, torch.zeros_like(x))
    for region in (L2Ball, L1Ball):
        assert torch.equal(enclosing(x, region(torch.tensor([0.1, 0.2]), (1, 2, 2))).radius, torch.tensor([0.1, 0.2]))


def test_threads_may_bound_and_use_one_network_at_once():
    network, box = random_network(5), box_of(0)
    with torch.no_grad():
        expected = bounds(network, box, "crown-ibp")

    def use(number):
        with torch.no_grad():
            for _ in range(20):
                found = bounds(network, box, "crown-ibp") if number % 2 else network(box.center)
        return found

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(use, range(4)))
    assert torch.equal(results[1].lower, expected.lower) and torch.equal(results[3].upper, expected.upper)
    assert not any(module._forward_hooks or "forward" in vars(module) for module in network.modules())


def test_a_recorded_network_serves_several_sets_and_follows_its_parameters():
    network, box = dense(3, 6, 4), Interval.around(torch.rand(5, 3), 0.1)
    graph = trace(network, box.center)
    with torch.no_grad():
        network[0].weight.mul_(2)
        for method in METHODS:
            found, expected = bounds(graph, box, method), bounds(network, box, method)
            assert torch.equal(found.lower, expected.lower)
    with pytest.raises(InvalidInput, match="recorded for inputs of shape"):
        bounds(graph, Interval.around(torch.rand(5, 2), 0.1))


# What is refused


class Deep(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(2, 2, 1), Apply(function))

    def forward(self, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch out"]:
        return self.encoder(x).flatten(1)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: F.grid_sample(x, torch.zeros(len(x), 2, 2, 2), align_corners=False), "grid_sample"),
        (lambda x: F.gelu(x), "gelu"),
        (lambda x: x.sort(1).values, "sort"),
        (lambda x: F.softmax(x, 1), "softmax"),
    ],
)
@pytest.mark.parametrize("method", ["ibp", "crown"])
def test_an_operation_without_a_rule_is_named_with_its_place(function, name, method):
    with pytest.raises(UnsupportedOperation, match=rf"{name} in encoder\.1.*_RULES"):
        bounds(Deep(function), box_of(0), method)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x - x.mean(0, keepdim=True), "mixes the examples"),
        (lambda x: x if x.sum() > 0 else -x, "mixes the examples|reads the value"),
        (lambda x: x + torch.rand_like(x), "rand_like|cannot be recorded"),
        (lambda x: x * float(x.flatten()[0]), "mixes the examples|reads the value"),
    ],
)
def test_what_cannot_be_bounded_says_why(function, message):
    with pytest.raises(UnsupportedOperation, match=message):
        bounds(Deep(function), box_of(0))


class Hidden(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return torch.from_numpy(np.tanh(x.detach().numpy()))


def test_what_torch_does_not_see_does_not_pass_for_a_constant():
    with pytest.raises(UnsupportedOperation, match="cannot be recorded|reads the value|no bound is known"):
        bounds(Deep(lambda x: x + Hidden.apply(x)), box_of(0))


def test_dropout_in_training_mode_is_refused_and_else_does_nothing():
    network = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5))
    box = Interval.around(torch.rand(2, 3), 0.1)
    with pytest.raises(InvalidInput, match="dropout in 1 is in training mode"):
        bounds(network, box)
    assert torch.equal(bounds(network.eval(), box).lower, bounds(network[0], box).lower)


def test_batch_norm_in_training_mode_is_refused():
    network = nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2), nn.Flatten())
    with pytest.raises(InvalidInput, match="batch_norm in 1 is in training mode"):
        bounds(network, box_of(0))


def _boxes():
    x = torch.rand(2, *IMAGE)
    holed = x.clone()
    holed[0, 0, 0, 0] = math.nan
    return {
        "lower must be at most upper": Interval(x + 0.1, x),
        "must be finite": Interval(holed, x),
        "must be finite: ": Interval.around(x, math.inf),
        "agree in shape": Interval(x, x[:1]),
        "agree in shape, type": Interval(x, x.double()),
        "floating-point": Interval(x.long(), x.long()),
        "radius must be a tensor of 2": Ball(x, torch.zeros(3)),
        "finite radii of at least 0": Ball(x, torch.tensor([0.1, -1.0])),
        "does not take inputs of shape": Interval(x[:, :1], x[:, :1]),
    }


@pytest.mark.parametrize("message", _boxes())
def test_a_set_that_is_none_is_refused(message):
    with pytest.raises(InvalidInput, match=message.strip()):
        bounds(nn.Sequential(nn.Conv2d(2, 1, 3), nn.Flatten()), _boxes()[message])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "crwn"}, UnknownName, "Did you mean 'crown'"),
        ({"slopes": "two"}, InvalidInput, "slopes"),
        ({"rounding": "up"}, InvalidInput, "rounding"),
        ({"method": "crown", "memory_limit": 100}, InvalidInput, "memory_limit = 100 bytes is too small"),
        ({"specification": torch.zeros(3, 2, 5)}, InvalidInput, "batch × rows × classes = 3 × rows × 4"),
        ({"specification": torch.zeros(2, 2, 4)}, InvalidInput, "batch × rows × classes"),
        ({"specification": torch.full((3, 2, 4), math.nan)}, InvalidInput, "NaN"),
    ],
)
def test_a_bad_argument_is_refused_before_any_work(options, error, message):
    with pytest.raises(error, match=message):
        bounds(dense(3, 6, 4), Interval.around(torch.rand(3, 3), 0.1), **options)
