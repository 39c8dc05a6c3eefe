"""What can be chosen when a perturbation set is learned, with the paper's values (Perturbation sets, Appendix D)."""

from dataclasses import dataclass, fields

from explorer.configuration import limit_problems, out_of_range
from explorer.data import PAIRS, STORED_PAIRS, pair_kind
from explorer.errors import ConfigurationError
from explorer.models import MODELS, model_config
from explorer.models.unet_blocks import WIDTHS
from explorer.models.unet_cvae import POOLED
from explorer.randomness import LARGEST_KEY
from explorer.training.losses import Likelihood
from explorer.training.schedules import Points, schedule_problems

KIND = "learned_set"


@dataclass(frozen=True)
class LearnedSetConfig:
    """A CVAE trained on pairs made from a data set. Defaults are the paper's RTS setting (Appendix D.1)."""

    dataset: str = "mnist"
    pairs: str = "rts"
    model: str = "rts_cvae"
    latent_dim: int = 128  # "two linear modules to 128 units"
    transformers: int = 5  # "five parallel spatial transformers"
    localization_widths: tuple[int, ...] = (512, 128)  # published configuration
    log_var_bounds: tuple[float, float] | None = None  # Appendix E.1 bounds it on CIFAR-10 only
    likelihood: Likelihood = "bernoulli"  # published configuration, and what Table 4 reports; §4 writes N(g, I): gaussian
    epochs: int = 100
    hidden_units: int = 784  # of the fully connected networks
    maps: int = 64  # of the residual network: "Residual(64)", "64 → 16 → 64", "Conv(16)" and four blocks (Appendix E.1, Table 5)
    inner_maps: int = 16
    bottleneck_maps: int = 16
    blocks: int = 4
    level_widths: tuple[int, ...] = WIDTHS  # of the U-Net, with the next three (Appendix F.1)
    skip_channels: int = 16
    pooled: tuple[tuple[int, int], ...] = POOLED  # height and width that the map of each level is brought to
    latent_dims: tuple[int, ...] = (128, 64, 32, 16, 16)
    begin_with: str | None = None  # a checkpoint or an experiment, whose weights it goes on from: fine-tuning at another resolution
    crop_and_flip: bool = False  # both images of a pair alike (Appendix E.1)
    crop_padding: int = 4  # pixels, with crop_and_flip
    weight_decay: float = 0.0
    workers: int | None = None  # processes that make costly pairs ahead; none: as many as there are cores to spare. Results do not depend on it
    stored: int | None = None  # so many fixed perturbations of each image (RTS-1, RTS-5); none: fresh ones every time
    passes: int = 1  # times each image is seen in an epoch, each time in a fresh pair
    batch_size: int = 128
    learning_rate: Points = ((0.0, 0.0), (40.0, 8e-4), (100.0, 0.0))  # "cyclic …, peaking at 0.0008 on the 40th epoch"
    beta: Points = ((0.0, 0.0), (10.0, 0.01), (50.0, 1.0), (100.0, 1.0))  # as printed; both stretched to `epochs`
    limit: int | None = None  # the first images of each split only
    seed: int = 0

    def model_config(self, image_shape: tuple[int, int, int]) -> dict:
        """The fields that the model knows, for images of that shape."""
        own = {**vars(self), **dict(zip(("channels", "height", "width"), image_shape))}
        known = [field.name for field in fields(MODELS[self.model].config)]
        return {name: _plain(own[name]) for name in known if name in own}


def problems(config: LearnedSetConfig) -> list[str]:
    """Everything impossible in a configuration, in the user's words."""
    many = (1, 1_000_000)
    found = out_of_range(config, epochs=many, passes=many, batch_size=many, seed=(0, LARGEST_KEY))
    found += out_of_range(config, crop_padding=(0, 1000), weight_decay=(0, 1))
    if config.workers is not None and not 0 <= config.workers <= 256:
        found.append(f"workers = {config.workers}: expected 0 to 256 processes, or none")
    found += limit_problems(config)
    if config.stored is not None and not 1 <= config.stored <= 1000:
        found.append(f"stored = {config.stored}: expected 1 to 1000 perturbations of each image, or none")
    found += schedule_problems(config, "learning_rate", "beta")
    for name, table in (("pairs", [*PAIRS, *STORED_PAIRS]), ("model", MODELS)):
        if getattr(config, name) not in table:
            found.append(f"{name} = {getattr(config, name)!r}: expected one of {', '.join(table)}")
    if config.pairs in PAIRS or config.pairs in STORED_PAIRS:
        found += pair_kind(config.pairs).problems(config.dataset)
    if config.model in MODELS:
        try:
            model_config(config.model, config.model_config((1, 28, 28)))
        except ConfigurationError as error:
            found += error.problems
    return found


def _plain(value):
    """Tuples as lists, as they come back from a file."""
    return [_plain(each) for each in value] if isinstance(value, tuple) else value
