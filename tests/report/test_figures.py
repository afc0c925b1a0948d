import matplotlib.pyplot as plt
import numpy as np
import pytest

import colorlib as cl
from colorlib import paths
from colorlib.report import charts, pictures, style
from colorlib.report.tables import TITLES


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def history(epochs=3):
    row = {"train_loss": 2.0, "validation_loss": 2.1, "psnr": 21.0, "raw_auc": 0.89, "seconds": 1}
    return [row | {"epoch": i + 1} for i in range(epochs)]


def test_figures_are_saved_twice_and_the_same_bytes_each_time(images):
    figure = cl.save_figure(charts.learning_curves(history()), "curves")
    files = [paths.figures() / f"curves.{suffix}" for suffix in ("png", "pdf")]
    before = [f.read_bytes() for f in files]
    assert before[0].startswith(b"\x89PNG") and before[1].startswith(b"%PDF")
    cl.save_figure(figure, "curves")
    assert [f.read_bytes() for f in files] == before
    assert sorted(f.name for f in paths.figures().iterdir()) == ["curves.pdf", "curves.png"]


def test_channels_show_what_the_image_holds(images):
    figure = pictures.channels(images[:2], ["one", "two"])
    shown = [np.asarray(axis.images[0].get_array()) for axis in figure.axes]
    assert np.array_equal(shown[0], images[0])
    assert np.array_equal(shown[7], images[1].max(-1))
    assert [a.get_title() for a in figure.axes[:4]][3] == "value: input"


def test_every_figure_draws(images):
    rows = [
        {"system": "grey", "raw_auc": 0.8, "rebalanced_auc": 0.6, "psnr": 20, "colourfulness": 0}
    ]
    curve = [rows[0] | {"vividness": v, "psnr": 21 - v, "colourfulness": 20 * v} for v in (0, 1)]
    figures = [
        pictures.process_diagram(images[0], images[1]),
        pictures.chroma_plane(images, "note"),
        pictures.value_and_luma(images[:3]),
        charts.learning_curves(history()),
        charts.learning_curves([{"epoch": 1, "train_loss": 2.0}]),
        pictures.strip(np.stack([images[:8]] * 5)),
        charts.class_bars(["a_b", "c", "d"], np.array([1.0, 2, 3]), np.array([2.0, 3, 4])),
        charts.hue_error(np.array([0.25, 0.75]), {"ours": np.array([1.0, 2])}),
        charts.trade_off(rows, curve, "note"),
        pictures.image_grid([[images[0], None]], ["a", "b"], ["row"], note="note"),
    ]
    for figure in figures:
        figure.canvas.draw()
        assert figure.get_figwidth() <= style.PAGE
        assert all(
            a.get_xlabel()  # and a label or names on the other axis
            and (a.get_ylabel() or not a.get_yticklabels()[0].get_text()[:1].isdigit())
            for a in figure.axes
            if a.lines and a.axison and a.get_xticks().size
        )


def test_strip_round_trip(images):
    from PIL import Image

    rows = images[:24].reshape(3, 8, 32, 32, 3)
    sheet = rows.transpose(0, 2, 1, 3, 4).reshape(96, 256, 3)
    assert np.array_equal(pictures.read_strip(Image.fromarray(sheet)), rows)


def test_key_figure_draws_every_system_with_its_interval():
    def row(at):
        names = ("raw_auc", "rebalanced_auc", "psnr", "colourfulness")
        return dict.fromkeys(names, at) | {"intervals": {n: [at - 0.1, at + 0.1] for n in names}}

    ours = "recipe_distribution"
    curves = {"grey": [row(0.5)], ours: [row(0.6), row(0.7)], "recipe_nogan": [row(0.4)]}
    figure = charts.recipes_compared(curves, ours, {"mine": [row(0.3)]}, "note")
    for axis in figure.axes:
        assert axis.get_legend_handles_labels()[1] == ["grey", TITLES[ours], "NoGAN", "mine"]
    labels = [axis.get_xlabel() for axis in figure.axes]
    assert labels == ["raw AuC", "colourfulness"]
