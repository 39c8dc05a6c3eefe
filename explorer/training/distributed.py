"""One training over several processes: each draws the whole batch and all its randomness, takes its own rows, and adds its gradients to the others',
so that every process has the weights that one alone would have, but for rounding. What one writes, the first process writes.

Started by torchrun (RANK, WORLD_SIZE), or by a run's worker (EXPLORER_RANK, EXPLORER_WORLD and a file in EXPLORER_MEETING)."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import MethodType

import torch
import torch.distributed as dist
from torch import Tensor, nn

from explorer.errors import Cancelled, ConfigurationError, ExplorerError
from explorer.models.corruption_networks.vector_quantised import Codebook

from .losses import Rows

LONGEST_EPOCH = timedelta(hours=12)  # that the first process may take to measure and save while the others wait
MEETING = timedelta(minutes=15)


class Done(Exception):
    """A process that is not the first has done its part of a training: measuring and saving is the first one's."""


@dataclass(frozen=True)
class Place:
    """Which of how many processes this is."""

    rank: int = 0
    processes: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def rows(self, whole: int) -> Rows:
        """This process's part of a batch. One that has fewer rows than there are processes is done by all of them."""
        if self.processes == 1 or whole < self.processes:
            return Rows(0, whole, whole, self.processes)
        return Rows(self.rank * whole // self.processes, (self.rank + 1) * whole // self.processes, whole, 1)


def current() -> Place:
    """One of one where nothing else was said."""
    if not dist.is_available() or not dist.is_initialized():
        return Place()
    return Place(dist.get_rank(), dist.get_world_size())


def wanted() -> Place:
    """What this process was started as. Raises ConfigurationError for what makes no sense."""
    for rank, world in (("EXPLORER_RANK", "EXPLORER_WORLD"), ("RANK", "WORLD_SIZE")):
        if world in os.environ:
            texts = os.environ.get(rank, ""), os.environ[world]
            if not all(text.isdecimal() for text in texts) or not int(texts[0]) < int(texts[1]):
                raise ConfigurationError([f"{rank} = {texts[0]!r}, {world} = {texts[1]!r}: expected the number of this process and how many there are. Start with torchrun."])
            return Place(int(texts[0]), int(texts[1]))
    return Place()


@contextmanager
def joined(device: torch.device) -> Iterator[Place]:
    """Together with the others from here on: over NCCL on GPUs, else over gloo. Raises ExplorerError where they do not come."""
    place = wanted()
    if place.processes == 1:
        yield place
        return
    backend = "nccl" if device.type == "cuda" else "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
    try:
        if "EXPLORER_WORLD" in os.environ:
            store = dist.FileStore(os.environ["EXPLORER_MEETING"], place.processes)
            store.set(f"here {place.rank}", "1")
            store.wait([f"here {rank}" for rank in range(place.processes)], MEETING)
            dist.init_process_group(backend, store=store, rank=place.rank, world_size=place.processes, timeout=LONGEST_EPOCH)
        else:
            dist.init_process_group(backend, timeout=LONGEST_EPOCH)
    except (RuntimeError, ValueError) as error:
        raise ExplorerError(f"the {place.processes} processes of this training did not find each other: {str(error).splitlines()[0][:200]}.") from None
    try:
        yield place
    finally:
        dist.destroy_process_group()


def own_gpu(device: torch.device) -> torch.device:
    """With several processes on a machine, each one's own GPU. Raises ConfigurationError where there are too few."""
    if device.type != "cuda" or wanted().processes == 1:
        return device
    local, known = int(os.environ.get("LOCAL_RANK") or wanted().rank), torch.cuda.device_count()
    if local >= known:
        raise ConfigurationError([f"process {local} of this machine has no GPU of its own: there are {known}. Start at most {known} processes on it."])
    return torch.device("cuda", local)


class Together:
    """The sums over all processes that a training takes."""

    def __init__(self, place: Place, model: nn.Module):
        self.place, self._parameters = place, [each for each in model.parameters() if each.requires_grad]
        self._dtype = torch.float64 if any(each.dtype == torch.float64 for each in self._parameters) else torch.float32

    def gradients(self, loss: Tensor, stop: bool) -> Tensor:
        """Replace each parameter's gradient by the sum over all processes, and return the sum of their losses. Raises Cancelled on all where one is
        to stop."""
        device, has = self._parameters[0].device, [each.grad is not None for each in self._parameters]
        flat = [loss.detach().to(self._dtype).reshape(1), torch.tensor([float(stop), *map(float, has)], device=device, dtype=self._dtype)]
        flat += [(each.grad if each.grad is not None else torch.zeros_like(each)).flatten().to(self._dtype) for each in self._parameters]
        total = self.summed(torch.cat(flat))
        if float(total[1]) > 0:
            raise Cancelled("stopped on request")
        marks, rest = total[2 : 2 + len(has)].tolist(), total[2 + len(has) :]
        for each, mark, part in zip(self._parameters, marks, rest.split([each.numel() for each in self._parameters])):
            each.grad = part.view_as(each).to(each) if mark else None
        return total[0]

    def all_summed(self, tensors: Iterable[Tensor | None]) -> tuple[Tensor | None, ...]:
        """Each, summed over all processes."""
        return tuple(None if each is None else self.summed(each.contiguous()) for each in tensors)

    def summed(self, tensor: Tensor) -> Tensor:
        try:
            dist.all_reduce(tensor)
        except RuntimeError as error:
            raise ExplorerError(f"another process of this training has ended ({str(error).splitlines()[0][-120:]}). Go on with --resume, or retry the run.") from None
        return tensor


@contextmanager
def as_one(model: nn.Module, rows: Rows | None) -> Iterator[None]:
    """Batch norm and codes that are moving averages see what all processes together see: the whole batch, once."""
    if rows is None:
        yield
        return
    changed: list[tuple[nn.Module, str]] = []
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.forward = MethodType(partial(_normalised, copies=rows.copies), module)
            changed.append((module, "forward"))
        if isinstance(module, Codebook):
            module._average = _averaging_all(module._average, rows.copies)
            changed.append((module, "_average"))
    try:
        yield
    finally:
        for module, name in changed:
            del module.__dict__[name]


def _averaging_all(average: Callable[[str, Tensor], Tensor], copies: int) -> Callable[[str, Tensor], Tensor]:
    def averaged(name: str, value: Tensor) -> Tensor:
        value = value / copies
        dist.all_reduce(value)
        return average(name, value)

    return averaged


class _Sum(torch.autograd.Function):
    """The sum over all processes; so is its gradient."""

    @staticmethod
    def forward(context, value: Tensor) -> Tensor:
        value = value.clone()
        dist.all_reduce(value)
        return value

    @staticmethod
    def backward(context, gradient: Tensor) -> Tensor:
        gradient = gradient.contiguous().clone()
        dist.all_reduce(gradient)
        return gradient


def _normalised(self: nn.modules.batchnorm._BatchNorm, x: Tensor, *, copies: int) -> Tensor:
    """Batch norm by the mean and the variance of all processes' rows."""
    if not self.training or not self.track_running_stats:
        return type(self).forward(self, x)
    dims, shape = [0, *range(2, x.ndim)], [1, -1, *[1] * (x.ndim - 2)]
    wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    count = _Sum.apply(torch.tensor(float(x.numel() // x.shape[1]), device=x.device, dtype=wide.dtype))
    mean = _Sum.apply(wide.sum(dims)) / count
    centred = wide - mean.view(shape)
    variance = _Sum.apply(centred.square().sum(dims)) / count
    with torch.no_grad():
        self.num_batches_tracked += 1
        momentum = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.detach().to(self.running_mean), momentum)
        self.running_var.lerp_((variance.detach() * count / (count - copies)).to(self.running_var), momentum)
    normal = centred * (variance.view(shape) + self.eps).rsqrt()
    return (normal * self.weight.view(shape) + self.bias.view(shape) if self.affine else normal).to(x.dtype)
