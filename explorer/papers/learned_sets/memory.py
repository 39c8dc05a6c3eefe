"""How much memory a training step takes, and the largest batch that fits, before anything is trained."""

import os

import torch
from torch import nn

from explorer.models import ConditionalVAE
from explorer.training import State
from explorer.training.losses import cvae_loss

SHARE = 0.8  # of the free memory, as other things need some too
COPIES = 4  # of the weights: themselves, their gradients, and Adam's two moments
MEASURED = 2  # images; batch norm needs two


def bytes_per_image(model: ConditionalVAE) -> int:
    """What autograd keeps of one image until the backward pass, each tensor once, weights aside."""
    weights = {each.untyped_storage().data_ptr() for each in (*model.parameters(), *model.buffers())}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    images = torch.rand(MEASURED, *model.image_shape, device=next(model.parameters()).device)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = cvae_loss("gaussian")(model, (images, images), State(0.0, {"beta": 1.0}, torch.Generator().manual_seed(0))).sum()
    del loss
    return sum(kept.values()) // MEASURED


def weight_bytes(model: nn.Module) -> int:
    return sum(each.numel() * each.element_size() for each in model.parameters())


def free_bytes(device: torch.device) -> int:
    """What is free on a GPU, or of the machine's memory; without a way to know, much."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        with open("/proc/meminfo") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("MemAvailable")) * 1024
    except (OSError, StopIteration, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 1 << 40


def largest_batch(each: int, weights: int, free: int) -> int:
    """How many images fit; 0 where not even the weights do."""
    return max(0, int((SHARE * free - COPIES * weights) // max(each, 1)))
