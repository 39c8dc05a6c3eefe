"""What can be chosen when a VAE is trained on a bound of its ELBO, with the paper's values (proVAE, §3.3 and §4)."""

from dataclasses import dataclass

from explorer.configuration import limit_problems, out_of_range
from explorer.data import DATASETS
from explorer.errors import ConfigurationError
from explorer.models import model_config
from explorer.models.vae import SIGMA0
from explorer.randomness import LARGEST_KEY
from explorer.training.schedules import Points, schedule_problems

KIND, MODEL = "certified_vae", "vae"
EDGE = {"cifar10": (3, 32, 32)}  # images that are not 1 × 28 × 28, so that a configuration can be checked without its data


@dataclass(frozen=True)
class CertifiedVaeConfig:
    """A VAE whose ELBO is bounded from below over a box of pixels, and trained on that bound. Optimiser, epochs, batch size and a ramp of
    the radius are not in the paper; those here are ours. Without a first part at radius 0 the decoder learns to ignore z."""

    dataset: str = "mnist"  # §4: MNIST and CIFAR-10
    radius: float = 0.1  # ε_train of Table 1: 0, 0.01, 0.02, 0.05, 0.1; at 0 the bound is the ELBO
    clip: bool = False  # eq. 15: the box is not cut to [0, 1]
    sigma0: float = SIGMA0  # not given; σ0² = ½ is what Table 1's values fit
    latent_dim: int = 50  # §4: "50 dimensional latent space"
    widths: tuple[int, int] = (32, 64)  # §4: "two convolutional layers of 32 and 64 filters"
    hidden_units: int | None = None  # §4: 3136 (MNIST), 4096 (CIFAR-10): as many as the convolutions end with, which is none
    epochs: int = 60
    passes: int = 1  # times each image is seen in an epoch
    batch_size: int = 128
    learning_rate: Points = ((0.0, 1e-3), (40.0, 1e-3), (60.0, 1e-4))  # of Adam
    ramp: Points = ((0.0, 0.0), (15.0, 0.0), (45.0, 1.0), (60.0, 1.0))  # the share of the radius; both stretched to `epochs`
    limit: int | None = None  # the first images of each split only
    seed: int = 0

    @property
    def model(self) -> str:
        return MODEL

    def model_config(self, image_shape: tuple[int, int, int]) -> dict:
        """The model's fields, for images of that shape."""
        own = {"latent_dim": self.latent_dim, "widths": list(self.widths), "hidden_units": self.hidden_units}
        return {**dict(zip(("channels", "height", "width"), image_shape)), **own}


def problems(config: CertifiedVaeConfig) -> list[str]:
    """Everything impossible in a configuration, in the user's words."""
    many = (1, 1_000_000)
    found = out_of_range(config, epochs=many, passes=many, batch_size=many, seed=(0, LARGEST_KEY))
    if not 0 <= config.radius <= 1:
        found.append(f"radius = {config.radius}: expected 0 to 1, in units of pixel intensity")
    if not 1e-3 <= config.sigma0 <= 1e3:
        found.append(f"sigma0 = {config.sigma0}: expected 0.001 to 1000")
    found += limit_problems(config)
    found += schedule_problems(config, "learning_rate", "ramp")
    if config.ramp and (max(share for _, share in config.ramp) > 1 or config.ramp[-1][1] != 1):
        found.append(f"ramp = {config.ramp}: expected shares of the radius of at most 1 that end at 1")
    if config.dataset not in DATASETS:
        found.append(f"dataset = {config.dataset!r}: expected one of {', '.join(DATASETS)}")
    try:
        model_config(MODEL, config.model_config(EDGE.get(config.dataset, (1, 28, 28))))
    except ConfigurationError as error:
        found += error.problems
    return found
