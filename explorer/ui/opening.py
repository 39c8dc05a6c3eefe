"""How the pages about one or several models begin and end: the link, the models that it names, what is wrong with them, the panel below."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, NoReturn, TypeVar

import streamlit as st

from explorer.errors import ExplorerError

from . import links
from .components import plain, show_copy_link, show_problems
from .following import Search, await_end, kept_problems, show_ended
from .library import Found
from .model_choice import Model

Link = TypeVar("Link")  # with the fields model and panel


@dataclass(frozen=True)
class Kind:
    """What models a page is about, in words, and the experiment that trains one."""

    name: str
    experiment: str


@dataclass(frozen=True, eq=False)
class Opening(Generic[Link]):
    """What a page begins with. `problems` are shown in `place` once the page has collected its own."""

    link: Link
    models: Sequence[Model]
    problems: list[str]
    revision: int
    folders: tuple[str, ...]
    place: Any

    def show_problems(self, *more: str) -> list[str]:
        """All, each once, where the page begins."""
        problems = list(dict.fromkeys([*self.problems, *more]))
        with self.place.container():
            show_problems(problems)
        return problems


def open_page(
    title: str,
    link_kind: type[Link],
    page: str,
    kind: Kind,
    known_models: Callable[[tuple[str, ...]], dict[str, Found]],
    choose: Callable[[Link, dict[str, Found], int], tuple[Link, list[str]]],
    open_models: Callable[[Sequence[str], dict[str, Found]], tuple[list[Model], list[str]]],
    checked: Callable[[Link, list[Any]], tuple[Link, list[str]]],
    describe: Callable[[Sequence[Model]], str],
) -> Opening[Link]:
    """The page's link with its models opened, and every value that they cannot show replaced. Stops the page where there is no model."""
    st.title(title)
    link, problems, revision = links.opened(link_kind, page)
    problems = kept_problems(page) or problems
    folders = tuple(st.session_state.get("gallery.folders", ()))
    known = known_models(folders)
    if not known:
        show_problems(problems)
        st.info(f"No checkpoint of a {kind.name} was found. Train one with `python -m explorer.train {kind.experiment}`, then add the folder `runs` in the gallery.")
        st.stop()
    link, refused = choose(link, known, revision)
    models, failed = open_models(link.model, known)
    problems = [*problems, *refused, *failed]
    if not models:
        stop_page(link, page, problems, f"Choose at least one {kind.name}." if not failed else f"None of what was chosen can be shown. Choose another {kind.name}.")
    link, refused = checked(link, [each.opened for each in models])
    st.caption(describe(models))
    return Opening(link, models, [*problems, *refused], revision, folders, st.empty())


def stop_page(link: Any, page: str, problems: Sequence[str], reason: str = "") -> NoReturn:
    """The page as far as it goes: with what is wrong, what to do, and its link."""
    show_problems(list(dict.fromkeys(problems)))
    if reason:
        st.info(reason)
    links.show(link, page)
    st.stop()


def fail_page(link: Any, page: str, error: Exception) -> NoReturn:
    """The page as far as it goes, with what went wrong."""
    st.error(plain(error, 400))
    close_page(link, page)
    st.stop()


def choose_panel(link: Link, panels: Mapping[str, Any], revision: int) -> tuple[Link, Any]:
    """The link with the chosen panel, and the panel."""
    panel = st.segmented_control("Panel", list(panels), default=link.panel, required=True, key=f"panel-{revision}", label_visibility="collapsed")
    return replace(link, panel=panel or link.panel), panels[panel or link.panel]


def show_panels(link: Link, page: str, panels: Mapping[str, Any], shown: Any, search: Search | None, revision: int, problems: list[str]) -> None:
    """All that stands below what is live, on a page whose search follows each release: how it ended, the panel, the link; and the page anew
    once a search ends that takes long."""
    show_ended(page, search)
    progress = st.empty()
    link, panel = choose_panel(link, panels, revision)
    try:
        link = panel(link, shown)
    except ExplorerError as error:
        fail_page(link, page, error)
    close_page(link, page)
    await_end(page, search, progress, problems)


def close_page(link: Any, page: str, missing: str | None = None) -> None:
    """The link in the URL, and a button that copies it; `missing` names what it does not hold, by default an upload."""
    links.show(link, page)
    uploaded = getattr(link, "choice", "") == "Upload"
    show_copy_link(("the uploaded picture" if uploaded else "") if missing is None else missing)
