"""The panels below the live control of the Adversarial augmentation page, by name."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st
import torch

from explorer.figures import Provenance, difference, pixels, strip, to_csv, to_gif, upscale
from explorer.figures.adversarial_augmentation import confidence_lines, guard_curve, layer_bars
from explorer.figures.bounds import FOUND
from explorer.papers.adversarial_augmentation.exploration import CorruptionPath, Seen

from .adversarial_augmentation_imitation import show_imitation
from .adversarial_augmentation_link import RADII, Link
from .adversarial_augmentation_runs import compare_similarity
from .adversarial_augmentation_work import View
from .attack_live import factor_of
from .components import download, png_button, show_row
from .frame_player import Film, frame_player
from .run_each import choose_count, run_each

WIDTH = 132


def provenance(link: Link, shown: View) -> Provenance:
    """What a file of this view needs to be made again."""
    settings = {
        "models": {each.label: each.opened.checkpoint.header.revision for each in shown.models}, "image": shown.subject.name, "network": shown.network.backbone.name,
        "network_digest": shown.network.backbone.digest, "steps": shown.settings.steps, "ssim_limit": shown.settings.ssim_limit,
    }  # fmt: skip
    return Provenance(", ".join(each.label for each in shown.models), link.seed, shown.settings.radius, settings)


def show_search(link: Link, shown: View) -> Link:
    """Frame by frame, with the classifier's confidence."""
    if not (path := _path(shown)):
        return link
    names, image = shown.class_names, shown.subject.image.cpu()
    factor = factor_of(image, path.frames[-1:])
    frames, differences = pixels(path.frames), difference(path.frames, image.expand_as(path.frames), factor)
    texts = [frame_text(path, number, names, shown.subject.label) for number in range(len(frames))]
    frame_player(Film(frames, differences, texts, path.logits.tolist(), path.clean.logits.tolist(), names, len(frames) - 1, factor), FOUND, f"film-{shown.revision}-{hash(shown.identity)}")
    st.caption("Frame 0: what the network makes of the image with its own weights. Frame 1: weights changed at random, the search's start. Then each step, before the guard; the last one counts. Circles: the image itself. Difference: teal is darker, grey equal, brown lighter.")
    probabilities = path.logits.softmax(1).tolist()
    st.plotly_chart(confidence_lines(probabilities, names, shown.subject.label, path.ssim.tolist()), width="stretch", key=f"confidence-{shown.revision}")
    made = provenance(link, shown)
    rows = [{"frame": number, "ssim": float(path.ssim[number]), "seen_as": names[int(path.logits[number].argmax())], **dict(zip(names, row))} for number, row in enumerate(probabilities)]
    with st.container(horizontal=True):
        download("Film (GIF)", lambda: to_gif(upscale(frames, 4), made), "corruption.gif", "image/gif")
        png_button(strip(frames), made, "corruption-strip", label="Film strip (PNG)")
        download("Probabilities by frame (CSV)", lambda: to_csv(rows, made), "corruption-path.csv", "text/csv")
    return link


def frame_text(path: CorruptionPath, number: int, names: tuple[str, ...], label: int) -> str:
    seen, probability = names[int(path.logits[number].argmax())], float(path.logits[number].softmax(0)[label])
    what = {0: "own weights", 1: "random start"}.get(number, f"step {number - 1}")
    used = float(path.shares[number].amax())
    return f"{what}: seen as {seen}, probability of the label ({names[label]}) {probability:.3f}, SSIM {float(path.ssim[number]):.3f}, {100 * used:.0f} % of the radius"


