import pytest
import torch

from explorer.attacks import likely_classes, targeted_difference_of_logits_ratio
from explorer.errors import InvalidInput

LOGITS = torch.tensor([[5.0, 1.0, 3.0, 2.0], [0.0, 4.0, 1.0, 3.0]])
LABELS = torch.tensor([0, 3])


def test_the_likeliest_other_classes_come_first():
    assert likely_classes(LOGITS, LABELS).tolist() == [[2, 3, 1], [1, 2, 0]]


def test_the_targeted_ratio_by_hand():
    ratio = targeted_difference_of_logits_ratio(lambda x: x, LABELS, torch.tensor([2, 1]))(LOGITS)
    assert ratio.tolist() == pytest.approx([-(5 - 3) / (5 - 1.5), -(3 - 4) / (4 - 0.5)])


def test_shift_and_scale_of_the_logits_change_nothing():
    targets = torch.tensor([2, 1])
    one, other = (targeted_difference_of_logits_ratio(lambda x: x, LABELS, targets)(logits) for logits in (LOGITS, 7 * LOGITS - 3))
    torch.testing.assert_close(one, other)


def test_it_needs_four_classes():
    with pytest.raises(InvalidInput, match="at least 4 classes, got 3"):
        targeted_difference_of_logits_ratio(lambda x: x, LABELS, LABELS)(LOGITS[:, :3])
