"""Eigenvalues of classes, and where along them attacks lie (Manifold directions, Figures 2 and 3)."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.errors import InvalidInput

from .runs import COLOURS
from .theory import QUIET, framed

Band = tuple[Sequence[float], Sequence[float]]
NOTHING = 1e-9  # of the largest: an eigenvalue below it is 0 but for rounding, as where there are fewer images than directions


def eigenvalue_lines(lines: Mapping[str, Sequence[float]], split: int, title: str = "Eigenvalues", *, logarithmic: bool = True) -> go.Figure:
    """Eigenvalues in descending order: all of them, the first `split`, and the others. The first line is dashed: what others are compared
    with; eigenvalues of 0 are left out. Raises InvalidInput for a split outside the eigenvalues, and for lines of different lengths."""
    lengths = {len(values) for values in lines.values()}
    if len(lengths) != 1 or not 0 < split < min(lengths):
        raise InvalidInput(f"expected as many eigenvalues in every line, and a split inside them, got {sorted(lengths)} and {split}.")
    (count,) = lengths
    last_drawn = max(place for values in lines.values() for place, value in enumerate(values, 1) if value > NOTHING * max(values))
    figure = make_subplots(1, 3, subplot_titles=["all", f"the {split} large ones", f"the {count - split} small ones"], horizontal_spacing=0.07)
    for number, (name, values) in enumerate(lines.items()):
        for column, (first, last) in enumerate(((0, count), (0, split), (split, count)), 1):
            shown = [value if value > NOTHING * max(values) else None for value in values[first:last]]
            figure.add_scatter(
                x=list(range(first + 1, last + 1)), y=shown, mode="lines", name=name, legendgroup=name, showlegend=column == 1, row=1, col=column,
                line={"color": QUIET if number == 0 else COLOURS[(number - 1) % len(COLOURS)], "dash": "dash" if number == 0 else "solid", "width": 2},
                hovertemplate="direction %{x}: %{y:.3g}<extra>" + name.replace("<", "") + "</extra>",
            )  # fmt: skip
    figure.add_vline(x=split + 0.5, line_dash="dot", line_color=QUIET, row=1, col=1)
    figure.update_yaxes(**({"type": "log", "dtick": 1} if logarithmic else {"type": "linear"}), exponentformat="power")
    figure.update_xaxes(title_text="principal direction")
    if last_drawn > split:
        figure.update_xaxes(range=[0, last_drawn + 1], row=1, col=1).update_xaxes(range=[split, last_drawn + 1], row=1, col=3)
    figure.update_yaxes(title_text="eigenvalue, squared intensity", row=1, col=1)
    return framed(figure, title, 420)


def energy_lines(shares: Mapping[str, Sequence[float]], split: int, title: str = "Energy along the class's principal directions", bands: Mapping[str, Band] | None = None) -> go.Figure:
    """The share of each attack's energy along the first k directions, over k. `variance` among the names is drawn dashed: the data's own.
    `bands` are the ends of each share's confidence band, not accumulated: they go into the hover. Raises InvalidInput as above."""
    lengths = {len(values) for values in shares.values()}
    if len(lengths) != 1 or not 0 < split < min(lengths):
        raise InvalidInput(f"expected as many shares in every line, and a split inside them, got {sorted(lengths)} and {split}.")
    figure, coloured = go.Figure(), 0
    for name, values in shares.items():
        dashed = name == "variance"
        total, summed = 0.0, []
        for value in values:
            total += value
            summed.append(min(1.0, total))
        low, high = (bands or {}).get(name, ([None] * len(values),) * 2)
        hover = "first %{x} directions: %{y:.1%}<br>along this one: %{customdata[0]:.2%}" + (" (%{customdata[1]:.2%} to %{customdata[2]:.2%})" if bands and name in bands else "")
        figure.add_scatter(
            x=list(range(1, len(values) + 1)), y=summed, mode="lines", name="the data's variance" if dashed else name, customdata=list(zip(values, low, high)),
            line={"color": QUIET if dashed else COLOURS[coloured % len(COLOURS)], "dash": "dash" if dashed else "solid", "width": 2}, hovertemplate=hover + "<extra>" + name.replace("<", "") + "</extra>",
        )  # fmt: skip
        coloured += not dashed
    figure.add_scatter(
        x=[split, split], y=[0, 1], mode="lines+text", line={"dash": "dot", "color": QUIET}, text=[f" split at {split}", ""], textposition="top right", showlegend=False, hoverinfo="skip"
    )
    figure.update_xaxes(title_text="first k principal directions", type="log", dtick=1)
    figure.update_yaxes(title_text="share of the energy", range=[0, 1.02], tickformat=".0%")
    return framed(figure, title, 400)


def ratio_bars(classes: Sequence[str], ratios: Mapping[str, Sequence[tuple[float, float]]], title: str = "Attacked over clean") -> go.Figure:
    """For each class how many times the sums of the large (left) and of the small eigenvalues (right) are those of the clean images."""
    figure = make_subplots(1, 2, subplot_titles=["large eigenvalues", "small eigenvalues"], horizontal_spacing=0.1)
    for number, (name, values) in enumerate(ratios.items()):
        for column in (1, 2):
            figure.add_bar(
                x=list(classes), y=[each[column - 1] for each in values], name=name, legendgroup=name, showlegend=column == 1, marker_color=COLOURS[number % len(COLOURS)], row=1, col=column,
                hovertemplate="class %{x}: %{y:.3g} times<extra>" + name.replace("<", "") + "</extra>",
            )  # fmt: skip
    figure.add_hline(y=1.0, line_dash="dash", line_color=QUIET)
    figure.update_layout(barmode="group")
    figure.update_xaxes(type="category", title_text="class")
    figure.update_yaxes(title_text="times the clean sum", row=1, col=1)
    return framed(figure, title, 380)


def accuracy_matrix(rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float | None]], title: str = "") -> go.Figure:
    """Accuracies in percent in a cell for each defence and attack, which can be clicked; an empty cell was not measured. Raises InvalidInput
    for rows of another length."""
    if any(len(row) != len(columns) for row in values) or len(values) != len(rows):
        raise InvalidInput(f"expected {len(rows)} rows of {len(columns)} accuracies.")
    shown = [["" if value is None else f"{100 * value:.1f}" for value in line] for line in values]
    cells = [(column, row, text) for row, line in zip(rows, shown) for column, text in zip(columns, line) if text]
    figure = go.Figure(
        go.Heatmap(
            x=list(columns), y=list(rows), z=[list(row) for row in values], zmin=0, zmax=1, colorscale="Viridis", showscale=False, hoverinfo="skip", xgap=2, ygap=2,
            text=shown, texttemplate="%{text}", textfont_size=12,
        )
    )  # fmt: skip
    unseen = {"marker": {"opacity": 0.0}}
    figure.add_scatter(
        x=[each[0] for each in cells], y=[each[1] for each in cells], customdata=[each[2] for each in cells], mode="markers", marker={"size": 34, "opacity": 0.0, "symbol": "square"},
        selected=unseen, unselected=unseen, hovertemplate="%{y}, %{x}: %{customdata} %<extra></extra>", showlegend=False,
    )  # fmt: skip
    figure.update_xaxes(side="top", type="category", fixedrange=True, tickangle=0, tickfont_size=11, showgrid=False)
    figure.update_yaxes(autorange="reversed", type="category", fixedrange=True, showgrid=False, automargin=True, tickfont_size=11)
    return framed(figure, title, 110 + 44 * len(rows)).update_layout(margin={"l": 10, "r": 10, "t": 80 if title else 50, "b": 10})
