"""What can be measured of a VAE."""

from explorer.papers.measurement import Measurement
from explorer.papers.report import find_item, measured_item

from .evaluation import ATTACK_KIND, ELBO_KIND, AttackSettings, ElboSettings, attack_table, elbo_table
from .exploration import open_certified_vae
from .tables import CERTIFIED_VAE, own_path

ELBO = Measurement(
    "a row of the table, which has both boxes", ELBO_KIND, open_certified_vae, lambda *_: ElboSettings(), elbo_table, lambda table: own_path(ELBO_KIND, table),
    measured_item("certified_vae", CERTIFIED_VAE, find_item(CERTIFIED_VAE, "table", 1), ELBO_KIND), options=("radius",),
)  # fmt: skip
ELBO_UNDER_ATTACK = Measurement(
    "the attack on an ELBO, which takes all radii of the figure", ATTACK_KIND, open_certified_vae, lambda *_: AttackSettings(), attack_table, lambda table: own_path(ATTACK_KIND, table),
    measured_item("certified_vae", CERTIFIED_VAE, find_item(CERTIFIED_VAE, "figure", 3), ATTACK_KIND), options=("steps", "restarts", "clip"), flags=("attack",),
)  # fmt: skip
