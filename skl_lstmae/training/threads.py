"""How many threads the kernels of a detector run on."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from joblib.parallel import get_active_backend
from threadpoolctl import threadpool_limits


@contextmanager
def one_thread_in_workers() -> Iterator[None]:
    """Keep to one thread inside a joblib worker, whose siblings are busy on the other cores.

    Small LSTMs lose more than they gain when there are more threads than cores. The limit is that
    of the calling thread, and of OpenMP, which runs the LSTM kernels.
    """
    backend, _ = get_active_backend()
    # A thread's first call into torch sets its number of threads anew.
    if torch.get_num_threads() == 1 or not backend.nesting_level:
        yield
        return
    with threadpool_limits(1, user_api="openmp"):
        yield
