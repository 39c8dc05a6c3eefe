"""Worst weights of image-to-image networks as figures: the guard's curve, layers, SSIM, a classifier's confidence, and imitated corruptions."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from .runs import COLOURS
from .theory import ACCENT, QUIET, framed

FOUND = "#b5562a"


def guard_curve(curve: Sequence[float], gamma: float, distance: float, limit: float, bisected: bool) -> go.Figure:
    """The distance 1 − SSIM over γ between the clean image, 0, and the corrupted one, 1, with the limit and the γ that was taken (AdA, Appendix F)."""
    gammas = [place / (len(curve) - 1) for place in range(len(curve))]
    figure = go.Figure()
    figure.add_scatter(x=gammas, y=list(curve), mode="lines+markers", line_color=ACCENT, name="1 − SSIM", hovertemplate="γ = %{x:.3f}: %{y:.4f}<extra></extra>", showlegend=False)
    figure.add_hline(y=limit, line_dash="dash", line_color=QUIET, annotation_text=f"limit {limit:g}", annotation_position="top left")
    how = "bisected" if bisected else "all of it" if gamma == 1 else "root of the parabola"
    figure.add_scatter(x=[gamma], y=[distance], mode="markers", marker={"color": FOUND, "size": 12, "symbol": "diamond"}, name="taken", hovertemplate=f"γ = %{{x:.4f}} ({how}): %{{y:.4f}}<extra></extra>", showlegend=False)
    figure.update_xaxes(title_text="γ, from the clean image to the corrupted one", range=[-0.03, 1.03])
    figure.update_yaxes(title_text="distance 1 − SSIM", rangemode="tozero")
    return framed(figure, f"Guard: γ = {gamma:.3f} ({how})", 320)


def layer_bars(layers: Sequence[str], shares: Sequence[float], alone: Sequence[float]) -> go.Figure:
    """How much of its radius each layer's change uses, and how much that change alone changes the image."""
    figure, y = go.Figure(), list(layers)
    figure.add_bar(y=y, x=[100 * each for each in shares], orientation="h", name="of its radius, %", marker_color=ACCENT, hovertemplate="%{y}: %{x:.1f} % of its radius<extra></extra>", xaxis="x", offsetgroup="1")
    figure.add_bar(y=y, x=list(alone), orientation="h", name="change of the image by it alone", marker_color=FOUND, hovertemplate="%{y} alone: %{x:.4f} per pixel<extra></extra>", xaxis="x2", offsetgroup="1")
    figure = framed(figure, "Layers", 150 + 30 * len(y))
    figure.update_layout(
        xaxis={"domain": [0, 0.47], "range": [0, 105], "title": "% of the radius used"}, xaxis2={"domain": [0.53, 1], "anchor": "y", "title": "mean change per pixel, alone", "rangemode": "tozero"},
        showlegend=False, bargap=0.35, barmode="overlay", yaxis_automargin=True,
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure


def confidence_lines(probabilities: Sequence[Sequence[float]], names: Sequence[str], label: int, ssim: Sequence[float]) -> go.Figure:
    """The classifier's probabilities at each frame: the label's, and of the others those that are ever the largest; and the SSIM."""
    frames, largest = list(range(len(probabilities))), {max(range(len(names)), key=row.__getitem__) for row in probabilities}
    figure = go.Figure()
    for number, each in enumerate([label, *sorted(largest - {label})][:5]):
        look = {"width": 3 if each == label else 2, "dash": "solid" if each == label else "dot", "color": COLOURS[number % len(COLOURS)]}
        figure.add_scatter(x=frames, y=[row[each] for row in probabilities], mode="lines+markers", line=look, name=names[each] + (" (the label)" if each == label else ""), hovertemplate="frame %{x}: %{y:.4f}<extra>" + names[each].replace("<", "") + "</extra>")
    figure.add_scatter(x=frames, y=list(ssim), mode="lines", line={"color": QUIET, "dash": "dash"}, name="SSIM", hovertemplate="frame %{x}: SSIM %{y:.4f}<extra></extra>")
    figure.update_xaxes(title_text="frame; 0: the network's own weights, 1: the random start", dtick=max(1, len(frames) // 12))
    figure.update_yaxes(title_text="probability, SSIM", range=[-0.02, 1.03])
    return framed(figure, "Confidence through the search", 380)


def similarity_histograms(counts: Mapping[str, Sequence[int]]) -> go.Figure:
    """SSIM between clean and corrupted images, one outline for each network and radius, from 0 to 1 (AdA, Figure 2)."""
    figure = go.Figure()
    for number, (label, row) in enumerate(counts.items()):
        width, total = 1 / len(row), max(1, sum(row))
        x = [place * width for place in range(len(row) + 1)]
        density = [each / total / width for each in row]
        figure.add_scatter(
            x=x, y=[*density, density[-1]], mode="lines", line={"shape": "hv", "color": COLOURS[number % len(COLOURS)], "dash": ("solid", "dash", "dot")[number // len(COLOURS) % 3]}, name=label.replace("<", ""),
            hovertemplate="SSIM from %{x:.2f}: density %{y:.3g}<extra>" + label.replace("<", "") + "</extra>",
        )  # fmt: skip
    lowest = min((place for row in counts.values() for place, each in enumerate(row) if each), default=0)
    bins = max((len(row) for row in counts.values()), default=1)
    figure.update_xaxes(title_text="SSIM to the clean image, before the guard", range=[max(0, (lowest - 2) / bins), 1.005])
    figure.update_yaxes(title_text="density", rangemode="tozero")
    figure = framed(figure, "SSIM of the worst weights' images", 380 + 16 * max(0, len(counts) - 3))
    return figure.update_layout(margin_b=70 + 22 * len(counts), showlegend=True)


def accuracies_over_radius(networks: Sequence[str], radii: Sequence[float], clean: float, lines: Mapping[str, Sequence[float]]) -> go.Figure:
    """Shares of images that are right over ν for each network: each of `lines` has a value for each pair of network and radius."""
    figure, dashes = go.Figure(), ("solid", "dot", "dash")
    for number, network in enumerate(dict.fromkeys(networks)):
        places = [place for place, each in enumerate(networks) if each == network]
        for dash, (name, values) in zip(dashes, lines.items()):
            figure.add_scatter(
                x=[0.0, *(radii[place] for place in places)], y=[100 * clean, *(100 * values[place] for place in places)], mode="lines+markers",
                line={"color": COLOURS[number % len(COLOURS)], "dash": dash}, name=f"{network}, {name}".replace("<", ""), hovertemplate="ν = %{x:.4g}: %{y:.2f} %<extra>" + name + "</extra>",
            )  # fmt: skip
    figure.update_xaxes(title_text="ν, relative to each layer's norm; at 0 the clean images", rangemode="tozero")
    figure.update_yaxes(title_text="images that are right, %", range=[0, 102])
    count = len(figure.data)
    return framed(figure, "Adversarial against random weights", 380 + 16 * max(0, count - 3)).update_layout(margin_b=70 + 22 * count, showlegend=True)


def imitation_bars(tables: Mapping[str, tuple[Sequence[str], Sequence[float], Sequence[float], Sequence[float]]]) -> go.Figure:
    """For each network: corruptions, mean SSIM of its imitation with standard errors, and of the clean image (AdA, Figure 3)."""
    figure = go.Figure()
    for number, (label, (names, means, errors, clean)) in enumerate(tables.items()):
        x = [name.replace("_", " ") for name in names]
        figure.add_bar(
            x=x, y=list(means), name=label.replace("<", ""), marker_color=COLOURS[number % len(COLOURS)], error_y={"type": "data", "array": [1.96 * each for each in errors], "thickness": 1},
            hovertemplate="%{x}: SSIM %{y:.4f}<extra>" + label.replace("<", "") + "</extra>",
        )  # fmt: skip
        if not number:
            figure.add_scatter(x=x, y=list(clean), mode="markers", marker={"symbol": "line-ew-open", "size": 16, "color": QUIET}, name="the clean image itself", hovertemplate="%{x}: clean image, SSIM %{y:.4f}<extra></extra>")
    figure.update_yaxes(title_text="SSIM to the corrupted image", range=[0, 1.03])
    figure.update_xaxes(type="category", tickangle=-45)
    return framed(figure, "Corruptions imitated", 440).update_layout(barmode="group", margin_b=130, showlegend=True)


def noise_lines(levels: Sequence[float], clean: Sequence[float], corruptions: Sequence[str], errors: Sequence[Sequence[float]]) -> go.Figure:
    """Errors over the noise on the parameters: clean, the mean over the corruptions, and each of them faintly (AdA, Table 4)."""
    x, figure = [100 * level for level in levels], go.Figure()
    for place, name in enumerate(corruptions):
        figure.add_scatter(x=x, y=[100 * row[place] for row in errors], mode="lines", line={"color": QUIET, "width": 1}, name=name, showlegend=False, hovertemplate="%{x:.3g} %: %{y:.2f} %<extra>" + name.replace("_", " ") + "</extra>")
    means = [100 * sum(row) / len(row) for row in errors]
    for number, (name, values) in enumerate({"clean": [100 * each for each in clean], f"mean of {len(corruptions)} corruptions": means}.items()):
        figure.add_scatter(x=x, y=values, mode="lines+markers", line={"color": COLOURS[number], "width": 3}, name=name, hovertemplate="%{x:.3g} %: %{y:.2f} %<extra>" + name + "</extra>")
    figure.update_xaxes(title_text="standard deviation of the noise, % of each block's largest absolute value")
    figure.update_yaxes(title_text="error, %", rangemode="tozero")
    return framed(figure, "Errors under noise on the parameters", 400)
