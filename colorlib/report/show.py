"""What a notebook shows beside its own results: live source code, and the committed figure."""

import inspect
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.figure import Figure

from colorlib import paths
from colorlib.report import store
from colorlib.report.style import save_figure
from colorlib.report.tables import result_table


def source(*functions: Callable) -> Any:
    """The live source of functions, without their docstrings, as IPython's highlighted code."""
    from IPython.display import Code

    texts = (textwrap.dedent(inspect.getsource(function)).rstrip() for function in functions)
    text = "\n\n".join(texts).replace("  # fmt: skip", "")
    return Code(re.sub(r'\n *""".*?"""\n+', "\n", text, flags=re.DOTALL), language="python")


def saved(fig: Figure | None, name: str, of: str) -> Any:
    """Save a figure as NAME and show it; on another source than CIFAR-100 the committed one too.

    Without a figure, which the source `of` cannot have, only the committed one is shown.
    """
    if fig is not None:
        save_figure(fig, name)
    return cifar100_figure(name, of)


def cifar100_figure(name: str, of: str) -> Any:
    """On another source the committed figure NAME of CIFAR-100, of which the notebook speaks."""
    import matplotlib.pyplot as plt
    from IPython.display import Image

    file = paths.REPOSITORY / "figures" / f"{name}.png"
    if of == "cifar100" or not file.is_file():
        return None
    if "inline" in plt.get_backend():
        plt.show()  # the notebook's own figure first
    print("For comparison, the same figure on CIFAR-100, as it stands in the repository:")
    return Image(filename=str(file), width=690)


def cifar100_table(name: str, of: str, metrics: Sequence[str]) -> Any:
    """On another source the table of CIFAR-100's committed result NAME."""
    from IPython.display import Markdown

    if of == "cifar100":
        return None
    table = result_table(store.load_result(name, committed=True), metrics)
    return Markdown(f"For comparison, on CIFAR-100:\n\n{table}")
