"""Which device to compute on, and how many threads."""

import os

import torch

from .errors import InvalidInput


def available_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def use_all_cores(spare: int = 0) -> None:
    """Give torch as many threads as this process has cores, less `spare`; more cost far more than they bring.

    An explicit OMP_NUM_THREADS is left alone."""
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, available_cores() - spare))


def pick_device(name: str = "auto") -> torch.device:
    """`auto` is the GPU where there is one. Raises InvalidInput for a device this machine lacks."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InvalidInput(f"unknown device {name!r}. Expected auto, cpu, cuda or cuda:N.") from None
    if device.type not in ("cpu", "cuda"):
        raise InvalidInput(f"device {name!r} is not supported. Expected auto, cpu, cuda or cuda:N.")
    if device.type == "cuda" and not (device.index or 0) < torch.cuda.device_count():
        raise InvalidInput(f"device {name!r} is not on this machine ({torch.cuda.device_count()} GPUs). Use cpu or auto.")
    return device


def describe_device(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"
