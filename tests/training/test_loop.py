import pytest
import torch
from torch import nn

from explorer.errors import Cancelled, ExplorerError
from explorer.training import PiecewiseLinear, TrainingState, fit
from explorer.types import Silent


def run(model, *, epochs=4, start=0, optimiser=None, generator=None, progress=None, loss=None, seen=None):
    """Least squares towards noise drawn from the generator, three batches an epoch."""
    generator = generator or torch.Generator().manual_seed(0)

    def batches(generator):
        for _ in range(3):
            yield (torch.randn(8, 2, generator=generator),)

    fit(
        model,
        loss or (lambda model, batch, state: (model(batch[0]) - batch[0]).square().sum(1)),
        batches,
        epochs=epochs,
        batches_per_epoch=3,
        optimiser=optimiser or torch.optim.Adam(model.parameters()),
        schedules={"learning_rate": PiecewiseLinear(((0.0, 0.1), (float(4), 0.0)))},
        generator=generator,
        validate=lambda epoch: {"validation": 0.0},
        after_epoch=(seen if seen is not None else []).append,
        start=start,
        progress=progress,
    )


def linear():
    torch.manual_seed(0)
    return nn.Linear(2, 2)


def test_training_lowers_the_loss():
    seen = []
    run(linear(), seen=seen)
    assert seen[-1].loss < seen[0].loss / 2


def test_a_resumed_training_has_the_weights_of_an_uninterrupted_one(tmp_path):
    whole = linear()
    run(whole)

    first, generator = linear(), torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(first.parameters())
    run(first, epochs=2, optimiser=optimiser, generator=generator)
    TrainingState(2, [], {"seed": 0}).save(tmp_path / "state", first, optimiser, generator)

    second, generator = linear(), torch.Generator()
    optimiser = torch.optim.Adam(second.parameters())
    state = TrainingState.resume(tmp_path / "state", {"seed": 0}, second, optimiser, generator)
    run(second, start=state.epoch, optimiser=optimiser, generator=generator)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), second.parameters()))


def test_a_loss_that_is_not_finite_stops_with_advice():
    with pytest.raises(ExplorerError, match="Lower the learning rate"):
        run(linear(), loss=lambda model, batch, state: model(batch[0]).sum(1) * torch.nan)


def test_a_cancelled_training_stops():
    progress = Silent()
    progress.cancelled = True
    with pytest.raises(Cancelled):
        run(linear(), progress=progress)


def test_the_learning_rate_follows_its_schedule_within_an_epoch():
    rates = []
    model = linear()
    optimiser = torch.optim.SGD(model.parameters(), lr=1.0)

    def loss(model, batch, state):
        rates.append(state.values["learning_rate"])
        return model(batch[0]).sum(1)

    run(model, epochs=1, optimiser=optimiser, loss=loss)
    assert rates == pytest.approx([0.1, 0.1 - 0.1 / 12, 0.1 - 0.2 / 12])


def test_a_long_gradient_is_shortened_to_the_clip_norm():
    moved = []
    for clip_norm in (None, 0.5):
        model = linear()
        before = torch.cat([each.detach().clone().flatten() for each in model.parameters()])
        fit(
            model,
            lambda model, batch, state: 100 * model(batch[0]).sum(1),
            lambda generator: [(torch.ones(4, 2),)],
            epochs=1,
            batches_per_epoch=1,
            optimiser=torch.optim.SGD(model.parameters(), lr=1.0),
            schedules={"learning_rate": lambda epoch: 1.0},
            generator=torch.Generator(),
            validate=lambda epoch: {},
            after_epoch=lambda epoch: None,
            clip_norm=clip_norm,
        )
        moved.append(float((torch.cat([each.detach().flatten() for each in model.parameters()]) - before).norm()))
    assert moved[0] > 100 and moved[1] == pytest.approx(0.5, rel=1e-3)
