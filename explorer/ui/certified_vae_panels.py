"""The panels below the live control of the Certified VAE page, by name."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import streamlit as st

from explorer.figures import Provenance, difference, pixels, tile, to_csv, to_json
from explorer.figures.certified_vae import Bracket, brackets
from explorer.figures.latent_intervals import Posterior, latent_intervals

from . import cache
from .certified_vae import on_device
from .certified_vae_link import AMPLIFY, Link, lowest_shown
from .certified_vae_runs import show_attack_runs, show_bound_runs
from .certified_vae_work import View, certificate_key, certify
from .components import download, plain, png_button, show_picture, show_row
from .working import work_in_background

WIDTH, SAMPLES, COLUMNS = 108, 32, 8


def provenance(link: Link, view: View) -> Provenance:
    """What a file of this view needs to be made again."""
    settings = {
        "models": {each.label: each.opened.checkpoint.header.revision for each in view.models}, "image": view.subject.name, "clip": link.clip,
        "sigma0_squared": link.variance, "attack_steps": link.steps, "attack_restarts": link.restarts,
    }  # fmt: skip
    return Provenance(", ".join(each.label for each in view.models), link.seed, view.radius, settings)


def show_pictures(link: Link, view: View) -> Link:
    """A row for each model: the image, what PGD found, their reconstructions, and the difference."""
    left, _ = st.columns([1, 3])
    amplify = left.select_slider("Difference ×", AMPLIFY, link.amplify, key=f"amplify-{view.revision}")
    link, rows = replace(link, amplify=amplify), []
    for index, model in enumerate(view.models):
        pictures = _row(link, view, index)
        st.markdown(f"**{plain(model.label)}**")
        show_row(pictures, WIDTH)
        rows += list(pictures.values())
    st.caption(
        "Reconstructions are g(mean + σ·noise) with the same noise everywhere. *Attack found*: a worse image of the box may exist, but none below the certified bound. "
        "Difference: attacked − clean image, teal is darker, grey equal, brown lighter" + ("." if link.clip else "; attacked pixels that leave [0, 1] are drawn at its ends.")
    )
    png_button(tile(np.stack(rows), len(rows) // len(view.models)), provenance(link, view), "certified-vae", 4)
    return link


def _row(link: Link, view: View, index: int) -> dict[str, np.ndarray]:
    clean, own = view.subject.image, view.explored[index]
    pictures = {"the image": pixels(clean)[0], f"its reconstruction, ELBO {_nats(own.clean)}": pixels(own.reconstruction)[0]}
    found = view.found[index] if view.found else None
    for name, each in (("lowest", found.lowest), ("highest", found.highest)) if found else ():
        if each is not None:
            image = each.image.cpu()
            pictures |= {
                f"{name} found": pixels(image)[0], f"its reconstruction, ELBO {_nats(each.elbo)}": pixels(each.reconstruction)[0],
                f"{name} found − image, × {link.amplify}": difference(image, clean, link.amplify)[0],
            }  # fmt: skip
    return pictures


def show_numbers(link: Link, view: View) -> Link:
    """The brackets as a figure, every number in a table, and files of them."""
    rows = number_rows(view)
    drawn = [Bracket(row["model"], row["certified ≥"], row["clean"], row.get("lowest attack found"), row.get("certificate ≥")) for row in rows]
    figure = brackets(drawn, view.radius)
    figure.update_xaxes(range=[max(lowest_shown([row["clean"] for row in rows]), 1.1 * min(row["certified ≥"] for row in rows)), 0])
    st.plotly_chart(figure, width="stretch", key=f"brackets-{view.revision}")
    st.caption(
        "Nats. *Certified*: for this draw of the noise no image of the box lies outside (float32, rounding to nearest). *Certificate*: no image of the box has an expected ELBO "
        "below it, with the stated confidence. *Attack found*: PGD came upon it, so the worst case is at most this. *Clean*: one draw of the noise, an estimate of the ELBO. Bounds that are far below leave the picture; the table has them."
    )
    st.dataframe(rows, hide_index=True, width="stretch", key=f"numbers-{view.revision}")
    made = provenance(link, view)
    with st.container(horizontal=True):
        download("CSV", lambda: to_csv(rows, made), "elbo.csv", "text/csv")
        download("JSON", lambda: to_json({"elbo": rows}, made), "elbo.json", "application/json")
    return link


def number_rows(view: View) -> list[dict]:
    """A row for each model; what is not computed has no column."""
    rows = []
    for index, (model, own) in enumerate(zip(view.models, view.explored)):
        row = {"model": model.label, "trained at": model.opened.radius, "radius": view.radius, "certified ≥": float(own.bounds.elbo.lower)}
        if view.certificates:
            row |= {"certificate ≥": float(view.certificates[index].lower), "confidence": view.certificates[index].confidence}
        if view.found:
            row["lowest attack found"] = view.found[index].lowest.elbo
        row["clean"] = own.clean
        if view.found and view.found[index].highest:
            row["highest attack found"] = view.found[index].highest.elbo
        row |= {"certified ≤": float(own.bounds.elbo.upper), "KL, certified ≤": float(own.bounds.kl.upper), "‖x − g‖², certified ≤": float(own.bounds.residual.upper)}
        rows.append({name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in row.items()})
    return rows


def show_certificate(link: Link, view: View) -> Link:
    """On demand: a bound of the ELBO itself, which the noise of no single draw decides."""
    st.caption(
        f"The bound above holds for one draw of the noise. This one bounds the expectation over all noise, by {link.draws:,} draws and an empirical Bernstein inequality; with confidence "
        f"{100 * link.confidence:g} % it holds for all models that are shown together. Confidence and draws are among the settings above."
    )

    def draw(found: tuple) -> None:
        rows = [
            {"model": model.label, "certificate: expected ELBO ≥": round(float(each.lower), 3), "without the margin for chance (estimate)": round(float(each.estimate), 3),
             "certified for this noise ≥": round(float(own.bounds.elbo.lower), 3), "confidence": each.confidence, "draws": each.draws}
            for model, each, own in zip(view.models, found, view.explored)
        ]  # fmt: skip
        st.dataframe(rows, hide_index=True, width="stretch")
        download("CSV", lambda: to_csv(rows, provenance(link, view)), "certificate.csv", "text/csv")

    key = certificate_key(link, view.models, view.subject, view.settings)
    work_in_background(key, lambda progress: certify(link, view.models, view.subject, view.settings, progress), draw, noun="draws")
    return link


def show_latents(link: Link, view: View) -> Link:
    """The posterior's intervals by dimension, beside its values at the image itself."""
    own = [cache.explored_vae(each.opened, each.identity, on_device(each, view.subject.image), replace(view.settings, radius=0.0)) for each in view.models]
    shown = [
        Posterior(model.label, _list(at.bounds.mean.lower), _ends(each.bounds.mean), _list(at.bounds.log_sigma.lower.exp()), tuple(_list(end.exp()) for end in (each.bounds.log_sigma.lower, each.bounds.log_sigma.upper)))
        for model, each, at in zip(view.models, view.explored, own)
    ]  # fmt: skip
    st.plotly_chart(latent_intervals(shown, f"Posterior over ± {view.radius:.3f}, in standard deviations of the prior"), width="stretch", key=f"latents-{view.revision}")
    st.caption("*Certified*: the posterior of every image of the box has its mean and σ within these intervals. Lines: the image itself.")
    rows = [
        {"model": each.label, "dimension": k, "mean": each.mean[k], "mean ≥": each.mean_ends[0][k], "mean ≤": each.mean_ends[1][k], "sigma": each.sigma[k], "sigma ≥": each.sigma_ends[0][k], "sigma ≤": each.sigma_ends[1][k]}
        for each in shown for k in range(len(each.mean))
    ]  # fmt: skip
    download("CSV", lambda: to_csv(rows, provenance(link, view)), "latents.csv", "text/csv")
    return link


