"""The style of all figures, set when this module is imported, and `save_figure`."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from colorlib import paths

COLUMN, PAGE = 3.3, 6.9  # inches: one column of a two-column page, and both
OURS, OTHER, TRUTH = "#c1272d", "#4a6fa5", "#222222"
YOURS = "#2a9d4b"  # a reader's own recipe
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "figure.dpi": 130,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,
}
plt.rcParams.update(STYLE)


def headline(fig: Figure, title: str = "", note: str = "") -> Figure:
    """Put the message above a figure, at the left, and where its data come from small below."""
    if title:
        fig.set_figheight(fig.get_figheight() + 0.2)
        fig.suptitle(title, fontsize=9, x=0.01, ha="left", weight="bold")
    if note:
        fig.supxlabel(note, fontsize=6, x=0.99, ha="right", color="#777777")
    return fig


def save_figure(fig: Figure, name: str) -> Figure:
    """Write fig as figures/NAME.png (300 dpi) and NAME.pdf, the same bytes at every run."""
    fig.draw_without_rendering()
    fig.set_layout_engine("none")  # or the layout would differ a little between PNG and PDF
    for suffix, dated in ((".png", {"Software": None}), (".pdf", {"CreationDate": None})):
        with paths.replacing(paths.figures() / f"{name}{suffix}") as part:
            fig.savefig(part, format=suffix[1:], metadata=dated)
    return fig
