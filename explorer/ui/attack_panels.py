"""The panels below the live control of the Attack page, by name."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st
import torch

from explorer.figures import Provenance, difference, pixels, strip, to_csv, to_gif, upscale
from explorer.figures.bounds import FOUND
from explorer.runs.kinds import specify
from explorer.studies.attack import AttackPath
from explorer.studies.threats import THREATS

from .attack import settings_of
from .attack_link import SHARES, Link
from .attack_live import factor_of
from .attack_runs import compare_counts, compare_curves
from .attack_work import View
from .components import download, plain, png_button, show_row
from .frame_player import Film, frame_player
from .run_each import choose_count, run_each
from .run_this import run_this

WIDTH, STRIP = 108, 16


def provenance(link: Link, shown: View) -> Provenance:
    """What a file of this view needs to be made again."""
    settings = {
        "models": {each.label: each.opened.checkpoint.header.revision for each in shown.models}, "image": shown.subject.name, "set": shown.threat.name,
        "set_model": shown.threat.key, "attack": link.attack, "steps": shown.attack.steps,
    }  # fmt: skip
    return Provenance(", ".join(each.label for each in shown.models), link.seed, shown.radius, settings)


def show_path(link: Link, shown: View) -> Link:
    """The attack on the first classifier, frame by frame."""
    if not _has_paths(shown):
        return link
    path, names, image = shown.paths[0], shown.class_names, shown.subject.image.cpu()
    factor = factor_of(image, path.frames[[path.best]])
    frames, differences = pixels(path.frames), difference(path.frames, image.expand_as(path.frames), factor)
    film = Film(frames, differences, [frame_text(path, number, names) for number in range(len(frames))], path.logits.tolist(), path.clean.tolist(), names, path.best, factor)
    frame_player(film, FOUND, f"film-{shown.revision}-{hash(shown.identity)}")
    left_out = f" Every {path.every}th evaluation is shown, and the strongest last." if path.every > 1 else ""
    st.caption(f"*Attack found* by {shown.attack.title}: each point that the search evaluated, the centre of the set first.{left_out} Circles: the image itself. Difference: teal is darker, grey equal, brown lighter.")
    made = provenance(link, shown)
    rows = [{"frame": number, "margin": float(margin), "gauge": float(gauge), "seen_as": names[int(logits.argmax())], **dict(zip(names, logits.tolist()))} for number, (margin, gauge, logits) in enumerate(zip(path.margin, path.gauge, path.logits))]
    with st.container(horizontal=True):
        download("Film (GIF)", lambda: to_gif(upscale(frames, 4), made), "attack.gif", "image/gif")
        png_button(strip(frames[:: max(1, len(frames) // STRIP)]), made, "attack-strip", label="Film strip (PNG)")
        download("Logits by frame (CSV)", lambda: to_csv(rows, made), "attack-path.csv", "text/csv")
    return link


def frame_text(path: AttackPath, number: int, names: tuple[str, ...]) -> str:
    seen, margin = names[int(path.logits[number].argmax())], float(path.margin[number])
    state = "fooled" if margin > 0 else "not fooled"
    strongest = ", the strongest" if number == path.best else ""
    return f"frame {number} of {len(path.frames) - 1}{strongest}: seen as {seen}, {state}, margin {-margin:.3f}, at {100 * float(path.gauge[number]):.0f} % of the radius".replace("-", "−")


def show_image(link: Link, shown: View) -> Link:
    """Every chosen classifier on this image."""
    if not _has_paths(shown):
        return link
    image, names, rows = shown.subject.image.cpu(), shown.class_names, []
    for model, path in zip(shown.models, shown.paths):
        worst = path.frames[[path.best]]
        factor, seen = factor_of(image, worst), names[int(path.logits[path.best].argmax())]
        st.markdown(f"**{plain(model.label)}**: {'fooled' if path.fooled else 'not fooled'}")
        show_row({"the image": pixels(image)[0], f"strongest found, seen as {seen}": pixels(worst)[0], f"difference × {factor}": difference(worst, image, factor)[0]}, WIDTH)
        before, after = path.clean.softmax(0), path.logits[path.best].softmax(0)
        rows.append(
            {
                "classifier": model.label, "seen as": names[int(path.clean.argmax())], "margin": round(_margin(path.clean, shown.subject.label), 4), "probability of the label": f"{float(before[shown.subject.label]):.4f}",
                "after, seen as": seen, "after, margin": round(-float(path.margin[path.best]), 4), "after, probability of the label": f"{float(after[shown.subject.label]):.4f}", "at % of the radius": round(100 * float(path.gauge[path.best])),
            }  # fmt: skip
        )
    st.dataframe(rows, hide_index=True, width="stretch", key=f"image-{shown.revision}")
    st.caption("*Attack found*: the margin, the label's logit minus the largest other one, can be made at most this small. Probabilities are the softmax of the logits, an *estimate* of the classifier's own.")
    made = provenance(link, shown)
    logits = [{"class": name, **{f"{model.label}, {when}": float(values[index]) for model, path in zip(shown.models, shown.paths) for when, values in (("before", path.clean), ("after", path.logits[path.best]))}} for index, name in enumerate(names)]
    with st.container(horizontal=True):
        download("Logits (CSV)", lambda: to_csv(logits, made), "attack-logits.csv", "text/csv")
        png_button(strip(pixels(torch.cat([image, *(path.frames[[path.best]] for path in shown.paths)]))), made, "attack-found", 8)
    return link


def show_test_set(link: Link, shown: View) -> Link:
    """The attack on the test images, each classifier a run."""
    link = _count(link, shown)
    if shown.radius == 0:
        st.info("At radius 0 there is nothing to attack. Choose a larger one.")
        return link
    run_each("attack", shown.models, {**settings_of(link), "threat": shown.threat.at(shown.radius).text}, link.seed, compare_counts)
    return link


def show_curves(link: Link, shown: View) -> Link:
    """Robust accuracy over radii up to the slider's end, in one pass for each classifier."""
    link = _count(link, shown)
    largest = shown.threat.reach(shown.models[0].opened)
    radii = [float(f"{share * largest:.6g}") for share in SHARES]
    st.caption(f"{len(radii)} radii up to {largest:g} ({shown.threat.unit}): an image that survives at one is not attacked below it, one that falls has fallen above.")
    run_each("attack_curve", shown.models, {**settings_of(link), "threat": shown.threat.at(largest).text, "radii": radii}, link.seed, compare_curves)
    return link


