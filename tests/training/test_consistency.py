import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from explorer.sets import LpBall
from explorer.training import AugMix, State, augmixed, changed, clean, in_turn, jensen_shannon, joined_by_attack, trades
from explorer.training.consistency import divergence


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(75, 3))


@pytest.fixture
def batch():
    return torch.rand(4, 3, 5, 5, generator=torch.Generator().manual_seed(1)), torch.tensor([0, 1, 2, 0])


def state(seed=0):
    return State(0.0, {}, torch.Generator().manual_seed(seed))


class Answers(nn.Module):
    """Gives the logits that stand in the first pixels of an image."""

    def forward(self, x):
        return x.flatten(1)[:, :2]


def standing(*logits):
    return torch.tensor(logits).view(-1, 1, 1, 2)


def test_the_divergence_of_equal_answers_is_0_and_of_certain_unlike_ones_the_logarithm_of_their_number():
    answer = torch.tensor([[0.3, -1.0, 2.0]])
    assert divergence(answer.expand(3, 1, 3)).abs().max() < 1e-6
    assert divergence(100.0 * torch.eye(3)[:, None]).item() == pytest.approx(math.log(3), abs=1e-5)


def test_the_divergence_of_two_coins_is_the_one_done_by_hand():
    p, q = 0.5, 0.9
    logits = torch.tensor([[[0.0, 0.0]], [[math.log(9.0), 0.0]]])
    m = (p + q) / 2
    by_hand = sum(a * math.log(a / b) for each in (p, q) for a, b in ((each, m), (1 - each, 1 - m))) / 2
    assert divergence(logits).item() == pytest.approx(by_hand, abs=1e-6)


def test_the_jensen_shannon_loss_is_the_published_formula(model, batch):
    images, labels = batch
    versions = [torch.rand_like(images) for _ in range(2)]
    found = jensen_shannon(12.0)(model, (images, labels, *versions), state()).mean()
    p = [F.softmax(model(each), 1) for each in (images, *versions)]
    mixture = torch.clamp(sum(p) / 3, 1e-7, 1).log()
    published = F.cross_entropy(model(images), labels) + 12 * sum(F.kl_div(mixture, each, reduction="batchmean") for each in p) / 3
    torch.testing.assert_close(found, published)


def test_without_versions_the_losses_are_cross_entropies(model, batch):
    plain = F.cross_entropy(model(batch[0]), batch[1], reduction="none")
    torch.testing.assert_close(jensen_shannon(12.0)(model, batch, state()), plain)
    torch.testing.assert_close(trades(6.0)(model, batch, state()), plain)


def test_all_versions_are_one_batch_for_batch_norm(batch):
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(75, 3)).train()
    jensen_shannon(1.0)(network, (*batch, batch[0] + 1, batch[0] + 2), state())
    assert network[0].num_batches_tracked == 1
    torch.testing.assert_close(network[0].running_mean, 0.1 * (batch[0].mean((0, 2, 3)) + 1))


def test_trades_is_the_one_done_by_hand():
    clean_logits, attacked_logits = standing((math.log(3.0), 0.0)), standing((0.0, 0.0))
    found = trades(6.0)(Answers(), (clean_logits, torch.tensor([0]), attacked_logits), state()).item()
    by_hand = -math.log(0.75) + 6 * (0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5))
    assert found == pytest.approx(by_hand, abs=1e-6)


def test_the_gradient_of_trades_reaches_both_answers():
    images, attacked = standing((1.0, 0.0)).requires_grad_(), standing((0.0, 0.5)).requires_grad_()
    trades(6.0)(Answers(), (images, torch.tensor([0]), attacked), state()).sum().backward()
    assert images.grad.abs().sum() > 0 and attacked.grad.abs().sum() > 0


def test_the_search_of_trades_finds_the_answer_most_unlike_that_at_the_image():
    """Two logits of ½ ± 0.1 each: the answer is most unlike one of halves where they differ most, whichever is the larger."""
    x = standing((0.5, 0.5))
    prepare = joined_by_attack(LpBall(math.inf, 0.1), steps=10, step_size=0.3)
    _, labels, found = prepare(Answers(), (x, torch.tensor([0])), state())
    assert sorted(found.flatten().tolist()) == pytest.approx([0.4, 0.6], abs=1e-5)
    assert (found - x).abs().max() <= 0.1 + 1e-6 and labels.tolist() == [0]


def test_a_search_leaves_batch_norm_as_it_was(batch):
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(75, 3)).train()
    joined_by_attack(LpBall(2, 0.1), steps=2, step_size=0.5)(network, batch, state())
    assert network.training and network[0].num_batches_tracked == 0 and all(each.grad is None for each in network.parameters())


def test_augmix_replaces_the_images_or_joins_them(model, batch):
    images, labels = augmixed(AugMix())(model, batch, state())
    assert not torch.equal(images, batch[0]) and torch.equal(labels, batch[1])
    same, _, *versions = augmixed(AugMix(), 2)(model, batch, state())
    assert torch.equal(same, batch[0]) and len(versions) == 2 and not torch.equal(*versions)


def test_a_pipeline_hands_on_what_each_stage_has_made(model, batch):
    twice = in_turn(changed(lambda model, batch, state: batch[0] * 0.5), changed(lambda model, batch, state: batch[0] + 0.25), changed(clean))
    images, labels = twice(model, batch, state())
    assert torch.equal(images, batch[0] * 0.5 + 0.25) and torch.equal(labels, batch[1])
