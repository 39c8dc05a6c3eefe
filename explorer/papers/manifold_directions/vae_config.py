"""What can be chosen when a class-conditional VAE is trained, with the paper's values."""

from dataclasses import dataclass, fields
from typing import Literal

from explorer.configuration import limit_problems, out_of_range
from explorer.data import DATASETS
from explorer.errors import ConfigurationError
from explorer.models import MODELS, model_config
from explorer.randomness import LARGEST_KEY
from explorer.training.losses import Likelihood
from explorer.training.schedules import Points, schedule_problems

KIND = "class_cvae"
Model = Literal["class_mlp_cvae", "class_cnn_cvae"]


@dataclass(frozen=True)
class ClassVaeConfig:
    """q(z | x, y) and g(z, y), trained on the ELBO of images given their class. Defaults are the paper's for MNIST (Appendix B.1), which
    names neither likelihood, optimiser nor schedule: Bernoulli, Adam, constant. `widths` are those of the convolutions."""

    dataset: str = "mnist"
    model: Model = "class_mlp_cvae"
    latent_dim: int = 10  # Appendix B.1
    hidden_units: int = 256  # Appendix B.1; of the MLP
    widths: tuple[int, int, int, int] | None = None  # of the CNN, "4 layers", whose widths the paper does not give; none: 32, 64, 128, 256
    likelihood: Likelihood = "bernoulli"  # not given
    epochs: int = 20  # Appendix B.1
    passes: int = 1  # times each image is seen in an epoch
    batch_size: int = 64  # Appendix B.1
    learning_rate: Points = ((0.0, 1e-3), (20.0, 1e-3))  # Appendix B.1; stretched to `epochs`
    beta: float = 1.0  # weight of the KL divergence
    limit: int | None = None  # the first images of each split only
    seed: int = 0

    def model_config(self, image_shape: tuple[int, int, int], classes: int) -> dict:
        """The fields that the model knows, for images of that shape."""
        own = {**vars(self), **dict(zip(("channels", "height", "width"), image_shape)), "classes": classes}
        known = [field.name for field in fields(MODELS[self.model].config)]
        return {name: list(own[name]) if isinstance(own[name], tuple) else own[name] for name in known if own.get(name) is not None}


def problems(config: ClassVaeConfig) -> list[str]:
    """Everything impossible in a configuration, in the user's words."""
    many = (1, 1_000_000)
    found = out_of_range(config, epochs=many, passes=many, batch_size=many, seed=(0, LARGEST_KEY), beta=(0, 1_000_000))
    found += limit_problems(config)
    found += schedule_problems(config, "learning_rate")
    if config.dataset not in DATASETS:
        found.append(f"dataset = {config.dataset!r}: expected one of {', '.join(DATASETS)}")
    try:
        model_config(config.model, config.model_config((1, 32, 32), 10))
    except ConfigurationError as error:
        found += error.problems
    return found
