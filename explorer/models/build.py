"""From a name and a plain dictionary to a module."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from explorer.configuration import from_mapping
from explorer.registry import look_up


@dataclass(frozen=True)
class ModelEntry:
    """A frozen configuration class, and the function that makes its module."""

    config: type
    build: Callable[[Any], nn.Module]
    description: str


def model_config(name: str, config: Mapping[str, Any]) -> Any:
    """The model's frozen configuration. Raises UnknownName, or ConfigurationError with all impossible fields."""
    from . import MODELS

    return from_mapping(look_up(MODELS, name, "model").config, config, f"model {name!r}")


def build_model(name: str, config: Mapping[str, Any]) -> nn.Module:
    """A freshly initialised model; {} is the paper's size."""
    from . import MODELS

    return look_up(MODELS, name, "model").build(model_config(name, config))