def show_sets(link: Link, shown: View) -> Link:
    """All chosen classifiers in several sets."""
    link = _count(link, shown)
    there = [name for name, kind in THREATS.items() if kind.needs is None or name == shown.threat.name]
    chosen = st.pills("Sets", there, selection_mode="multi", default=[each for each in link.sets if each in there] or there[:1], format_func=lambda name: THREATS[name].title, key=f"sets-{shown.threat.name}-{shown.revision}", help="The set that is chosen above at its radius, the others at their usual ones.")
    if not chosen:
        st.info("Choose at least one set.")
        return link
    ordered = tuple(name for name in there if name in chosen)
    texts = [shown.threat.at(shown.radius or 0.01).text if name == shown.threat.name else f"{name}:{THREATS[name].usual:g}" for name in ordered]
    first, *others = shown.models
    st.caption("Each classifier, whatever set it was trained against, attacked in each set. Choose several classifiers above to compare them.")
    made = specify("cross_sets", {"checkpoint": str(first.path)}, {**settings_of(link), "models": [str(each.path) for each in others], "threats": texts}, seed=link.seed)
    run_this(made, f"cross-{made.fingerprint}", "Measure")
    return replace(link, sets=ordered)


def _has_paths(shown: View) -> bool:
    if shown.paths:
        return True
    if shown.search is None:
        st.info("At radius 0 there is nothing to attack. Drag the radius.")
    elif shown.search.under_way:
        st.caption("The attack is under way …")
    return False


def _count(link: Link, shown: View) -> Link:
    _, right = st.columns([3, 1], vertical_alignment="bottom")
    with right:
        return replace(link, count=choose_count(link.count, len(shown.models[0].opened.images), f"count-{shown.revision}"))


def _margin(logits: torch.Tensor, label: int) -> float:
    others = torch.cat([logits[:label], logits[label + 1 :]])
    return float(logits[label] - others.max())


PANELS: dict[str, Callable[[Link, View], Link]] = {"Path": show_path, "This image": show_image, "Test set": show_test_set, "Curves": show_curves, "Sets": show_sets}
