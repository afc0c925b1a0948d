import numpy as np
import pytest
import torch
from conftest import drawn, shown
from PIL import Image

import colorlib as cl
from colorlib import paths
from colorlib.color import hsv_to_chroma
from colorlib.report import charts, diagrams, pictures, show, style
from colorlib.report.tables import TITLES


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
    figure = pictures.channels(images, [3, 1])
    shown = [np.asarray(axis.images[0].get_array()) for axis in figure.axes]
    hsv = cl.rgb_to_hsv(cl.to_tensor(images[[3, 1]]))
    assert np.array_equal(shown[0], images[3]) and np.array_equal(shown[5], images[1])
    assert np.array_equal(shown[9], np.dstack([images[1].max(-1)] * 3))
    kept = hsv[1, 1].numpy() < 0.2  # of the third column
    assert np.array_equal(shown[7][kept], shown[6][kept]) and (shown[7][~kept] == 255).all()
    assert [a.get_title() for a in figure.axes[:5]][4] == "value V"


def test_every_figure_draws(images, net):
    chroma = hsv_to_chroma(cl.rgb_to_hsv(cl.to_tensor(images)))
    figures = [
        diagrams.process_diagram(images[0], net),
        diagrams.chroma_plane(chroma, "note"),
        diagrams.cell_grid(net.cells, (0.5, -0.3)),
        diagrams.pixel_distribution(net, images[:4]),
        charts.learning_curves([{"epoch": 1, "train_loss": 2.0}]),
        pictures.ways(images[:2], {"grey": images[:2, ..., 0]}),
        pictures.image_grid([[images[0], None]], ["a", "b"], ["row"], note="note", title="title"),
    ]
    for figure in figures:
        figure.canvas.draw()
        assert figure.get_figwidth() <= style.PAGE


def test_the_network_is_drawn_with_its_sizes():
    net = cl.ColorNet((8, 12, 20), (0, 1, 0), (0, 1)).eval()
    sizes = []
    layers = [net.stem, *net.pool, *reversed(net.lift), net.head]
    for layer in layers:
        layer.register_forward_hook(lambda _, __, output: sizes.append(tuple(output.shape[1:])))
    net(torch.rand(1, 1, 32, 32), torch.zeros(1, dtype=torch.long))
    sizes[3:5] = [(c, 2 * h, 2 * w) for c, h, w in sizes[3:5]]  # what is lifted is then upsampled
    texts = [text.get_text() for text in diagrams.network_diagram(net).axes[0].texts]
    drawn = [text for text in texts if "×" in text]
    assert drawn[2:] == [" × ".join(map(str, size)) for size in sizes]
    assert drawn[:2] == ["1 × 32 × 32", "4 × 16 × 16"]


def test_the_weights_of_a_colour_are_those_of_its_target():
    recipe, chroma = cl.Distribution(), (0.55, 0.33)
    _, shares = recipe.encode(torch.tensor(chroma).view(1, 2, 1, 1))
    axis = diagrams.cell_grid(cl.ColorNet().cells, chroma).axes[1]
    texts = sorted(text.get_text() for text in axis.texts)
    assert texts == sorted(f"{share:.2f}" for share in shares.flatten().tolist())


def test_the_ambiguous_point_has_two_strong_colours_and_a_grey_mean(net):
    logits = torch.zeros(2, len(net.cells), 3, 3)
    orange, blue = (
        (net.cells - torch.tensor(c)).norm(dim=1).argmin() for c in ((0.8, 0.4), (-0.8, -0.4))
    )
    logits[1, [orange, blue], 2, 0] = 20.0
    logits[0, orange, 1, 1] = 40.0  # one strong colour is not ambiguous
    gray = torch.ones(2, 1, 6, 6)
    assert diagrams.ambiguous_pixel(logits, gray, net) == (1, 2, 0)
    gray[1] = 0.01  # in the dark no colour counts
    assert diagrams.ambiguous_pixel(logits, gray, net)[0] == 0


def test_the_most_colourful_images_come_first(images):
    some = np.stack((images[0], images[0].mean(-1, keepdims=True).repeat(3, -1).astype(np.uint8)))
    assert pictures.most_colourful(some[::-1], 1).tolist() == [1]


def test_source_is_shown_without_its_docstring():
    text = show.source(cl.Distribution.encode).data
    assert text.startswith("def encode(self, chroma") and '"""' not in text
    assert "return torch.stack(corners, 1), torch.stack(shares, 1)" in text


def test_the_figure_of_cifar_100_stands_beside_another_source(capsys):
    assert show.cifar100_figure("01_chroma", "cifar100") is None
    shown = show.cifar100_figure("01_chroma", "sample")
    assert shown.data == (paths.REPOSITORY / "figures" / "01_chroma.png").read_bytes()
    assert "CIFAR-100" in capsys.readouterr().out
    assert show.cifar100_table("short-cifar100", "cifar100", ["psnr"]) is None
    table = show.cifar100_table("short-cifar100", "sample", ["psnr"])
    assert "CIFAR-100, validation split" in table.data and "PSNR" in table.data


def test_learning_curves_are_the_history():
    rows = [row | {"psnr": 20.0 + i, "raw_auc": 0.8 + i / 100} for i, row in enumerate(history(4))]
    loss, psnr, raw = charts.learning_curves(rows).axes
    assert drawn(loss, "training").tolist() == [[1, 2, 3, 4], [2.0] * 4]
    assert drawn(loss, "validation").tolist() == [[1, 2, 3, 4], [2.1] * 4]
    assert psnr.lines[0].get_ydata() == pytest.approx([20, 21, 22, 23])
    assert raw.lines[0].get_ydata() == pytest.approx([0.8, 0.81, 0.82, 0.83])
    assert [a.get_ylabel() for a in (psnr, raw)] == ["validation PSNR, dB", "validation raw AuC"]


def test_pictures_of_a_figure_are_the_images(images):
    values = shown(pictures.value_and_luma(images[:2]))
    assert np.array_equal(values[0], images[0])
    assert np.array_equal(values[3][..., 0], images[1].max(-1))
    luma = images[1] @ [0.299, 0.587, 0.114]
    assert np.abs(values[5][..., 0] - luma).max() <= 0.51
    rows = images[:40].reshape(5, 8, 32, 32, 3)  # truth, input, three epochs
    first = pictures.most_colourful(rows[0], 1)[0]
    strip = shown(pictures.strip(rows, count=2))
    for row, expected in enumerate((1, 2, 4, 0)):  # input, first and last epoch, truth
        assert np.array_equal(strip[6 * row], rows[expected, first])


def test_strip_round_trip(images, tmp_path):
    rows = images[:24].reshape(3, 8, 32, 32, 3)
    sheet = rows.transpose(0, 2, 1, 3, 4).reshape(96, 256, 3)
    Image.fromarray(sheet).save(tmp_path / "strip.png")
    assert np.array_equal(pictures.read_strip(tmp_path / "strip.png"), rows)


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


@pytest.mark.parametrize("name", ["../curves", "a/b", "", "."])
def test_a_figure_stays_in_its_folder(name):
    with pytest.raises(ValueError, match="name: got"):
        cl.save_figure(charts.learning_curves(history()), name)
    assert not list(paths.out().rglob("*.png"))
