import base64
import io
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2lab

import colorlib as cl
from colorlib import paths
from colorlib.decoding import DecodeSetting, setting_at
from colorlib.metrics import mean_ab_error
from colorlib.widgets import browser, panels, static_viewer
from colorlib.widgets.page import keep, safe_name


def shown(box, name):
    picture = Image.open(io.BytesIO(box.tool.pictures[name].value))
    return np.asarray(picture.convert("RGB"))


def small(box, name):
    """A picture at the image's own 32 x 32 pixels; the frame around the pixel is part of it."""
    step = panels.SIDE // 32
    return shown(box, name)[step // 2 :: step, step // 2 :: step]


def test_importing_the_browser_reaches_few_modules():
    """Modules that hold code: a package of which only the docstring is read does not count."""
    code = "import colorlib.widgets.browser, sys; print(*sys.modules)"
    words = [sys.executable, "-c", code]
    names = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    reached = {name for name in names if name.split(".")[0] == "colorlib"}
    folder = paths.PACKAGE.parent
    files = [folder / f"{name.replace('.', '/')}/__init__.py" for name in reached]
    empty = [file for file in files if file.is_file() and len(file.read_text().splitlines()) == 1]
    assert len(reached) - len(empty) <= 15, reached
    assert "matplotlib" not in names and "ipywidgets" not in names


def test_a_model_by_name_is_refused_in_a_sentence(images):
    with pytest.raises(ValueError, match="model: got str, expected a ColorNet"):
        cl.browse(images, "cifar")


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([0, 1, 0], "labels: got 3, expected one for each of 64 images"),
        ([2] * 64, "labels: got [2], expected numbers from 0 to 1"),
        ([-1] * 64, "labels: got [-1], expected numbers from 0 to 1"),
        ([0.5] * 64, "labels: got [0.5], expected numbers from 0 to 1"),
    ],
)
def test_labels_that_do_not_fit_are_named(images, net, numbers, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        cl.browse(images, net, labels=(np.array(numbers), ["apple", "pear"]))


def test_each_move_changes_the_pictures_in_place_and_draws_them_once(images, net, count_calls):
    redraws = count_calls(browser.Browser, "drawn")
    net.schedules["luma"] = [DecodeSetting(), DecodeSetting(0.0, 0.3)]
    labels = np.arange(64) % 2, ["apple", "sweet_pepper"]
    box = cl.browse(images, net, "luma", labels)
    controls, before = box.controls, list(box.tool.pictures.values())
    assert (controls["number"].min, controls["number"].max) == (0, 63)
    assert "1 of 64</b>: image 0, apple" in controls["place"].value
    views = [shown(box, "first")]
    moves = [("number", 5), ("first", 1.0), ("second", 0.5), ("row", 3), ("image", 9)]
    for name, setting in moves:
        redraws.clear()
        controls[name].value = setting
        assert len(redraws) == 1, name
        views.append(shown(box, "second" if name == "second" else "first"))
        assert (views[-1] != views[-2]).any()
    assert list(box.tool.pictures.values()) == before
    redraws.clear()
    box.tool.act("click", 0.1, 0.9)
    controls["class"].value = "apple"
    assert len(redraws) == 2


def test_vividness_decodes_what_the_network_predicted_already(images, net, count_calls):
    predictions = count_calls(panels, "predict")
    box = cl.browse(images, net)
    assert len(predictions) == 1
    box.controls["first"].value, box.controls["second"].value = 0.5, 0.75
    box.tool.act("click", 0.1, 0.1)
    assert len(predictions) == 1
    box.controls["next"].click()
    assert len(predictions) == 2


def test_previous_next_an_image_number_and_arrow_keys(images, net):
    box = cl.browse(images, net, "luma", (np.arange(64) % 4, ["a", "b", "c", "d"]))
    controls = box.controls
    controls["previous"].click()
    assert box.tool.current() == 63
    controls["next"].click()
    box.tool.act("key", "right")
    assert box.tool.current() == 1
    box.tool.act("key", "left")
    assert box.tool.current() == 0
    controls["class"].value = "c"
    controls["image"].value = 10
    assert controls["number"].value == 2 and "3 of 16</b>: image 10, c" in controls["place"].value
    controls["image"].value = 11
    assert "not of the class" in controls["said"].value and box.tool.current() == 10
    box = cl.browse(images[:1], net)
    for name in ("previous", "next", "random"):
        box.controls[name].click()
    assert box.tool.current() == 0


def test_a_class_and_an_order_choose_which_images_the_slider_shows(images, net):
    kinds = np.arange(64) % 4
    box = cl.browse(images, net, "luma", (kinds, ["a", "b", "c", "d", "none"]))
    controls = box.controls
    controls["class"].value = "c"
    assert controls["number"].max == 15
    controls["order"].value = "worst first"
    truth = cl.to_tensor(images[kinds == 2])
    wrong = mean_ab_error(cl.colorize(net, cl.luma(truth), "luma"), truth)
    numbers = np.flatnonzero(kinds == 2)
    assert box.tool.current() == numbers[wrong.argmax()]
    controls["order"].value = "best first"
    assert box.tool.current() == numbers[wrong.argmin()]
    assert np.abs(small(box, "truth") - images[numbers[wrong.argmin()]].astype(int)).mean() < 2
    assert controls["class"].options == ("all classes", "a", "b", "c", "d")  # none has no image
    controls["class"].value = "all classes"
    assert controls["number"].max == 63
    for _ in range(200):
        before = controls["number"].value
        controls["random"].click()
        assert 0 <= controls["number"].value <= 63 and controls["number"].value != before


def test_measuring_shows_progress_and_is_done_once(images, net):
    box, told = cl.browse(np.tile(images, (5, 1, 1, 1)), net), []
    box.controls["said"].observe(lambda change: told.append(change["new"]), "value")
    box.controls["order"].value = "best first"
    assert [text[:15] for text in told[:2]] == ["Measured 0 of 3", "Measured 250 of"]
    truth = cl.to_tensor(images)
    expected = mean_ab_error(cl.colorize(net, cl.value(truth)), truth).numpy()
    assert np.allclose(box.tool.errors, np.tile(expected, 5), rtol=1e-3)
    box.controls["order"].value = "worst first"
    assert sum("Measured" in text for text in told) == 2


def test_what_is_shown_is_saved_and_nothing_is_overwritten(images, net):
    box = cl.browse(images, net)
    box.controls["number"].value = 7
    kept = []
    for name in ("browser-7.png", "browser-7-2.png", "browser-7-3.png"):
        box.controls["save"].click()
        path = paths.figures() / name
        assert box.controls["said"].value == f"Saved as {path}"
        kept.append(path.read_bytes())
    assert kept[0] == kept[1] == kept[2] == (paths.figures() / "browser-7.png").read_bytes()
    saved = np.asarray(Image.open(paths.figures() / "browser-7.png"))
    left = panels.MARGIN + 3 * (2 * panels.SIDE + panels.MARGIN)  # the fourth picture, the truth
    cut = saved[panels.TITLE :, left:][: 2 * panels.SIDE : 2, : 2 * panels.SIDE : 2]
    assert np.array_equal(cut, shown(box, "truth"))


def test_a_click_picks_the_pixel_and_its_colours_are_said(images, net):
    box = cl.browse(images, net)
    box.tool.act("click", 5.5 / 32, 20.5 / 32)
    assert (box.controls["row"].value, box.controls["column"].value) == (20, 5)
    assert "row 20, column 5" in box.controls["pixel"].value
    assert "#{:02X}{:02X}{:02X}".format(*images[0, 20, 5]) in box.controls["pixel"].value
    box.sent.value = "click 1.2 0.5 17"  # beside the picture
    assert box.controls["row"].value == 20
    shares = [float(x) for x in re.findall(r"([\d.]+)%", box.controls["pixel"].value)]
    assert len(shares) == 5 and shares == sorted(shares, reverse=True)


def test_the_pictures_are_input_two_predictions_truth_and_error(images, net):
    box = cl.browse(images, net, "value")
    box.controls["number"].value, box.controls["second"].value = 3, 0.5
    here = np.ones((32, 32), bool)
    here[14:19, 14:19] = False  # the frame of the pixel
    truth = cl.to_tensor(images[3:4])
    assert np.array_equal(small(box, "truth")[here], images[3][here])
    gray = images[3].max(-1, keepdims=True).repeat(3, -1)
    assert np.array_equal(small(box, "input")[here], gray[here])
    for name, vividness in (("first", 0.0), ("second", 0.5)):
        expected = cl.colorize(net, cl.value(truth), "value", vividness)
        assert np.array_equal(small(box, name)[here], cl.to_images(expected)[0][here])
    first = cl.colorize(net, cl.value(truth), "value", 0.0)
    lab = [rgb2lab(x) for x in (first[0].permute(1, 2, 0).numpy(), images[3])]
    far = np.linalg.norm((lab[0] - lab[1])[..., 1:], axis=-1) / panels.LARGEST_ERROR
    expected = panels.heat(torch.from_numpy(far))
    assert np.abs(small(box, "error").astype(int) - expected)[here].max() <= 2


def test_a_network_without_cells_has_no_disk(images):
    net = cl.ColorNet((8, 8), (0, 0), (0,), head="chroma").eval()
    box = cl.browse(images, net)
    assert "disk" not in box.tool.pictures and "row 16" in box.controls["pixel"].value


@pytest.mark.parametrize("given", ["value", "luma"])
def test_the_distribution_of_a_pixel_is_the_one_that_its_colour_came_from(images, given):
    model, spread = cl.load_model("cifar"), []
    seen = panels.Look(images[3], model, given)
    for vividness in (0.0, 0.5, 1.0):
        found = torch.stack(
            [
                torch.stack([seen.likely(vividness, (y, x)) for x in range(0, 32, 2)])
                for y in range(0, 32, 2)
            ]
        )
        assert torch.allclose(found.sum(-1), torch.ones(16, 16), atol=1e-5)
        mean = (found @ model.cells).movedim(-1, 0)[None]
        full = torch.nn.functional.interpolate(mean, scale_factor=2, mode="bilinear")
        expected = seen.colored(vividness)
        assert torch.allclose(cl.color.add_chroma(full, seen.gray, given), expected, atol=1e-5)
        spread.append(found)
    assert (spread[0] - spread[1]).abs().max() > 0.01 and setting_at(model, 1, given).alpha > 0


def test_the_disk_marks_the_mean_where_it_lies(images, net):
    """The black ring of the mean is drawn around the mean's own colour place."""
    seen, pixel = panels.Look(images[3], net, "value"), (16, 16)
    drawn = np.asarray(seen.disk(0.0, pixel)).astype(int)
    mean = seen.likely(0.0, pixel) @ net.cells
    x = round(panels.DISK / 2 + panels.UNIT * mean[0].item())
    y = round(panels.DISK / 2 - panels.UNIT * mean[1].item())
    assert drawn[y - 3 : y + 4, x - 10 : x - 6].sum(-1).min() == 0
    ring = drawn[panels.DISK // 2, -panels.RING // 2]  # hue 0, red, is to the right
    assert ring[0] > ring[1] + 50 and ring[0] > ring[2] + 50


def test_heat_runs_from_black_to_yellow():
    ramp = panels.heat(torch.linspace(0, 1, 9)[None])[0].astype(int)
    assert ramp[0].tolist() == [0, 0, 4] and ramp[-1].tolist() == [252, 255, 164]
    assert (np.diff(ramp @ [0.299, 0.587, 0.114]) > 0).all()


def test_where_no_kernel_runs_a_page_of_precomputed_images_stands_in(images, net):
    box = cl.browse(images, net, "luma", (np.zeros(64, int), ["<b>\"'"]))
    bundle = box._repr_mimebundle_()
    page = bundle["text/html"]
    assert not re.search(r"https?://", page) and "<b>" not in page and " id=" not in page
    assert page.count("data:image/jpeg") == 1 and len(page) < 400_000
    assert "browser of 64 images" in bundle["text/plain"]


def test_the_static_page_holds_input_five_levels_and_truth(images, net):
    page = static_viewer.viewer(images[:3], net, "luma")
    body = re.search(r"base64,([\w+/=]+)", page)[1]
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(body))))
    assert sheet.shape == (3 * 32, 7 * 32, 3)
    assert np.abs(sheet[32:64, -32:].astype(int) - images[1]).mean() < 4
    vivid = cl.to_images(cl.colorize(net, cl.luma(cl.to_tensor(images[:3])), "luma", 1.0))
    assert np.abs(sheet[64:, 5 * 32 : 6 * 32].astype(int) - vivid[2]).mean() < 8


@pytest.mark.full
def test_a_move_takes_under_50_ms(images):
    box = cl.browse(images, cl.load_model("cifar"))
    took = []
    for i in range(1, 30):
        began = time.perf_counter()
        box.controls["number"].value = i
        took.append(time.perf_counter() - began)
    assert np.median(took) < 0.05


@pytest.mark.parametrize("name", ["../../escape", "/tmp/escape", "<img src=x>", "a\\\\b", "..."])
def test_a_name_from_outside_stays_in_its_folder(name, tmp_path):
    for body in (b"first", b"second"):
        assert keep(body, tmp_path / f"{safe_name(name)}.png").startswith(f"Saved as {tmp_path}/")
    kept = list(tmp_path.iterdir())
    assert {path.read_bytes() for path in kept} == {b"first", b"second"}
    assert not any("<" in path.name for path in kept)


def test_the_files_of_the_page_belong_to_the_package():
    folder = Path(browser.__file__).parent
    for name in ("page.js", "page.css", "static_viewer.html"):
        assert (folder / name).is_file()