def show_guard(link: Link, shown: View) -> Link:
    """SSIM before and after the line search with its curve; random beside adversarial weights."""
    if not (path := _path(shown)):
        return link
    names, limit = shown.class_names, shown.settings.ssim_limit
    before = Seen(path.frames[-1:], path.logits[-1], float(path.ssim[-1]))
    own = Seen(path.frames[:1], path.logits[0], float(path.ssim[0]))
    pictures = {"the image": path.clean, "network's own weights": own, "random weights, same radius": path.random, "worst weights found": before, "after the guard": path.guarded}
    show_row({f"{title}: {_seen(each, names)}": pixels(each.image)[0] for title, each in pictures.items()}, WIDTH)
    factor = factor_of(path.clean.image, before.image)
    show_row({f"difference × {factor}, {title}": difference(each.image, path.clean.image, factor)[0] for title, each in list(pictures.items())[1:]}, WIDTH)
    gamma, distance = float(path.line.gamma[0]), float(path.line.distance[0])
    first, second, third, fourth = st.columns(4)
    first.metric("SSIM before", f"{before.ssim:.3f}")
    second.metric("SSIM after", f"{path.guarded.ssim:.3f}")
    third.metric("γ", f"{gamma:.3f}")
    fourth.metric("1 − SSIM allowed", f"{limit:g}")
    st.plotly_chart(guard_curve(path.line.curve[0].tolist(), gamma, distance, limit, bool(path.line.bisected[0])), width="stretch", key=f"guard-{shown.revision}")
    st.caption("(1 − γ)·x + γ·x̂ between the image and the corrupted one: within the limit all of it is kept; else γ is the root of a parabola through the nine distances, and bisected where that has no root or leaves the limit (AdA, Appendix F).")
    rows = [{"image": title, "seen_as": names[int(each.logits.argmax())], "probability_of_label": float(each.logits.softmax(0)[shown.subject.label]), "ssim": each.ssim} for title, each in pictures.items()]
    made = provenance(link, shown)
    with st.container(horizontal=True):
        png_button(strip(pixels(torch.cat([each.image for each in pictures.values()]))), made, "corruption-guard", 8)
        download("Verdicts (CSV)", lambda: to_csv(rows, made), "corruption-guard.csv", "text/csv")
    return link


def show_layers(link: Link, shown: View) -> Link:
    """Where the change of weights lies."""
    if not (path := _path(shown)):
        return link
    frame = st.slider("Frame", 0, len(path.frames) - 1, len(path.frames) - 1, key=f"layers-{hash(shown.identity)}", help="0: the network's own weights, 1: the random start, then each step.") if len(path.frames) > 1 else 0
    shares = path.shares[frame].tolist()
    st.plotly_chart(layer_bars(path.layers, shares, path.alone.tolist()), width="stretch", key=f"layer-bars-{shown.revision}")
    st.caption("Left: ‖δᵢ‖ over ν·‖φᵢ‖ of each layer in that frame. Right, of the last frame: the mean absolute change per pixel when that layer's change alone is applied.")
    made = provenance(link, shown)
    rows = [{"layer": layer, **{f"frame_{number}": float(row[place]) for number, row in enumerate(path.shares)}, "change_alone": float(path.alone[place])} for place, layer in enumerate(path.layers)]
    download("Shares (CSV)", lambda: to_csv(rows, made), "corruption-layers.csv", "text/csv")
    return link


def show_test_set(link: Link, shown: View) -> Link:
    """Several ν and networks over test images, as a run for each classifier."""
    left, middle, right = st.columns([4, 3, 2], vertical_alignment="bottom")
    channels = shown.network.backbone.channels
    fitting = [key for key, each in st.session_state["augmentation.networks"].items() if each.header.model_config.get("channels", 3) == channels]
    default = [key for key in link.networks if key in fitting] or [shown.network.key]
    networks = left.multiselect("Networks", fitting, default, key=f"networks-{shown.revision}")
    radii = middle.multiselect("ν", RADII, list(link.radii), format_func=lambda value: f"{value:g}", key=f"radii-{shown.revision}")
    with right:
        link = replace(link, count=choose_count(link.count, len(shown.models[0].opened.images), f"count-{shown.revision}"))
    if not networks or not radii:
        st.info("Choose at least one network and one ν.")
        return link
    link = replace(link, networks=() if networks == [shown.network.key] else tuple(networks), radii=tuple(sorted(radii)))
    paths = [str(st.session_state["augmentation.networks"][key].path) for key in networks]
    run_each("worst_weights", shown.models, {"backbones": paths, "radii": list(link.radii), "steps": link.steps, "ssim_limit": link.ssim_limit, "limit": link.count or None}, link.seed, compare_similarity)
    return link


def _path(shown: View) -> CorruptionPath | None:
    if shown.search is None:
        st.info("At ν = 0 the weights cannot change, so there is nothing to search. Drag ν.")
    elif shown.path is None and shown.search.under_way:
        st.caption("The search is under way …")
    return shown.path


def _seen(each: Seen, names: tuple[str, ...]) -> str:
    probability, place = each.logits.softmax(0).max(0)
    return f"seen as {names[int(place)]} ({100 * float(probability):.0f} %), SSIM {each.ssim:.3f}"


PANELS: dict[str, Callable[[Link, View], Link]] = {"Search": show_search, "Guard": show_guard, "Layers": show_layers, "Test set": show_test_set, "Imitation": show_imitation}
