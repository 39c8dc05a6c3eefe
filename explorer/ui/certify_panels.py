"""The panels of the Certify page, by name."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from explorer.figures import Provenance, to_csv, to_json
from explorer.figures.attacks import closing_interval, vote_bars
from explorer.runs import Run, Store
from explorer.runs.kinds import specify
from explorer.smoothing import ABSTAIN
from explorer.smoothing.sampling import BLOCK
from explorer.studies.attack import CurveTable
from explorer.studies.certify import CertifySettings, CertifyTable, Voting, usual_radii, voting
from explorer.types import Progress

from .attack_runs import read_all, show_certified
from .background import JOBS
from .certify import View, show_noisy
from .certify_link import LARGEST_SIGMA, Link, unit_of
from .components import download, plain, show_problems
from .run_each import choose_count, run_each
from .working import work_in_background

POINTS = 60  # of the interval's path
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # of the largest certified radius, at which attacks are tried


def show_votes(link: Link, shown: View) -> Link:
    """One image, vote by vote, for each classifier."""
    show_noisy(link, shown)
    for place, model in enumerate(shown.models):
        if len(shown.models) > 1:
            st.markdown(f"**{plain(model.label)}**")
        opened, subject = model.opened, shown.subject

        def work(progress: Progress, opened=opened):
            sets = shown.threat.build(1.0, opened)
            yield from voting(
                opened.model, sets, subject.image.to(opened.device), subject.label, shown.sigma, samples=link.samples, confidence=link.confidence,
                seed=link.seed, batch_size=max(BLOCK, link.samples // POINTS // BLOCK * BLOCK), progress=progress,
            )  # fmt: skip

        key = ("votes", model.identity, subject.identity[2:], shown.threat.name, shown.threat.identity, shown.sigma, link.samples, link.confidence, link.seed)
        if (job := JOBS.find(key)) is None:
            JOBS.start(key, work)
        elif job.state == "failed":
            show_problems([job.problem])
        work_in_background(key, work, lambda found, model=model, place=place: draw_votes(found, link, shown, model.label, f"{place}-{shown.revision}"), noun="votes")
    return link


def draw_votes(found: Voting, link: Link, shown: View, label: str, key: str) -> None:
    """Votes, the closing interval, and what follows from them."""
    names = shown.class_names
    own, drawn = int(found.own[-1]), int(found.drawn[-1])
    numbers = st.columns(4)
    numbers[0].metric("Class", names[found.label], help="Chosen by 100 votes of its own.")
    numbers[1].metric("Its share, estimate", f"{100 * own / drawn:.2f} %")
    numbers[2].metric(f"At least, confidence {100 * found.confidence:g} %", f"{100 * float(found.lower[-1]):.2f} %", help="One-sided bound of Clopper and Pearson" + ("." if found.finished else "; it holds once all votes are in."))
    numbers[3].metric("Certified radius", f"{found.radius:.3f}" if found.certified else "abstains" if found.finished else "…", help=f"ℓ2, in {unit_of(shown.threat.name)}.")
    left, right = st.columns(2)
    left.plotly_chart(vote_bars(names, found.votes.tolist(), found.label, f"{drawn:,} of {found.samples:,} votes"), width="stretch", key=f"votes-{key}")
    share = (found.own.double() / found.drawn).tolist()
    right.plotly_chart(closing_interval(found.drawn.tolist(), share, found.lower.tolist(), found.upper.tolist(), found.confidence, f"Share of class {names[found.label]}"), width="stretch", key=f"interval-{key}")
    st.caption(verdict(found, names, shown.subject.label, unit_of(shown.threat.name)))
    made = Provenance(label, link.seed, found.radius if found.certified else None, {"image": shown.subject.name, "set": shown.threat.name, "set_model": shown.threat.key, "sigma": found.sigma, "samples": found.samples, "confidence": found.confidence})
    rows = [{"votes": int(n), "of_the_class": int(k), "share": float(k / n), "lower": float(low), "upper": float(high)} for n, k, low, high in zip(found.drawn, found.own, found.lower, found.upper)]
    with st.container(horizontal=True):
        download("Interval (CSV)", lambda: to_csv(rows, made), f"interval-{key}.csv", "text/csv")
        download("Votes (JSON)", lambda: to_json({"votes": dict(zip(names, found.votes.tolist())), "class": names[found.label], "certified_radius": found.radius}, made), f"votes-{key}.json", "application/json")


def verdict(found: Voting, names: tuple[str, ...], label: int, unit: str) -> str:
    """In a sentence what the votes prove."""
    predicted = "abstains" if found.predicted == ABSTAIN else f"answers {names[found.predicted]}"
    if not found.finished:
        return f"The votes are coming in: bounds and radius hold once all {found.samples:,} are counted, not at a moment that is chosen by looking at them."
    if not found.certified:
        return f"Confidence {100 * found.confidence:g} %: no radius can be *certified*, for the class may have less than half of the noisy inputs. Predicting from these votes, the smoothed classifier {predicted}."
    right = "its label" if found.label == label else f"not its label, which is {names[label]}"
    return (
        f"*Certified* with confidence {100 * found.confidence:g} %: wherever the parameters go within {found.radius:.4f} in ℓ2 ({unit}), more than half of the noisy inputs are seen as {names[found.label]} ({right}). "
        f"The smoothed classifier {predicted}. Noise also leaves [0, 1], which the classifier was not always trained on."
    )


def show_accuracy(link: Link, shown: View) -> Link:
    """Certified accuracy of several σ and classifiers over the test images, against what attacks find."""
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    text = left.text_input("σ, up to six", ", ".join(f"{each:g}" for each in link.sigmas), key=f"sigmas-{shown.revision}", help=f"Numbers above 0, at most {LARGEST_SIGMA:g}, with commas between them.")
    with right:
        link = replace(link, count=choose_count(link.count, len(shown.models[0].opened.images), f"count-{shown.revision}"))
    try:
        sigmas = tuple(sorted({float(part) for part in text.replace(";", ",").split(",") if part.strip()}))
    except ValueError:
        sigmas = ()
    if not 1 <= len(sigmas) <= 6 or not all(0 < each <= LARGEST_SIGMA for each in sigmas):
        st.warning(f"Expected one to six numbers above 0, at most {LARGEST_SIGMA:g}, as 0.25, 0.5, 1.")
        return link
    link = replace(link, sigmas=sigmas)
    settings = {"threat": shown.threat.at(1.0).text, "sigmas": list(sigmas), "samples": link.samples, "confidence": link.confidence, "limit": link.count or None}
    largest = usual_radii(CertifySettings(sigmas=sigmas, samples=link.samples, confidence=link.confidence))[-1]
    empirical = {"threat": shown.threat.at(largest).text, "radii": [float(f"{share * largest:.6g}") for share in SHARES], "limit": link.count or None}
    found = read_all(CurveTable, existing("attack_curve", shown, empirical, link), "curve")
    run_each("certify", shown.models, settings, link.seed, lambda runs, key: show_certified(tables, found, key) if (tables := read_all(CertifyTable, runs, "certified")) else None)
    if len(shown.models) == 1 and found and (tables := read_all(CertifyTable, existing("certify", shown, settings, link), "certified")):
        show_certified(tables, found, f"certify-beside-{shown.revision}")
    with st.expander("What attacks find on the same images, without noise", expanded=bool(found)):
        st.caption(f"PGD within the same radii, up to {largest:.3g}: an upper bound of the classifier's own robustness, to stand beside what smoothing certifies.")
        run_each("attack_curve", shown.models, empirical, link.seed, lambda runs, key: None)
    return link


def existing(kind: str, shown: View, parameters: dict, link: Link) -> dict[str, Run]:
    """The runs of it that there are, by classifier."""
    made = {each.label: specify(kind, {"checkpoint": str(each.path)}, parameters, seed=link.seed) for each in shown.models}
    return {label: run for label, specification in made.items() if (run := Store().same(specification))}


PANELS: dict[str, Callable[[Link, View], Link]] = {"Votes": show_votes, "Certified accuracy": show_accuracy}
