"""The style of all figures, set when this module is imported, and `save_figure`."""

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from colorlib import paths

COLUMN, PAGE = 3.3, 6.9  # inches: one column of a two-column page, and both
OURS, OTHER, TRUTH = "#c1272d", "#4a6fa5", "#222222"
YOURS = "#2a9d4b"  # a reader's own recipe
plt.rc("font", family="DejaVu Sans", size=8)
plt.rc("axes", titlesize=8, labelsize=8, grid=False)
plt.rc("axes.spines", top=False, right=False)
plt.rc(("xtick", "ytick"), labelsize=7)
plt.rc("legend", fontsize=7, frameon=False)
plt.rc("lines", linewidth=1.3)
plt.rc("figure", dpi=130)
plt.rc("figure.constrained_layout", use=True)
plt.rc("savefig", dpi=300)
plt.rc("pdf", fonttype=42)


def headline(fig: Figure, title: str = "", note: str = "") -> Figure:
    """Put the message above a figure, at the left, and where its data come from small below."""
    if title:
        fig.set_figheight(fig.get_figheight() + 0.2)
        fig.suptitle(title, fontsize=9, x=0.01, ha="left", weight="bold")
    if note:
        fig.supxlabel(note, fontsize=6, x=0.99, ha="right", color="#777777")
    return fig


def save_figure(fig: Figure, name: str) -> Figure:
    """Write fig as figures/NAME.png (300 dpi) and NAME.pdf, the same bytes at every run.

    Raises ValueError for a name that leads out of the folder.
    """
    if not name or Path(name).name != name:
        raise ValueError(f"name: got {name!r}, expected a file's name without folder and ending")
    fig.draw_without_rendering()
    fig.set_layout_engine("none")  # or the layout would differ a little between PNG and PDF
    for suffix, dated in ((".png", {"Software": None}), (".pdf", {"CreationDate": None})):
        with paths.replacing(paths.figures() / f"{name}{suffix}") as part:
            fig.savefig(part, format=suffix[1:], metadata=dated)
    return fig
