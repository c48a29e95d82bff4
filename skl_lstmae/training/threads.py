"""How many threads the kernels of a detector run on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Event, Lock
from types import SimpleNamespace

import torch
from joblib.parallel import get_active_backend
from threadpoolctl import ThreadpoolController

_in_a_fork = Event()
"""Set if this process was forked from one that had imported this package."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_a_fork.set)


_settings = SimpleNamespace(lock=Lock(), n_users=0, n_threads=1, blas=None)
"""Who has torch and BLAS on one thread, and how many they had before."""

LARGE_NETWORK = 2**18
"""Weights from which on a network gains from several threads."""


@contextmanager
def few_threads(is_large: bool) -> Iterator[None]:
    """Keep to one thread with a small network, and inside a joblib worker.

    Small LSTMs, and the small matrices of scorers, lose more than they gain from several threads,
    and the siblings of a worker are busy on the other cores. Afterwards torch and the BLAS of numpy
    and scipy have their settings again.

    A forked process has one thread from here on, as the workers of torch's own loaders: its OpenMP
    would for ever wait for the threads of the parent, none of which is there.
    """
    if _in_a_fork.is_set():
        torch.set_num_threads(1)
    backend, _ = get_active_backend()
    torch.get_num_threads()  # as a thread's first call into torch sets its number of threads anew
    if is_large and not backend.nesting_level:
        yield
        return
    # What of the kernels is OpenMP's has a limit a thread, and what is MKL's only torch's setting.
    with _one_thread_of_all(), _thread_pools("openmp").limit(limits=1):
        yield


@contextmanager
def _one_thread_of_all() -> Iterator[None]:
    """Set torch's and BLAS's number of threads to one, until no thread of the process needs that.

    Both have a single setting for all threads.
    """
    with _settings.lock:
        if _settings.n_users == 0:
            _settings.n_threads = torch.get_num_threads()
            torch.set_num_threads(1)
            _settings.blas = _thread_pools("blas").limit(limits=1)
        _settings.n_users += 1
    try:
        yield
    finally:
        with _settings.lock:
            _settings.n_users -= 1
            if _settings.n_users == 0:
                torch.set_num_threads(_settings.n_threads)
                _settings.blas.restore_original_limits()


def is_large(network: torch.nn.Module) -> bool:
    """Whether a network is so large that several threads pay."""
    return sum(weights.numel() for weights in network.parameters()) >= LARGE_NETWORK


@cache
def _thread_pools(user_api: str) -> ThreadpoolController:
    # It takes milliseconds to look for them.
    return ThreadpoolController().select(user_api=user_api)
