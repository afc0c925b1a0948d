"""The published benchmark against plain NumPy on three photographs that the test makes."""

import hashlib
import json
import shlex
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2lab

import colorlib as cl
from colorlib import __main__ as cli
from colorlib import paths, peers
from colorlib.compare import figures, published
from colorlib.peers import published_outputs

WEIGHTS = np.array([0.299, 0.587, 0.114])
SYSTEMS = {"a": ("eccv16", "ddcolor"), "b": ("eccv16",), "c": ("eccv16", "ddcolor")}
GROUPS = {"a": "random", "b": "authors-classes", "c": "random"}
SIZES = {"a": (40, 36), "b": (36, 36), "c": (48, 64)}
NUMBERS = ("psnr", "raw_auc", "rebalanced_auc", "colourfulness")


def smooth(seed: int, height: int, width: int) -> np.ndarray:
    """A smooth colour picture, uint8 (height, width, 3)."""
    corners = np.random.default_rng(seed).integers(0, 256, (3, 3, 3), dtype=np.uint8)
    picture = Image.fromarray(corners).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(picture)


@pytest.fixture
def root(monkeypatch):
    """A data root with three photographs and a manifest of them; case -> role -> pixels."""
    folder = paths.data_root() / "published"
    folder.mkdir(parents=True)
    files, entries, made = {}, [], {}
    for number, (case, systems) in enumerate(SYSTEMS.items()):
        made[case], panels = {}, {}
        for place, role in enumerate(("truth", *systems)):
            made[case][role] = smooth(10 * number + place, *SIZES[case])
            path = folder / f"{case}.{role}.png"
            Image.fromarray(made[case][role]).save(path)
            data, name = path.read_bytes(), f"published/{path.name}"
            files[name] = [0, path.name, hashlib.sha256(data).hexdigest(), len(data)]
            panels[role] = name
        entries.append({"case": case, "group": GROUPS[case], "panels": panels})
    source = {"repository": "a/one", "commit": "0" * 40, "licence": "MIT"}
    content = {"sources": [source], "groups": {}, "files": files, "photographs": entries}
    monkeypatch.setattr(published_outputs, "_content", lambda: content)
    return made


def measured(net, vividness: tuple[float, ...]) -> dict:
    """What is measured on the photographs in the data root."""
    return published.measure_published(net, peers.published(), vividness)


def with_luma(picture: np.ndarray, luma: np.ndarray) -> np.ndarray:
    """Float (H, W, 3) in [0, 1] with that luma (H, W)."""
    return np.clip(picture + (luma - picture @ WEIGHTS)[..., None], 0, 1)


def weigh(lab: np.ndarray) -> np.ndarray:
    """The weight of each pixel in the rebalanced AuC."""
    counts = np.array(json.loads((paths.SHIPPED / "ab_prior.json").read_text())["counts"], float)
    cell = np.clip(np.floor((lab[..., 1:] + 110) / 10).astype(int), 0, 21)
    return 1 / np.maximum(counts / counts.sum(), 1e-4)[cell[..., 0], cell[..., 1]]


def colourfulness(picture: np.ndarray) -> float:
    red, green, blue = np.moveaxis(255 * picture, -1, 0)
    rg, yb = red - green, (red + green) / 2 - blue
    spread = np.sqrt(rg.var(ddof=1) + yb.var(ddof=1))
    return spread + 0.3 * np.hypot(rg.mean(), yb.mean())


