"""Tables 2 and 9 of the paper, of ImageNet, and what is measured of them."""

from explorer.papers.base import Filled, Row
from explorer.papers.results import Results

from .finding import best
from .measured import CORRUPTIONS_KIND, GROUPS
from .published_imagenet import TABLE_2, TABLE_9
from .tables import COLUMNS_8, both, each_corruption, filled_row, train_command, whole

COLUMNS_2 = ("mCE", *GROUPS, "clean", "ImageNet-v2", "ImageNet-R", "ℓ2 0.5", "ℓ2 1.0", "ℓ∞ 1/255", "ℓ∞ 2/255")
MISSING = "no classifier of ImageNet has been trained here: the experiments are checked by single steps and by a few pictures learned by heart, ImageNet is on no machine at hand"


def table_2(results: Results) -> Filled:
    """Corruptions, generalisation and attacks."""
    rows = [
        both(Row(name, printed, command=train_command(name), missing=MISSING), best(CORRUPTIONS_KIND, results, name, whole), results, ("new", "renditions"))
        for name, printed in TABLE_2.items()
    ]
    return Filled(COLUMNS_2, tuple(rows), "In percent: errors under corruptions, mean of five severities, the mean of all in AlexNet's errors; accuracies clean, on new images and under attack; on ImageNet-R among its 200 classes.")


def table_9(results: Results) -> Filled:
    """Every corruption."""
    rows = [filled_row(Row(name, printed, command=train_command(name), missing=MISSING), best(CORRUPTIONS_KIND, results, name, whole), each_corruption) for name, printed in TABLE_9.items()]
    return Filled(COLUMNS_8, tuple(rows), "Errors in percent, mean of five severities; the mean of all in AlexNet's errors.")
