"""Table 3 of the paper, orders of growth, beside what steps of training were counted to cost."""

from pathlib import Path

from explorer.measuring import plain
from explorer.papers.base import Filled, Row
from explorer.papers.results import Results, as_usual, own_place

from .costs import COSTS_KIND, CostSettings, CostTable

COLUMNS = ("forward", "backward", "network forward", "network backward", "projections", "projected numbers", "seconds", "× nominal")
TABLE_3 = {  # passes through classifier and auxiliary network, projection; M steps of a search, W of weights, x an image, θ and φ the weights
    "AdA": "O(M), O(M), O(M·|φ| + |x|)",
    "PAT": "O(M·S), O(M·S), O(N)",
    "AT": "O(M), –, O(M·|x|)",
    "TRADES": "O(M), –, O(M·|x|)",
    "AWP": "O(M + W), –, O(M·|x| + W·|θ|)",
    "SAM": "O(W), –, –",
    "DeepAugment": "O(1), O(1), –",
    "AugMix": "O(1), –, –",
}
PAPERS_BATCH = 1024
NO_PAT = "perceptual adversarial training is not built: it needs a trained perceptual distance"
NOTE = (
    "For each image of a step: passes, forward and backward, through the classifier and through the image-to-image network, projections and the numbers they change. The paper "
    "gives orders, in brackets: classifier, network, projection. DeepAugment's pass is made once for a whole training. Passes do not depend on classifier, network and batch. Seconds are of one step, and comparable within a results file."
)


def table_3(results: Results) -> Filled:
    """The lines of the newest measurement; those of others below."""
    tables = results.of(COSTS_KIND)
    first = tables[0] if tables else None
    rows = [_row(f"{name} ({order})", name, first) if name != "PAT" else Row(f"PAT ({order})", (None,) * len(COLUMNS), missing=NO_PAT) for name, order in TABLE_3.items()]
    own = [_row(f"{name}, {found[0].checkpoint}", name, found, own=True) for found in tables for name in found[0].methods if found is not first or name not in TABLE_3]
    return Filled(COLUMNS, (*rows, *own), NOTE)


def own_cost_path(table: CostTable) -> Path:
    """The usual place, or one of its own: `own_place`."""
    return own_place("costs", table, as_usual(table, plain(CostSettings()), "network"))


def _row(label: str, name: str, found, own: bool = False) -> Row:
    nothing = Row(label, (None,) * len(COLUMNS), command="python -m explorer.evaluate CHECKPOINT --costs", own=own)
    if found is None or name not in found[0].methods:
        return nothing
    table, path = found
    at = table.methods.index(name)
    seconds = table.seconds[at]
    values = (table.forward[at], table.backward[at], table.network_forward[at], table.network_backward[at], table.projections[at], table.projected[at], seconds, seconds / table.seconds[table.methods.index("nominal")])
    settings = table.settings
    differences = () if own else (f"classifier {table.checkpoint} of {table.dataset[:40]}", f"network {settings.get('network')}", f"batches of {table.images} (paper {PAPERS_BATCH})", *((f"M = {settings.get('steps')} (paper 10)",) if settings.get("steps") != 10 else ()))
    source = f"{path.name}: {table.images} images of {table.dataset[:40]}, classifier {table.checkpoint}, network {settings.get('network')}, M = {settings.get('steps')}, {table.device[:60]}, revision {table.revision[:20]}"
    return Row(label, nothing.paper, values, differences=differences, source=source, own=own)