def show_samples(link: Link, view: View) -> Link:
    """What each model draws from its prior, the same z for all that have as many latents."""
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    seed = left.number_input("Seed of the samples", 0, 10**9, link.samples, key=f"samples-{view.revision}")
    link = replace(link, samples=seed)
    right.caption("g(z) for z drawn from N(0, I): the same seed gives the same pictures (Figure 4 of the paper).")
    for column, model in zip(st.columns(len(view.models)), view.models):
        with column:
            sheet = cache.prior_sheet(str(model.path), model.path.stat().st_mtime_ns, SAMPLES, COLUMNS, seed)
            st.markdown(f"**{plain(model.label)}**")
            show_picture(sheet, f"{SAMPLES} samples of the prior")
            png_button(sheet, replace(provenance(link, view), checkpoint=model.label, seed=seed, radius=model.opened.radius), f"prior-{model.opened.checkpoint.header.name}", 4)
    return link


def _ends(interval) -> tuple[list[float], list[float]]:
    return _list(interval.lower), _list(interval.upper)


def _list(values) -> list[float]:
    return values[0].tolist()


def _nats(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


PANELS: dict[str, Callable[[Link, View], Link]] = {
    "Pictures": show_pictures,
    "Numbers": show_numbers,
    "Certificate": show_certificate,
    "Latents": show_latents,
    "Prior samples": show_samples,
    "ELBO under attack": show_attack_runs,
    "ELBO and bound": show_bound_runs,
}
