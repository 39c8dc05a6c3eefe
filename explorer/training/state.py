"""All that a killed training needs to go on bit for bit, in one safetensors file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from explorer.errors import CheckpointMismatch, CheckpointUnreadable
from explorer.storage import write_atomically

KEY = "explorer-training"


@dataclass(frozen=True)
class TrainingState:
    """After how many epochs, with which history, and the fingerprint of the configuration that it belongs to."""

    epoch: int
    history: list[dict[str, float]]
    configuration: dict[str, Any]

    def save(self, path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, generator: torch.Generator) -> None:
        """Write weights, optimiser and generator atomically. Raises OutputError."""
        from safetensors.torch import save

        tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
        for index, values in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": torch.as_tensor(value) for name, value in values.items()}
        tensors["generator"] = generator.get_state()
        note = {"epoch": self.epoch, "history": self.history, "configuration": self.configuration}
        write_atomically(path, save({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, {KEY: json.dumps(note)}))

    @staticmethod
    def resume(
        path: Path, configuration: dict[str, Any], model: nn.Module, optimiser: torch.optim.Optimizer, generator: torch.Generator
    ) -> "TrainingState":
        """Put a saved state back in place. Raises CheckpointUnreadable, or CheckpointMismatch for another configuration."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, "pt") as file:
                note = json.loads((file.metadata() or {})[KEY])
                tensors = {name: file.get_tensor(name) for name in file.keys()}
            epoch, history, trained = note["epoch"], note["history"], note["configuration"]
            different = sorted(k for k in configuration if trained.get(k) != configuration[k])
        except (SafetensorError, OSError, KeyError, ValueError, AttributeError, TypeError) as error:
            raise _unusable(path, error) from None
        if different:
            pairs = ", ".join(f"{k} {trained.get(k)!r} (now {configuration[k]!r})" for k in different)
            raise CheckpointMismatch(f"{path} was trained with {pairs}. Give the same options, or start again without --resume.")
        try:
            model.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
            optimiser.load_state_dict({"state": _by_parameter(tensors), "param_groups": optimiser.state_dict()["param_groups"]})
            generator.set_state(tensors["generator"])
        except (KeyError, ValueError, RuntimeError, TypeError) as error:
            raise _unusable(path, error) from None
        return TrainingState(epoch, history, trained)


def _by_parameter(tensors: dict[str, torch.Tensor]) -> dict[int, dict[str, torch.Tensor]]:
    """The optimiser's state: its tensors by the number of their parameter."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimiser."):
            _, index, name = key.split(".", 2)
            state.setdefault(int(index), {})[name] = value
    return state


def _unusable(path: Path, error: Exception) -> CheckpointUnreadable:
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return CheckpointUnreadable(f"{path} is not a training state that can be resumed ({reason}). Start again in another folder.")
