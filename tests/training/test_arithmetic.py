"""A training in 16 bits, or with its images pixel by pixel in memory, is the same training but for rounding."""

import json

import pytest
import torch
from torch import nn

from explorer.checkpoints import describe, load
from explorer.models.blocks import ReflectedConv2d
from explorer.papers import EXPERIMENTS
from explorer.papers.base import Place
from explorer.train import configure, main
from explorer.training.arithmetic import PLAIN, Arithmetic
from explorer.types import Silent

CPU, HALF, LAST = torch.device("cpu"), Arithmetic("bfloat16"), Arithmetic(channels_last=True)
SMALL = {"limit": "48", "batch_size": "16", "epochs": "2"}
TRAININGS = {
    "lenet-digits-pgd": {},  # a search for each batch
    "augmix-digits": {},  # mixtures and batch norm
    "uniform-digits": {},  # bounds, recorded from the network
    "digits-rts": {"epochs": "1", "localization_widths": "8", "latent_dim": "4", "transformers": "1", "passes": "1"},  # likelihoods of pixels, and a grid of coordinates
}


def network():
    torch.manual_seed(1)
    return nn.Sequential(ReflectedConv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 3, stride=2), nn.Flatten(), nn.Linear(36, 5))


def outputs_and_gradients(arithmetic, model, x):
    """Of every module its output, then the gradients of the parameters."""
    seen = []
    hooks = [each.register_forward_hook(lambda module, _, output: seen.append(output)) for each in model]
    with arithmetic.within(model):
        model(x).square().sum().backward()
    for hook in hooks:
        hook.remove()
    return seen, [each.grad for each in model.parameters()]


def trained(name, arithmetic, folder, resume=False, **changes):
    config = configure(EXPERIMENTS[name], SMALL | TRAININGS[name] | changes)
    EXPERIMENTS[name].train(name, config, Place(folder, CPU, None, resume, arithmetic), Silent())
    return json.loads((folder / "history.json").read_text())


def test_products_are_of_16_bits_and_all_else_is_of_32():
    x = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    model, half = network(), network()
    exact, exact_gradients = outputs_and_gradients(PLAIN, model, x)
    rounded, rounded_gradients = outputs_and_gradients(HALF, half, x)
    assert {each.dtype for each in (*rounded, *rounded_gradients, *half.parameters())} == {torch.float32}
    assert torch.equal(rounded[0], rounded[0].bfloat16().float()) and not torch.equal(exact[0], exact[0].bfloat16().float())
    assert not torch.equal(rounded[1], rounded[1].bfloat16().float()), "batch norm is not rounded"
    for one, other in zip((exact[-1], *exact_gradients), (rounded[-1], *rounded_gradients), strict=True):
        assert 0 < float((one - other).detach().norm()) < 0.1 * float(one.detach().norm()) + 0.05  # a bias before batch norm has no gradient: its rounding is that of its weights', of norm 7


def test_afterwards_the_model_is_as_it_was():
    model, x = network().eval(), torch.rand(2, 3, 8, 8)
    before = model(x)
    with pytest.raises(ValueError), HALF.within(model):
        raise ValueError
    assert torch.equal(model(x), before) and not any("forward" in each.__dict__ for each in model.modules())


def test_what_no_gradient_goes_through_is_exact():
    model, x = network().eval(), torch.rand(2, 3, 8, 8)
    with torch.no_grad():
        before = model(x)
        with HALF.within(model):
            assert torch.equal(model(x), before)


def test_channels_stay_last_through_the_model_and_the_numbers_are_the_same():
    x = torch.rand(6, 3, 8, 8)
    plain, model = network(), LAST.prepared(network())
    (ready, labels) = LAST.ready((x, torch.arange(6)))
    assert ready.is_contiguous(memory_format=torch.channels_last) and torch.equal(ready, x) and torch.equal(labels, torch.arange(6))
    exact, exact_gradients = outputs_and_gradients(PLAIN, plain, x)
    seen, gradients = outputs_and_gradients(LAST, model, ready)
    assert all(each.is_contiguous(memory_format=torch.channels_last) and not each.is_contiguous() for each in seen if each.ndim == 4)
    for one, other in zip((*exact, *exact_gradients), (*seen, *gradients), strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", TRAININGS)
@pytest.mark.parametrize("arithmetic", [*(pytest.param(each, marks=pytest.mark.slow) for each in (HALF, LAST)), Arithmetic("bfloat16", True)], ids=["bfloat16", "channels-last", "both"])
def test_every_kind_of_training_learns_what_it_learns_in_float32(name, arithmetic, tmp_path):
    exact, other = trained(name, PLAIN, tmp_path / "exact"), trained(name, arithmetic, tmp_path / "other")
    assert exact[0]["loss"] == pytest.approx(other[0]["loss"], rel=0.01) and exact != other
    first, second = load(tmp_path / "exact" / "last.safetensors"), load(tmp_path / "other" / "last.safetensors")
    assert {(key, each.dtype, each.shape) for key, each in first.model.state_dict().items()} == {(key, each.dtype, each.shape) for key, each in second.model.state_dict().items()}
    assert first.header.kind == second.header.kind and arithmetic.told in second.header.description and "trained in" not in first.header.description


def test_a_training_goes_on_in_another_arithmetic(tmp_path):
    class Enough(Silent):
        cancelled = False

        def advance(self, done, total, note=""):
            self.cancelled = done > total / 2

    name, config = "lenet-digits-pgd", configure(EXPERIMENTS["lenet-digits-pgd"], SMALL)
    with pytest.raises(Exception, match="stopped"):
        EXPERIMENTS[name].train(name, config, Place(tmp_path, CPU, None, False, PLAIN), Enough())
    begun = json.loads((tmp_path / "history.json").read_text())
    history = trained(name, Arithmetic("bfloat16", True), tmp_path, resume=True)
    assert len(begun) == 1 and len(history) == 2 and history[0] == begun[0]
    assert "trained in bfloat16, channels last" in describe(tmp_path / "last.safetensors").description


def test_the_command_takes_both_and_refuses_what_is_neither(tmp_path, capsys):
    options = [word for key, value in SMALL.items() for word in (f"--{key.replace('_', '-')}", value)]
    assert main(["lenet-digits-standard", *options, "--device", "cpu", "--precision", "bfloat16", "--channels-last", "--output", str(tmp_path)]) == 0
    assert "trained in bfloat16, channels last" in describe(tmp_path / "last.safetensors").description
    with pytest.raises(SystemExit):
        main(["lenet-digits-standard", "--precision", "float8"])
    assert "bfloat16" in capsys.readouterr().err
