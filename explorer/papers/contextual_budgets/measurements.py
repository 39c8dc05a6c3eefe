"""What can be measured of a classifier and its budgets."""

from explorer.papers.measurement import Measurement

from .evaluation import error_table, followed_table, volume_table
from .finding import own_path
from .measured import ERRORS_KIND, FOLLOWED_KIND, VOLUMES_KIND, ErrorSettings, FollowedSettings, VolumeSettings
from .opening import open_budgets
from .report import report


def _measurement(what: str, kind: str, settings: type, tables, options: tuple[str, ...], flags: tuple[str, ...] = ()) -> Measurement:
    return Measurement(
        what, kind, open_budgets, lambda *_: settings(), tables, lambda table: own_path(kind, table), lambda table, _, form: report(table, form), options, flags
    )


ERRORS = _measurement("errors under budgets", ERRORS_KIND, ErrorSettings, error_table, ("volume", "generator", "steps", "restarts"))
LARGEST_VOLUMES = _measurement("the largest certified volumes", VOLUMES_KIND, VolumeSettings, volume_table, ("targets", "whole", "method"), ("liu",))
FOLLOWED = _measurement("what budgets follow", FOLLOWED_KIND, FollowedSettings, followed_table, ("volume",), ("followed",))
