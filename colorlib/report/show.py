"""What a notebook shows beside its own results: live source code, and the committed figure."""

import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from colorlib import paths
from colorlib.metrics import NAMES
from colorlib.report import store
from colorlib.report.tables import result_table


def source(*functions: Callable) -> Any:
    """The live source of functions, without their docstrings, as IPython's highlighted code."""
    from IPython.display import Code

    return Code("\n\n".join(map(text_of, functions)), language="python")


def text_of(function: Callable) -> str:
    """The source of one function, dedented and without its docstring."""
    text = textwrap.dedent(inspect.getsource(function)).rstrip().replace("  # fmt: skip", "")
    if not function.__doc__:
        return text
    before, _, after = text.partition('"""')
    return before.rstrip() + "\n" + after.partition('"""')[2].lstrip("\n")


def cifar100_figure(name: str, of: str) -> Any:
    """On a source other than CIFAR-100 the committed figure NAME of CIFAR-100, else nothing.

    The text of a notebook that says "On CIFAR-100" speaks of that figure.
    """
    import matplotlib.pyplot as plt
    from IPython.display import Image

    file = paths.REPOSITORY / "figures" / f"{name}.png"
    if of == "cifar100" or not file.is_file():
        return None
    if "inline" in plt.get_backend():
        plt.show()  # the notebook's own figure first
    print("For comparison, the same figure on CIFAR-100, as it stands in the repository:")
    return Image(filename=str(file), width=690)


def cifar100_table(name: str, of: str, metrics: Sequence[str] = tuple(NAMES)) -> Any:
    """On a source other than CIFAR-100 the table of CIFAR-100's committed result NAME."""
    from IPython.display import Markdown

    if of == "cifar100":
        return None
    table = result_table(store.load_result(name, committed=True), metrics)
    return Markdown(f"For comparison, on CIFAR-100:\n\n{table}")
