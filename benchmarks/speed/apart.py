"""Another process, in which a side runs."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import torch


class OwnProcess:
    """Runs functions in one other process, on one thread, which goes on from run to run.

    What a fit does to the memory of its process, others in the same process would profit by.
    """

    def __init__(self):
        self._pool = ProcessPoolExecutor(
            1, get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
        )

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a function of a module returns there, or raise what it raises."""
        return self._pool.submit(function, *arguments).result()
