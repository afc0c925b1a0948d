"""Competing functions timed in turns, so that all of them see the same changes of the machine."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import torch


def alternate(functions: Mapping[str, Callable], rounds: int = 5) -> dict[str, float]:
    """Median seconds of each function, each called once a round after a warm-up."""
    for function in functions.values():
        function()
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            seconds[name].append(time.perf_counter() - start)
    return {name: median(found) for name, found in seconds.items()}


def peak_memory() -> float:
    """The most memory, in MiB, that this process has had so far; Linux only.

    resource.getrusage would count the parent's memory, too.
    """
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def run_python(code: str) -> str:
    """The output of a fresh Python that runs `code`."""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout
