"""Processes that fit one estimator together, and what they tell each other.

All ranks read the same data and draw the same batches. The micro-batches of a batch are shared out,
and what becomes of each is gathered and added up in the order of the micro-batches, so that not one
bit depends on how many ranks there are. A single process is a rank without company.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, wraps
from itertools import chain, count, zip_longest
from socket import gethostname
from typing import Any, TypeVar, cast

import torch
from joblib.parallel import get_active_backend
from torch import Tensor

from skl_lstmae.training.devices import resolve_device

distributed: Any = torch.distributed  # not all of whose names have types

Method = TypeVar("Method", bound=Callable[..., Any])

SET_BY_LAUNCHERS = {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}
"""Environment variables by which torchrun, and all that does as it does, tells a rank of others."""

MAX_GATHERED = 2**22
"""Numbers of each rank that are gathered at a time."""

NOTHING = object()
"""Stands where a rank has no more values."""


def _tells_of_others(method: Method) -> Method:
    """Decorate a method that waits for the other ranks: it says what it means if they are gone."""

    @wraps(method)
    def run(ranks: "Ranks", *args: Any) -> Any:
        try:
            return method(ranks, *args)
        except RuntimeError as error:
            raise RuntimeError(
                f"Rank {ranks.rank} of {ranks.number} has lost another rank, which has failed, was "
                "killed, or has not answered in time; its own message says why. Start all ranks "
                "again: with checkpoint, the fit goes on after its last epoch."
            ) from error

    return cast(Method, run)


@dataclass(frozen=True, eq=False)
class Ranks:
    """The processes of a fit, one of which this is.

    Parameters
    ----------
    number : int, default=1
        How many there are.
    rank : int, default=0
        Which of them this is.
    groups : dict of str to ProcessGroup, default={}
        By which they speak, from one kind of device to the same of another rank; none if this
        process fits alone.
    """

    number: int = 1
    rank: int = 0
    groups: dict[str, Any] = field(default_factory=dict)

    @property
    def share_work(self) -> bool:
        """Whether this is a rank, if only of one, rather than a process alone."""
        return bool(self.groups)

    @property
    def is_first(self) -> bool:
        """Whether this is the rank that prints, and writes files."""
        return self.rank == 0

    def mine(self, n: int) -> range:
        """Return which of so many parts are this rank's."""
        return range(self.rank, n, self.number)

    @_tells_of_others
    def agreed(self, value: Any) -> Any:
        """Return the first rank's value."""
        if self.number == 1:
            return value
        values = [value if self.is_first else None]
        distributed.broadcast_object_list(values, group=self.groups["cpu"], group_src=0)
        return values[0]

    def gathered(self, values: list[Any]) -> list[Any]:
        """Return the values of all parts in their order, of which each rank has its own."""
        in_turns = chain.from_iterable(zip_longest(*self._of_each(values), fillvalue=NOTHING))
        return [value for value in in_turns if value is not NOTHING]

    def is_any(self, value: bool) -> bool:
        """Return whether it is so for any rank."""
        return any(self._of_each(value))

    @_tells_of_others
    def _of_each(self, value: Any) -> list[Any]:
        """Return what each rank has."""
        values = [value] * self.number
        if self.number > 1:
            distributed.all_gather_object(values, value, group=self.groups["cpu"])
        return values

    @_tells_of_others
    def gathered_numbers(self, numbers: list[int], n: int) -> list[int]:
        """Return the whole numbers of n parts in their order, of which each rank has its own."""
        if self.number == 1:
            return numbers
        mine = torch.zeros(-(-n // self.number), dtype=torch.int64, device="cpu")
        mine[: len(numbers)] = torch.tensor(numbers, dtype=torch.int64, device="cpu")
        of_ranks = [torch.empty_like(mine) for _ in range(self.number)]
        distributed.all_gather(of_ranks, mine, group=self.groups["cpu"])
        return torch.stack(of_ranks, dim=1).flatten()[:n].tolist()

    @_tells_of_others
    def gathered_sum(self, rows: list[Tensor], n: int) -> Tensor:
        """Return the sum of the rows of n parts, (size,), each added to those before it."""
        device, dtype, size = rows[0].device, rows[0].dtype, len(rows[0])
        place = device if device.type in self.groups else torch.device("cpu")
        mine = torch.zeros(-(-n // self.number), size, dtype=dtype, device=place)
        for row, own in zip(mine, rows, strict=False):
            row.copy_(own)
        sums = []
        for block in mine.split(max(1, MAX_GATHERED // len(mine)), dim=1):
            of_ranks = [torch.empty_like(block) for _ in range(self.number)]
            distributed.all_gather(of_ranks, block.contiguous(), group=self.groups[place.type])
            parts = (of_ranks[part % self.number][part // self.number] for part in range(n))
            total = next(parts)
            for part in parts:
                total += part
            sums.append(total)
        return torch.cat(sums).to(device)


ALONE = Ranks()
"""A process that fits by itself."""

_here = ContextVar("ranks", default=ALONE)


def ranks_here() -> Ranks:
    """Return the ranks that the call at hand is a part of."""
    return _here.get()


@contextmanager
def joined(wanted: str | bool, device: str | torch.device) -> Iterator[None]:
    """Fit with the other ranks, if that is wanted and there are any, on a device of that name.

    A process group that there is already stays, else one is made and destroyed. In a worker of
    joblib there is no company: it has the variables of its parent, but is none of the ranks.
    """
    is_nested = ranks_here().share_work or get_active_backend()[0].nesting_level
    if not wanted or is_nested or not _has_company():
        yield
        return
    with ExitStack() as stack:
        if not distributed.is_initialized():
            _initialize()
            stack.callback(distributed.destroy_process_group)
        ranks = _speaking(own_device(resolve_device(device)))
        stack.callback(_close, ranks)
        stack.callback(_here.reset, _here.set(ranks))
        yield


def _has_company() -> bool:
    if not distributed.is_available():
        return False
    return distributed.is_initialized() or os.environ.keys() >= SET_BY_LAUNCHERS


def _initialize() -> None:
    """Make the process group of a fit, as the variables say; each fit has keys of its own."""
    store, rank, number = _store()
    prefix = distributed.PrefixStore(f"skl_lstmae/{next(_number_of_fit)}", store)
    distributed.init_process_group("gloo", store=prefix, rank=rank, world_size=number)


_number_of_fit = count()


@cache
def _store() -> tuple[Any, int, int]:
    """Return where ranks find each other, this one's number, and how many there are."""
    return next(distributed.rendezvous("env://"))


def _speaking(device: torch.device) -> Ranks:
    """Return the ranks with a group for their CPUs and, if each has its own, one for the GPUs."""
    ranks = Ranks(distributed.get_world_size(), distributed.get_rank())
    ranks.groups["cpu"] = distributed.new_group(backend="gloo")
    places = ranks.gathered([(gethostname(), str(device))])
    has_own_gpu = device.type == "cuda" and len(set(places)) == ranks.number
    if has_own_gpu and distributed.is_nccl_available():
        ranks.groups["cuda"] = distributed.new_group(backend="nccl")
    return ranks


def _close(ranks: Ranks) -> None:
    """Close the groups, as the others notice; an error that is on its way may hold the ranks."""
    while ranks.groups:
        distributed.destroy_process_group(ranks.groups.popitem()[1])


def own_device(device: torch.device) -> torch.device:
    """Return the GPU that the launcher means for this rank, if the device is just any."""
    if device.type != "cuda" or device.index is not None:
        return device
    number = int(os.environ.get("LOCAL_RANK", torch.cuda.current_device()))
    return torch.device("cuda", number % torch.cuda.device_count())
