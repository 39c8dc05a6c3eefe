"""What can be measured of any classifier, off and on the manifold."""

from explorer.papers.measurement import Measurement

from .evaluation import accuracy_table, spectra_table
from .finding import own_path
from .measured import ACCURACIES_KIND, SPECTRA_KIND, AccuracySettings, SpectraSettings
from .opening import open_directions
from .report import report


def _measurement(kind: str, settings: type, tables) -> Measurement:
    return Measurement(
        "attacks off and on the manifold", kind, open_directions, lambda *_: settings(), tables, lambda table: own_path(kind, table), lambda table, _, form: report(table, form),
        options=("vae", "radius", "latent_radius", "steps", "restarts"), flags=("directions", "spectra"), opened_with=("vae",),
    )  # fmt: skip


ACCURACIES = _measurement(ACCURACIES_KIND, AccuracySettings, accuracy_table)
SPECTRA = _measurement(SPECTRA_KIND, SpectraSettings, spectra_table)
