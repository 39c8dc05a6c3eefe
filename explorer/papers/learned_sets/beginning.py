"""Going on from the weights of another checkpoint: one resolution after another (Perturbation sets, Appendix F.1)."""

from torch import nn

from explorer.checkpoints import load
from explorer.errors import InvalidInput
from explorer.measuring import file_digest
from explorer.papers.trained import trained_path


def begin_with(model: nn.Module, name: str) -> dict[str, str]:
    """Give a model the weights of an experiment's checkpoint, or of a file; returns what a header says of it. Raises CheckpointError where there
    is none, and InvalidInput where its weights are of another shape."""
    path = trained_path(name)
    weights, own = load(path).model.state_dict(), model.state_dict()
    different = [key for key in sorted({*weights, *own}) if key not in weights or key not in own or weights[key].shape != own[key].shape]
    if different:
        raise InvalidInput(f"{path.name} cannot be gone on from: {len(different)} of {len(own)} tensors differ, such as {different[0]}. Give both the same widths, latents and pooled sizes.")
    model.load_state_dict(weights)
    return {"begin_with": path.stem, "begin_with_digest": file_digest(path)}
