"""How many threads the kernels of a detector run on."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from joblib.parallel import get_active_backend
from threadpoolctl import threadpool_limits


@contextmanager
def one_thread_in_workers() -> Iterator[None]:
    """Keep to one thread inside a joblib worker, whose siblings are busy on the other cores.

    Process workers are told so by joblib itself; thread workers are not, and small LSTMs lose more
    than they gain when there are more threads than cores. The limit is that of the calling thread.
    """
    backend, _ = get_active_backend()
    if not backend.nesting_level:
        yield
        return
    torch.get_num_threads()  # a thread's first call into torch sets its number of threads anew
    with threadpool_limits(1, user_api="openmp"):
        yield
