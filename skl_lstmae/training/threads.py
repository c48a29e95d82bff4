"""How many threads the kernels of a detector run on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import torch
from joblib.parallel import get_active_backend
from threadpoolctl import threadpool_limits

_in_a_fork = Event()
"""Set if this process was forked from one that had imported this package."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_a_fork.set)


@contextmanager
def one_thread_in_workers() -> Iterator[None]:
    """Keep to one thread inside a joblib worker, whose siblings are busy on the other cores.

    Small LSTMs lose more than they gain when there are more threads than cores. The limit is that
    of the calling thread, and of OpenMP, which runs the LSTM kernels.

    A forked process has one thread from here on, as the workers of torch's own loaders: its OpenMP
    would for ever wait for the threads of the parent, none of which is there.
    """
    if _in_a_fork.is_set():
        torch.set_num_threads(1)
    backend, _ = get_active_backend()
    # A thread's first call into torch sets its number of threads anew.
    if torch.get_num_threads() == 1 or not backend.nesting_level:
        yield
        return
    with threadpool_limits(1, user_api="openmp"):
        yield