def expected(pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[dict, list[float]]:
    """(Means of the numbers over pairs of shown and true pictures, PSNR of each), in NumPy."""
    psnr, error, sums, colours = [], [], [], []
    for shown, truth in pairs:
        psnr.append(min(40, -10 * np.log10(((shown - truth) ** 2).mean())))
        lab, weight = rgb2lab(truth), weigh(rgb2lab(truth))
        distance = np.minimum(np.linalg.norm((rgb2lab(shown) - lab)[..., 1:], axis=-1), 150)
        error.append(distance.mean())
        sums.append(((weight * distance).mean(), weight.mean()))
        colours.append(colourfulness(shown))
    sums = np.array(sums)
    means = {
        "psnr": np.mean(psnr),
        "raw_auc": 1 - np.mean(error) / 150,
        "rebalanced_auc": 1 - sums[:, 0].sum() / sums[:, 1].sum() / 150,
        "rebalanced_auc_each": 1 - np.mean(sums[:, 0] / sums[:, 1]) / 150,
        "colourfulness": np.mean(colours),
    }
    return means, psnr


def shown_pictures(made: dict, net, vividness: float) -> dict[str, dict[str, tuple]]:
    """case -> row key -> (picture as measured, truth), floats, in NumPy."""
    found = {}
    for case, roles in made.items():
        truth = roles["truth"] / 255
        luma = truth @ WEIGHTS
        ours = np.asarray(cl.colorize_photo(roles["truth"], net, vividness)) / 255
        found[case] = {
            "grey": (np.repeat(luma[..., None], 3, -1), truth),
            f"ours-{vividness:g}": (with_luma(ours, luma), truth),
        }
        for role in roles.keys() - {"truth"}:
            found[case][role] = (with_luma(roles[role] / 255, luma), truth)
    return found


def test_luma_is_replaced_as_in_numpy():
    random = np.random.default_rng(0)
    rgb, gray = random.random((2, 8, 9, 3)), random.random((2, 8, 9))
    tensor = torch.from_numpy(np.moveaxis(rgb, -1, 1)).float()
    got = published.replace_luma(tensor, torch.from_numpy(gray)[:, None].float())
    for image, rgb_one, gray_one in zip(got, rgb, gray, strict=True):
        assert np.allclose(image.movedim(0, -1).numpy(), with_luma(rgb_one, gray_one), atol=1e-6)
    inside = torch.full((1, 3, 2, 2), 0.5)
    inside[:, 0] += 0.1
    kept = published.replace_luma(inside, torch.full((1, 1, 2, 2), 0.4))
    assert torch.allclose(cl.luma(kept), torch.full((1, 1, 2, 2), 0.4), atol=1e-6)


def test_rows_are_those_of_numpy(root, net):
    result = measured(net, (0.5,))
    shown = shown_pictures(root, net, 0.5)
    scopes = {"main": "ac", "chosen-classes": "b", "all": "abc"}
    rows = {row["key"]: row for row in result["rows"]}
    assert len(rows) == 3 * 3 + 3  # ECCV16 in three scopes, DDColor in one
    for scope, cases in scopes.items():
        for key in ("grey", "eccv16", "ours-0.5"):
            row = rows[f"eccv16/{scope}/{key}"]
            means, _ = expected([shown[case][key] for case in cases])
            assert {n: row[n] for n in NUMBERS} == pytest.approx(
                {n: means[n] for n in NUMBERS}, abs=2e-5
            )
            assert row["images"] == len(cases)
            colours = np.mean([colourfulness(shown[case][key][1]) for case in cases])
            assert row["true_colourfulness"] == pytest.approx(colours, abs=1e-4)
    assert {"ddcolor/main/grey", "ddcolor/main/ddcolor", "ddcolor/main/ours-0.5"} <= set(rows)


def test_ours_is_compared_with_the_system_as_in_numpy(root, net):
    result = measured(net, (0.5,))
    shown = shown_pictures(root, net, 0.5)
    row = next(row for row in result["rows"] if row["key"] == "eccv16/all/ours-0.5")
    keys = ("ours-0.5", "eccv16")
    (ours, a), (theirs, b) = (expected([shown[c][k] for c in "abc"]) for k in keys)
    assert row["wins"] == pytest.approx(np.mean(np.array(a) > np.array(b)))
    random = np.random.default_rng(0)
    drawn = [np.mean((np.array(a) - b)[random.integers(0, 3, 3)]) for _ in range(1000)]
    assert row["difference"]["psnr"] == pytest.approx(np.percentile(drawn, (2.5, 97.5)), abs=1e-3)
    low, high = row["difference"]["rebalanced_auc"]
    assert low <= ours["rebalanced_auc"] - theirs["rebalanced_auc"] <= high


def test_measuring_leaves_the_network_and_the_threads_as_they_were(root, net):
    threads = torch.get_num_threads()
    first = measured(net.eval(), (0.5,))
    again = measured(net.train(), (0.5,))
    assert net.training and torch.get_num_threads() == threads
    assert again["photographs"] == first["photographs"]


def test_every_photograph_keeps_its_numbers(root, net):
    result = measured(net, (0, 0.5))
    assert [row["case"] for row in result["photographs"]] == ["a", "b", "c"]
    shown = shown_pictures(root, net, 0.5)
    for row in result["photographs"]:
        assert set(row["psnr"]) == {"grey", "ours-0", "ours-0.5", *SYSTEMS[row["case"]]}
        for key in set(row["psnr"]) - {"ours-0"}:
            means, _ = expected([shown[row["case"]][key]])
            for metric in ("psnr", "raw_auc", "rebalanced_auc_each", "colourfulness"):
                assert row[metric][key] == pytest.approx(means[metric], abs=2e-4)
    json.dumps(result)


def test_tables_say_what_was_measured(root, net):
    result = measured(net, (0, 1))
    text = published.tables(result)
    assert "### ECCV16: 2 photographs\n" in text
    assert "### ECCV16: 1 photographs, of classes chosen by result\n" in text
    one = text.partition("### DDColor: 2 photographs\n")[2].strip().splitlines()
    starts = [line.split("|")[1].strip() for line in one[2:6]]
    assert starts == ["grey", "DDColor", "ours, vividness 0", "ours, vividness 1"]
    row = next(row for row in result["rows"] if row["key"] == "ddcolor/main/ours-1")
    assert f"{row['psnr']:.2f}" in one[5] and f"{row['wins']:.0%}" in one[5]


def test_the_sentence_below_a_table_follows_the_intervals():
    def row(system, low, high, **words):
        difference = {name: [low, high] for name in published.COMPARED}
        about = {"beside": "eccv16", "scope": "main", "system": system, "images": 5}
        return about | {"difference": difference, "wins": 0.6, "true_colourfulness": 40.0} | words

    for low, high, word in ((0.1, 0.2, "higher"), (-0.2, -0.1, "lower"), (-1, 1, "not clearly")):
        text = published.verdict(row("ours", low, high, vividness=0.0), "ECCV16")
        assert text.count(word) == 3 and "on 60% of them" in text and "beside ECCV16" in text


def test_a_result_on_file_serves_until_the_weights_change(root, net, monkeypatch, capsys):
    weights = paths.data_root() / "a tiny.safetensors"
    cl.save_model(net, weights)
    first = published.published_result(str(weights))
    assert first["command"].endswith(f"--model '{weights}'")
    with monkeypatch.context() as patch:
        patch.setattr(published, "measure_published", None)  # not measured again
        assert published.published_result(str(weights)) == first
    everything = list(published_outputs.files("published").values())
    monkeypatch.setattr(published_outputs, "missing_files", lambda: everything)
    with torch.no_grad():
        net.head.weight += 1
    cl.save_model(net, weights)
    assert published.published_result(str(weights)) == first
    assert "measured with an earlier version of the weights" in capsys.readouterr().out


def test_another_output_of_the_same_name_is_measured_again(root, net):
    weights, folder = paths.data_root() / "tiny.safetensors", paths.data_root() / "outputs" / "mine"
    cl.save_model(net, weights)
    folder.mkdir(parents=True)
    (paths.data_root() / "inputs").mkdir()
    Image.fromarray(smooth(50, 36, 36)).save(paths.data_root() / "inputs" / "z.png")
    rows = []
    for seed in (51, 51, 52):
        Image.fromarray(smooth(seed, 36, 36)).save(folder / "z.png")
        result = published.published_result(str(weights), (0.0,))
        rows.append([row["psnr"] for row in result["rows"] if row["system"] == "mine (yours)"])
    assert rows[0] == rows[1] != rows[2] and len(rows[2]) == 1


def test_nothing_to_measure_is_one_sentence(monkeypatch, net, capsys):
    with pytest.raises(ValueError, match="--fetch"):
        measured(net, (0.5,))
    assert "679 of the 679 published files" in capsys.readouterr().out


def test_the_command_prints_the_tables_and_keeps_the_result(root, net, monkeypatch, capsys):
    weights = paths.data_root() / "tiny.safetensors"
    cl.save_model(net, weights)
    line = ["colorlib", "published", "--model", str(weights), "--vividness", "0", "--fetch"]
    monkeypatch.setattr(sys, "argv", line)
    assert cli.main() == 0
    out = capsys.readouterr().out
    assert "All 8 published files" in out
    assert "### DDColor: 2 photographs" in out
    (file,) = paths.results().glob("published-*.json")
    kept = json.loads(file.read_text())
    assert kept["command"].startswith("python -m colorlib published") and kept["digests"]
    again = cli.parser().parse_args(shlex.split(kept["command"])[3:])
    assert (again.model, again.vividness) == (str(weights), [0.0])
    assert [row["key"] for row in kept["rows"]][:2] == ["eccv16/main/grey", "eccv16/main/eccv16"]


def test_the_command_goes_on_when_a_fetch_fails_in_part(root, net, monkeypatch, capsys):
    (paths.data_root() / "published" / "c.eccv16.png").unlink()
    monkeypatch.setattr(published_outputs, "RAW", "http://127.0.0.1:9")
    monkeypatch.setattr(published_outputs, "PAUSE", 0)
    weights = paths.data_root() / "tiny.safetensors"
    cl.save_model(net, weights)
    monkeypatch.setattr(sys, "argv", f"colorlib published --model {weights} --fetch".split())
    assert cli.main() == 1
    captured = capsys.readouterr()
    assert "colorlib: a/one: 1 of 1 files could not be fetched" in captured.err
    assert "### ECCV16: 1 photographs\n" in captured.out
    assert "### DDColor: 2 photographs\n" in captured.out


# figures


def result_of(rows: list[dict]) -> dict:
    """A result with these photographs, and a row of each system."""
    systems = {system for row in rows for system in row["psnr"]} - {"grey", "ours-0"}
    order = [system for system in ("eccv16", "siggraph17", "ddcolor") if system in systems]
    return {"photographs": rows, "rows": [{"beside": system} for system in order]}


def photographs(gaps: dict[str, float], systems=("eccv16",), group="random") -> list[dict]:
    """Photographs of a result where ours is better than every system by that many dB."""
    return [
        {
            "case": case,
            "group": group,
            "psnr": {"grey": 20.0, "ours-0": 20.0 + gap} | dict.fromkeys(systems, 20.0),
        }
        for case, gap in gaps.items()
    ]


def test_examples_are_chosen_by_number(net):
    gaps = {f"p{i:02d}": float(i) for i in range(-10, 10)}
    rows = photographs(gaps) + photographs({"both": 99.0}, ("eccv16", "ddcolor"))
    result = result_of(rows + photographs({"class": 99.0}, group="authors-classes"))
    chosen = figures.choose_examples(result, ("eccv16",))
    assert [gaps[case] for case in list(chosen)[:6]] == [9, 8, 7, -10, -9, -8]
    assert list(chosen.values()) == ["our best"] * 3 + ["our worst"] * 3 + ["at random"] * 2
    assert chosen == figures.choose_examples(result, ("eccv16",))
    both = figures.choose_examples(result, ("ddcolor", "eccv16"))
    assert list(both) == ["both"]
    assert "by number among 20 photographs" in figures.examples_caption(result, ("eccv16",))
    assert not figures.choose_examples(result, ("siggraph17",))
    assert figures.examples(result, net, ("siggraph17",)) is None


def test_the_gap_is_to_the_best_system():
    rows = photographs({"one": 1.0}, ("eccv16", "ddcolor"))
    rows[0]["psnr"]["ddcolor"] = 25.0
    assert figures.gaps(result_of(rows), ("eccv16", "ddcolor")) == {"one": -4.0}


def test_scatter_has_a_panel_for_each_system_and_counts_wins():
    rows = photographs({"a": 1.0, "b": -1.0, "c": 2.0}, ("eccv16", "ddcolor"))
    rows += photographs({"d": 1.0}, group="authors-classes")
    fig = figures.scatter(result_of(rows))
    titles = [axis.get_title() for axis in fig.axes]
    assert titles[0] == "ECCV16\nours is higher on 2 of 3"
    assert titles[1] == "ECCV16, chosen classes\nours is higher on 1 of 1"
    assert titles[2] == "DDColor\nours is higher on 2 of 3" and not fig.axes[3].axison
    assert len(fig.axes[0].collections[0].get_offsets()) == 3
    fig.canvas.draw()


def test_examples_show_every_system_in_every_row(root, net):
    result = measured(net, (0, 0.5))
    fig = figures.examples(result, net, ("eccv16", "ddcolor"))
    assert len(fig.axes) == 2 * 6 and all(axis.images for axis in fig.axes)
    titles = [axis.get_title() for axis in fig.axes[:6]]
    assert titles[0] == "grey" and titles[3:] == ["ECCV16", "DDColor", "truth"]
    assert fig.get_figwidth() <= 7
    psnr = {row["case"]: row["psnr"] for row in result["photographs"]}
    case = next(iter(figures.choose_examples(result, ("eccv16", "ddcolor"))))
    assert fig.axes[3].texts[0].get_text() == f"{psnr[case]['eccv16']:.1f}"
    (paths.data_root() / "published" / "a.eccv16.png").unlink()
    assert figures.examples(result, net, ("eccv16", "ddcolor")) is None


@pytest.fixture
def displayed(monkeypatch):
    """What was displayed."""
    import IPython.display

    found = []
    monkeypatch.setattr(IPython.display, "display", found.append)
    return found


def test_a_figure_of_pictures_is_saved_and_shown_small(displayed, images):
    rows = [[images[0], images[1]]]
    for _ in range(2):
        figures.show("04_x", figures.image_grid(rows, ["a", "b"], ["one\nrow"]), "words")
        files = [paths.figures() / f"04_x{suffix}" for suffix in (".png", ".pdf")]
        with Image.open(files[0]) as image:
            assert round(image.info["dpi"][0]) == 150 and image.width == pytest.approx(1035, abs=2)
    assert b"Date" not in files[1].read_bytes()  # the same bytes at every run
    assert displayed[0].data[:2] == b"\xff\xd8" and displayed[1].data == "words"
    assert displayed[0].data == displayed[2].data and len(displayed) == 4


def test_without_pictures_the_figure_of_the_repository_is_shown(displayed, capsys):
    figures.show("04_ten", None, "words")
    assert displayed[0].data[:2] == b"\xff\xd8" and "repository's figure" in displayed[1].data
    figures.show("04_nothing", None)
    assert len(displayed) == 2 and "not in the data root" in capsys.readouterr().out


def test_photographs_by_number_are_those_of_the_set(net):
    assert figures.by_number(net, (0, 1), 0.5) is None
    folder = paths.data_root() / "photos"
    folder.mkdir(parents=True)
    stored = np.stack([smooth(i, 96, 96) for i in range(4)])
    np.save(folder / "val96.npy", stored)
    fig = figures.by_number(net, (1, 3), 0.5)
    found = cl.load_images("photos", "test", size=96)
    for axis, number in ((fig.axes[2], 1), (fig.axes[5], 3)):
        shown = Image.fromarray(axis.images[0].get_array()).resize((96, 96))
        assert np.abs(np.asarray(shown, int) - found[number]).mean() < 3
    assert figures.by_number(net, (1, 30), 0.5) is None


def test_a_hint_is_given_where_the_circle_is(hinted):
    image = smooth(3, 120, 160)
    fig = figures.hint_example(image, [(40, 30)], hinted, 0.5)
    (circle,) = fig.axes[2].lines
    scale = figures.SIDE / 120
    assert circle.get_xydata()[0] == pytest.approx((40 * scale, 30 * scale))
    free, told = (axis.images[0].get_array() for axis in fig.axes[1:3])
    assert not np.array_equal(free, told)
    colours = figures.colourings(image, hinted, 0.5)
    drawn = [axis.images[0].get_array() for axis in colours.axes[1:]]
    assert len(drawn) == 4 and not np.array_equal(drawn[0], drawn[1])
