"""What the Adversarial augmentation page computes after a release: the search for the worst weights of one image, step by step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from explorer.papers.adversarial_augmentation.exploration import CorruptionPath, PathSettings, corruption_path
from explorer.types import Progress

from .adversarial_augmentation import ChosenNetwork
from .adversarial_augmentation_link import PAGE, Link
from .bounds import Subject
from .following import Search, follow
from .model_choice import Model
from .turns import TURNS, Aside


@dataclass(frozen=True, eq=False)
class View:
    """What the page shows: classifiers, the image, the network, the settings with the committed ν, and the path, None before it is found."""

    models: Sequence[Model]
    subject: Subject
    network: ChosenNetwork
    settings: PathSettings
    search: Search | None
    identity: tuple
    revision: str

    @property
    def path(self) -> CorruptionPath | None:
        return self.search.result if self.search else None

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.models[0].opened.class_names


def view(link: Link, models: Sequence[Model], subject: Subject, network: ChosenNetwork, radius: float, revision: str) -> View:
    """The search is begun, and waited for if it is quick; at ν = 0 there is none. Raises ExplorerError."""
    settings = PathSettings(radius, link.steps, link.ssim_limit, link.seed)
    identity = (models[0].identity, subject.identity[2:], network.identity, settings)
    search = follow(PAGE, ("corruption path", identity), lambda progress: _search(models[0], subject, network, settings, progress)) if radius > 0 else None
    return View(models, subject, network, settings, search, identity, revision)


def _search(model: Model, subject: Subject, network: ChosenNetwork, settings: PathSettings, progress: Progress) -> Iterator[CorruptionPath]:
    with TURNS.search():
        yield corruption_path(model.opened.model, network.backbone.ball(settings.radius), subject.image.to(model.opened.device), subject.label, settings, _Told(progress))


class _Told(Aside):
    """Which also tells how far the search is."""

    def __init__(self, outer: Progress):
        super().__init__(outer)
        self.advance = outer.advance
