"""Other processes, in which sides run."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import torch


def own_process() -> ProcessPoolExecutor:
    """Return a pool of one other process, on one thread, which goes on from run to run."""
    return ProcessPoolExecutor(
        1, get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
    )
