"""Rivals timed side by side: in alternation, so that a machine that drifts is unfair to none."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import torch


def alternate(rivals: dict, rounds: int = 5) -> dict[str, float]:
    """Median seconds of each function of `rivals`, each called once a round after a warm-up."""
    for work in rivals.values():
        work()
    taken = {name: [] for name in rivals}
    for _ in range(rounds):
        for name, work in rivals.items():
            start = time.perf_counter()
            work()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            taken[name].append(time.perf_counter() - start)
    return {name: median(seconds) for name, seconds in taken.items()}


def peak() -> float:
    """The most memory, in MiB, that this process has had so far; Linux only.

    resource.getrusage would count what the parent had, too.
    """
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def python(code: str) -> str:
    """What a fresh Python prints that runs `code`."""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout
