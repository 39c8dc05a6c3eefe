"""All that a killed training needs to go on bit for bit, in one safetensors file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from explorer.checkpoints import write_atomically
from explorer.errors import CheckpointMismatch, CheckpointUnreadable

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
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise CheckpointUnreadable(f"{path} is not a training state that can be resumed ({error}). Start again without --resume.") from None
        different = sorted(k for k in configuration if note["configuration"].get(k) != configuration[k])
        if different:
            pairs = ", ".join(f"{k} {note['configuration'].get(k)!r} (now {configuration[k]!r})" for k in different)
            raise CheckpointMismatch(f"{path} was trained with {pairs}. Give the same options, or start again without --resume.")
        model.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("optimiser."):
                _, index, name = key.split(".", 2)
                state.setdefault(int(index), {})[name] = value
        optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
        generator.set_state(tensors["generator"])
        return TrainingState(note["epoch"], note["history"], note["configuration"])
