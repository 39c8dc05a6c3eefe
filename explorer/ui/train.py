"""The Train page: an experiment, its configuration beside the paper's, and its training as a run."""

import dataclasses
import json
import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import streamlit as st

from explorer.configuration import from_mapping
from explorer.data import DATASETS
from explorer.errors import ConfigurationError, DataNotFound, ExplorerError
from explorer.hardware import describe_device, pick_device
from explorer.options import given, option_text
from explorer.papers import EXPERIMENTS, PAPERS
from explorer.papers.base import Experiment
from explorer.runs import Specification
from explorer.runs.kinds import specify

from . import cache
from .components import plain

PAGE, FIRST = "train", "digits-rts"
COLUMNS = 4
PLAIN = ":,. "  # in a change, beside letters and digits
LARGEST_SEED = 2**53 - 1  # that a number field of a browser holds


@dataclass(frozen=True)
class Link:
    """The page's settings, as they stand in its URL. `changes` are fields that differ from the experiment's, as name=value;…"""

    experiment: str = FIRST
    changes: str = ""
    seed: int = 0
    device: str = "auto"


def checked(link: Link) -> tuple[Link, list[str]]:
    """The link with what does not exist replaced, and a sentence for each."""
    problems = []
    if link.experiment not in EXPERIMENTS:
        problems.append(f"The link's experiment {link.experiment[:40]!r} is not known. Known: {', '.join(EXPERIMENTS)}.")
        link = Link()
    known = {field.name for field in dataclasses.fields(EXPERIMENTS[link.experiment].config)}
    if unknown := [name for name in read_changes(link.changes) if name not in known]:
        problems.append(f"The link changes {', '.join(unknown)[:80]}, which {link.experiment} does not have.")
        link = dataclasses.replace(link, changes=write_changes({name: text for name, text in read_changes(link.changes).items() if name in known}))
    if not 0 <= link.seed <= LARGEST_SEED:
        problems.append(f"The link's seed = {link.seed} cannot be used: expected 0 to {LARGEST_SEED}. The default is shown instead.")
        link = dataclasses.replace(link, seed=0)
    if link.device not in devices():
        problems.append(f"The link's device {link.device[:20]!r} is not on this machine. The default is shown instead.")
        link = dataclasses.replace(link, device="auto")
    return link, problems


def read_changes(text: str) -> dict[str, str]:
    pairs = (part.split("=", 1) for part in text.split(";") if "=" in part)
    return {name: unquote(value) for name, value in pairs}


def write_changes(changes: dict[str, str]) -> str:
    return ";".join(f"{name}={quote(text, safe=PLAIN)}" for name, text in changes.items())


def devices() -> list[str]:
    """What a training may be asked to run on here."""
    import torch

    return ["auto", "cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]


def choose_experiment(link: Link, revision: int) -> Link:
    names = list(EXPERIMENTS)
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    with left:
        name = st.selectbox("Experiment", names, names.index(link.experiment), key=f"experiment-{revision}")
    with right:
        experiment = EXPERIMENTS[name]
        st.caption(f"{plain(experiment.description, 200)} · {PAPERS[experiment.paper].short_name}")
    return link if name == link.experiment else dataclasses.replace(link, experiment=name, changes="")


def field_key(experiment: str, name: str, revision: int) -> str:
    """Of a field's text in the session."""
    return f"field-{experiment}-{name}-{revision}"


def edit_fields(link: Link, revision: int) -> Link:
    """A field each, with the paper's value below where it differs."""
    experiment = EXPERIMENTS[link.experiment]
    texts, changes = read_changes(link.changes), {}
    fields = [field.name for field in dataclasses.fields(experiment.config) if field.name != "seed"]
    for first in range(0, len(fields), COLUMNS):
        for column, name in zip(st.columns(COLUMNS), fields[first : first + COLUMNS]):
            own = option_text(getattr(experiment.config, name))
            with column:
                text = st.text_input(name.replace("_", " "), texts.get(name, own), key=field_key(link.experiment, name, revision), help=_help(experiment, name)).strip()
                if (paper := _published(experiment, name)) is not None and text != paper:
                    st.caption(f"paper: {plain(paper)}")
            if text != own:
                changes[name] = text
    left, right = st.columns(2)
    with left:
        seed = st.number_input("seed", 0, LARGEST_SEED, link.seed, key=f"seed-{revision}")
    with right:
        options = devices()
        device = st.selectbox("device", options, options.index(link.device), format_func=lambda each: f"auto: {describe_device(pick_device())}" if each == "auto" else each, key=f"device-{revision}")
    return dataclasses.replace(link, changes=write_changes(changes), seed=seed, device=device)


def specification(link: Link) -> tuple[Specification | None, list[str]]:
    """What would be launched, or everything that keeps it from being launched."""
    experiment = EXPERIMENTS[link.experiment]
    changes, problems = given(experiment.config, read_changes(link.changes))
    problems = [problem.removeprefix("--") for problem in problems]
    try:
        made = specify("training", {"experiment": link.experiment}, {**dataclasses.asdict(experiment.config), **changes}, link.device, link.seed)
        steps = cache.training_steps(link.experiment, _values(made), _config(experiment, made))
    except ConfigurationError as error:
        return None, [*problems, *error.problems]
    except DataNotFound:
        name = str(changes.get("dataset", experiment.config.dataset))
        return None, [*problems, _missing(name)]
    except ExplorerError as error:
        return None, [*problems, str(error)]
    return (None, problems) if problems or not steps else (made, [])


def dry_run(link: Link, made: Specification) -> None:
    """What the training would do, without doing it."""
    experiment = EXPERIMENTS[link.experiment]
    config = _config(experiment, made)
    steps, epochs = cache.training_steps(link.experiment, _values(made), config), config.epochs
    st.markdown(f"**{steps:,} training steps**" + (f": {epochs} epochs of {steps // epochs:,} batches of {config.batch_size}." if epochs else "."))
    left, right = st.columns(2)
    with left:
        st.json(made.parameters, expanded=False)
    with right:
        options = [word for name, text in read_changes(link.changes).items() for word in (f"--{name.replace('_', '-')}", text)]
        st.caption("As a plain training, without a run:")
        st.code(shlex.join(["python", "-m", "explorer.train", link.experiment, *options, "--seed", str(made.seed)]), language="bash", wrap_lines=True)
        st.caption("As a run:")
        st.code(made.command, language="bash", wrap_lines=True)


def _config(experiment: Experiment, made: Specification) -> Any:
    return from_mapping(type(experiment.config), {**made.parameters, "seed": made.seed}, "parameters")


def _values(made: Specification) -> str:
    return json.dumps(made.parameters, sort_keys=True)


def _published(experiment: Experiment, name: str) -> str | None:
    return None if experiment.published is None else option_text(getattr(experiment.published, name))


def _help(experiment: Experiment, name: str) -> str | None:
    value = getattr(experiment.config, name)
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return "Points epoch:value, straight lines between them, stretched to the number of epochs."
    return None


def _missing(name: str) -> str:
    known = f" It is {DATASETS[name].description}." if name in DATASETS else ""
    return f"The data set {name[:40]!r} is not on this machine.{known} To get it: python -m explorer.data {name[:40]}, or set EXPLORER_DATA to the folder that holds it."
