"""Training steps on a CPU with denormal numbers (below 1e-38) taken as 0.

A network that grows sure of its colours makes such numbers by the million, and a CPU takes many
times longer for each. It replaces a plain call of the step; no result above 1e-38 changes.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch


@contextmanager
def flushed_denormals(device: torch.device) -> Iterator[Callable]:
    """Yield `call(function, *arguments)`: it returns function(*arguments), on a CPU flushed.

    The setting belongs to a thread, and OpenMP's threads take it over from the one that starts
    them. So the function runs in a thread of its own, which starts its own ones.
    """
    if device.type != "cpu":
        yield lambda function, *arguments: function(*arguments)
        return
    with ThreadPoolExecutor(1, initializer=_flush) as thread:
        yield lambda function, *arguments: thread.submit(function, *arguments).result()


def _flush() -> None:
    torch.set_flush_denormal(True)
    torch.get_num_threads()  # passes the number of threads on to this thread
