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
    figures = [
        pictures.process_diagram(images[0], images[1]),
        pictures.chroma_plane(images, "note"),
        charts.learning_curves([{"epoch": 1, "train_loss": 2.0}]),
        pictures.image_grid([[images[0], None]], ["a", "b"], ["row"], note="note"),
    ]
    for figure in figures:
        figure.canvas.draw()
        assert figure.get_figwidth() <= style.PAGE


def drawn(axis, label):
    """The points (2, N) of the line with a label."""
    (line,) = (line for line in axis.lines if line.get_label() == label)
    return np.array(line.get_data(), float)


def test_learning_curves_are_the_history():
    rows = [row | {"psnr": 20.0 + i, "raw_auc": 0.8 + i / 100} for i, row in enumerate(history(4))]
    loss, psnr, raw = charts.learning_curves(rows).axes
    assert drawn(loss, "training").tolist() == [[1, 2, 3, 4], [2.0] * 4]
    assert drawn(loss, "validation").tolist() == [[1, 2, 3, 4], [2.1] * 4]
    assert psnr.lines[0].get_ydata() == pytest.approx([20, 21, 22, 23])
    assert raw.lines[0].get_ydata() == pytest.approx([0.8, 0.81, 0.82, 0.83])
    assert [a.get_ylabel() for a in (psnr, raw)] == ["validation PSNR, dB", "validation raw AuC"]


def test_pictures_of_a_figure_are_the_images(images):
    def shown(figure):
        return [np.asarray(axis.images[0].get_array()) for axis in figure.axes]

    values = shown(pictures.value_and_luma(images[:2]))
    assert np.array_equal(values[0], images[0])
    assert np.array_equal(values[3], images[1].max(-1))
    luma = images[1] @ [0.299, 0.587, 0.114]
    assert np.abs(values[5] - luma).max() <= 0.51
    rows = images[:40].reshape(5, 8, 32, 32, 3)  # truth, input, three epochs
    strip = shown(pictures.strip(rows, count=2))
    for row, expected in enumerate((1, 2, 4, 0)):  # input, first and last epoch, original
        assert np.array_equal(strip[8 * row], rows[expected, 0])


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
