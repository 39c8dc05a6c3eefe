"""Settings in the URL: the one place that reads, checks and writes them."""

import math
import time
import typing
from collections.abc import Collection
from dataclasses import asdict, fields, replace
from typing import Generic, TypeVar

import streamlit as st

from explorer.configuration import parse

PAGES_KEY = "explorer.pages"
DEMO = "demo"  # the step of a story, which stands beside any page's settings
ECHO_SECONDS = 10
Link = TypeVar("Link")


def opened(kind: type[Link], page: str) -> tuple[Link, list[str], int]:
    """The page's settings, what was wrong in a URL that came from outside, and a revision that changes with each such URL.

    An empty URL gives back what the page showed last in this session."""
    query, _ = _own()
    state = st.session_state
    stored = state.get(f"{page}.link")
    if stored is not None and (not query or _is_echo(query, page)):
        return stored, [], state[f"{page}.revision"]
    link, problems = read(kind, query)
    state[f"{page}.link"] = link
    state[f"{page}.revision"] = state.get(f"{page}.revision", 0) + 1
    state[f"{page}.shown"] = [(query, math.inf)]
    return link, problems, state[f"{page}.revision"]


def show(link: typing.Any, page: str) -> None:
    """Put settings into the URL; defaults are left out."""
    query = write(link)
    st.session_state[f"{page}.link"] = link
    _remember(query, page)
    shown, beside = _own()
    if shown != query:
        st.query_params.from_dict(query | beside)


def push(link: typing.Any, page: str) -> None:
    """For a button: the next run shows these settings as it would those of a link, and its controls take them over."""
    st.session_state[f"{page}.link"] = link
    st.session_state[f"{page}.revision"] += 1


def forget(page: str) -> None:
    """The next URL of the page is taken as one from outside, also where the page has shown it itself."""
    for name in ("link", "shown"):
        st.session_state.pop(f"{page}.{name}", None)


def keep(link: typing.Any, page: str) -> None:
    """The next run starts from these settings, and its controls stay as they are."""
    st.session_state[f"{page}.link"] = link


def _own() -> tuple[dict[str, str], dict[str, str]]:
    """The URL's parameters: the page's, and those that stand beside any page's."""
    query = st.query_params.to_dict()
    return {name: value for name, value in query.items() if name != DEMO}, {name: value for name, value in query.items() if name == DEMO}


def _is_echo(query: dict[str, str], page: str) -> bool:
    """Whether the page showed this itself: just now, or a moment ago, for a browser that moves on quickly asks with the URL it
    still has, which is not yet the one that Python has written."""
    now = time.monotonic()
    return any(shown == query and now < until for shown, until in st.session_state.get(f"{page}.shown", ()))


def _remember(query: dict[str, str], page: str) -> None:
    now = time.monotonic()
    shown = [(old, min(until, now + ECHO_SECONDS)) for old, until in st.session_state.get(f"{page}.shown", ()) if old != query and until > now]
    st.session_state[f"{page}.shown"] = [*shown, (query, math.inf)]


def read(kind: type[Link], query: dict[str, str]) -> tuple[Link, list[str]]:
    """Settings from a URL's parameters, and a sentence for every parameter that could not be used."""
    hints, known = typing.get_type_hints(kind), {field.name for field in fields(kind)}
    link, problems = kind(), []
    for name, text in query.items():
        if name not in known:
            problems.append(f"The link's parameter {name[:40]!r} is not known here and was left out.")
            continue
        try:
            if len(text) > 16384:
                raise ValueError("too long")
            link = replace(link, **{name: parse(text, hints[name])})
        except (TypeError, ValueError) as error:
            problems.append(f"The link's {name} = {text[:60]!r} cannot be used ({str(error)[:100]}). The default is shown instead.")
    return link, problems


class Checks(Generic[Link]):
    """Puts defaults in place of what a link asks for and its page cannot show. `link` and `problems`, a sentence for each, are the result."""

    def __init__(self, link: Link):
        self.link, self.problems = link, []

    def refuse(self, name: str, wrong: bool, expected: str) -> None:
        if wrong:
            self.problems.append(f"The link's {name} = {str(getattr(self.link, name))[:40]} cannot be shown ({expected}). The default is shown instead.")
            self.link = replace(self.link, **{name: getattr(type(self.link)(), name)})

    def among(self, name: str, known: Collection[typing.Any]) -> None:
        """The field's value, or each of its values, is one of these."""
        value = getattr(self.link, name)
        several = isinstance(value, tuple)
        self.refuse(name, not set(value if several else (value,)) <= set(known), f"expected {'some' if several else 'one'} of {', '.join(map(_text, known))}")

    def subject(self, count: int, class_names: Collection[str]) -> None:
        """The image, its class and the seeds, of a page that shows one of so many images."""
        self.refuse("image", not 0 <= self.link.image < count, f"expected 0 to {count - 1}")
        self.refuse("label", bool(self.link.label) and self.link.label not in class_names, "no class of this data set")
        for name in ("draw", "seed"):
            self.refuse(name, not 0 <= getattr(self.link, name) <= 10**9, "expected 0 to 1000000000")


def write(link: typing.Any) -> dict[str, str]:
    default = asdict(type(link)())
    return {name: _text(value) for name, value in asdict(link).items() if value != default[name]}


def _text(value: typing.Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def link_to(page: str, label: str, **query: str) -> None:
    """A link to another page, also where a page was opened alone and Streamlit knows no navigation."""
    pages = st.session_state.get(PAGES_KEY)
    if pages and page in pages:
        st.page_link(pages[page], label=label, query_params=query)
    else:
        from urllib.parse import urlencode

        st.markdown(f"[{label}](/{page}?{urlencode(query)})")
