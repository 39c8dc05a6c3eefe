"""Adam in one pass over memory: laid out in whatever order, its steps are those of Adam by single operations."""

import pytest
import torch
from torch import nn

from explorer.papers.training import adam
from explorer.training import TrainingState

LAYOUTS = {"channels last": torch.channels_last, "rows of pixels": torch.contiguous_format}


def steps(make, tmp_path, weights, gradients, *, resumed):
    """The weights after four steps, the state written to a file and read back after the second where that is asked for."""
    torch.manual_seed(0)
    model = nn.Conv2d(3, 4, 2).to(memory_format=weights)
    optimiser = make(model.parameters())
    optimiser.param_groups[0]["lr"] = 0.1
    for step in range(4):
        if step == 2 and resumed:
            TrainingState(2, [], {}).save(tmp_path / "state", model, optimiser, torch.Generator())
            optimiser = make(model.parameters())
            optimiser.param_groups[0]["lr"] = 0.1
            TrainingState.resume(tmp_path / "state", {}, model, optimiser, torch.Generator())
        for parameter in model.parameters():
            gradient = torch.randn(parameter.shape)
            parameter.grad = gradient.contiguous(memory_format=gradients) if gradient.ndim == 4 else gradient
        optimiser.step()
    return model.weight.detach()


@pytest.mark.parametrize("resumed", [False, True])
@pytest.mark.parametrize("gradients", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("weights", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_steps_do_not_depend_on_how_tensors_lie_in_memory(tmp_path, weights, gradients, resumed, weight_decay):
    by_operations = steps(lambda parameters: torch.optim.Adam(parameters, lr=1.0, weight_decay=weight_decay), tmp_path, torch.contiguous_format, torch.contiguous_format, resumed=False)
    assert torch.allclose(steps(adam(weight_decay), tmp_path, weights, gradients, resumed=resumed), by_operations, atol=1e-6)
