"""The kinds of runs on VAEs: Table 1's columns, and Figure 3's curve."""

from dataclasses import replace
from typing import Any

from explorer.papers.certified_vae import KIND, CertifiedVae, open_certified_vae
from explorer.papers.certified_vae.evaluation import (
    ATTACK_KIND,
    ELBO_KIND,
    AttackSettings,
    ElboSettings,
    attack_problems,
    attack_table,
    elbo_problems,
    elbo_table,
)
from explorer.papers.certified_vae.pictures import RADIUS, SHOWN, attacked_images, contact_sheet
from explorer.types import Inner

from .measuring import follow, kind_problems
from .task import Task

SAMPLE_IMAGES = 4


def measure_elbo(task: Task) -> None:
    """ELBO and bound over train and test split; what is measured so far is a table after each batch, the whole a results file."""
    follow(task, _opened(task), ELBO_KIND, "elbo", elbo_table)


def measure_attack(task: Task) -> None:
    """ELBO under attack and its bound over the radii, for the test images; as above. At the end a picture of the first images, attacked
    at the radius of the paper's Figures 1 and 2, or else at the largest."""
    follow(task, _opened(task), ATTACK_KIND, "attack", attack_table)
    settings = task.parameters
    radius = RADIUS if RADIUS in settings.radii else settings.radii[-1]
    count = min(SHOWN, settings.limit or SHOWN)
    shown = attacked_images(_opened(task), count=count, radius=radius, clip=settings.clip, seed=settings.seed, steps=settings.steps, progress=Inner(task.progress))
    task.table("attacked", {"radius": radius, "clean_elbo": shown.clean_elbo, "attacked_elbo": shown.attacked_elbo})
    task.picture("attacked", contact_sheet(shown))


def elbo_run_problems(inputs: Any, settings: ElboSettings) -> list[str]:
    return elbo_problems(settings) + kind_problems(inputs, KIND)


def attack_run_problems(inputs: Any, settings: AttackSettings) -> list[str]:
    return attack_problems(settings) + kind_problems(inputs, KIND)


def few_images(inputs: Any, settings: Any) -> tuple[Any, float]:
    """The first few test images, and for Table 1 as many of training."""
    opened = open_certified_vae(inputs.checkpoint, "cpu", inputs.root)
    splits = ("test", "train") if isinstance(settings, ElboSettings) else ("test",)
    counts = [min(settings.limit or available, available) for available in (len(opened.data.load(split)) for split in splits)]
    few = min(SAMPLE_IMAGES, *counts)
    return replace(settings, limit=few, batch_size=few), sum(counts) / (few * len(counts))


def _opened(task: Task) -> CertifiedVae:
    return open_certified_vae(task.inputs.checkpoint, task.device, task.inputs.root)
