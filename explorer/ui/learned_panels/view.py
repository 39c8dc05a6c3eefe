"""What a panel is given."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from explorer.figures import Provenance
from explorer.papers.learned_sets import Exploration, LearnedSet
from explorer.ui.learned_sets import Subject
from explorer.ui.learned_sets_link import Link
from explorer.ui.working import work_in_background

__all__ = ["Show", "View", "batch_of_a_run", "work_in_background"]


@dataclass(frozen=True)
class View:
    """What the page shows above its panels: the set, the framed clean image, and the point that was committed.

    `identity` says which version of which checkpoint this is; `others` are the keys of the other checkpoints at hand."""

    path: Path
    learned: LearnedSet
    identity: str
    subject: Subject
    clean: torch.Tensor
    result: Exploration
    radius: float
    provenance: Provenance
    revision: int
    others: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


    @property
    def over_test_pairs(self) -> Provenance:
        """Of a measurement that neither the image nor the point has a part in."""
        return replace(self.provenance, radius=self.learned.radius, settings={"checkpoint_revision": self.learned.checkpoint.header.revision})


def batch_of_a_run(view: View) -> int:
    """How many pairs between two signs of progress: a few seconds' worth."""
    return 10 if view.learned.device.type == "cpu" else 250


Show = Callable[[Link, View], Link]
