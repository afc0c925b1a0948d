import io
import re
import time

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2lab

import colorlib as cl
from colorlib import paths
from colorlib.metrics import mean_ab_error
from colorlib.widgets import panels, static_viewer


def shown(box):
    return np.asarray(Image.open(io.BytesIO(box.controls["picture"].value)).convert("RGB"))


def test_sliders_change_one_picture_in_place(images, net):
    labels = np.arange(64) % 2, ["apple", "sweet_pepper"]
    box = cl.browse(images, net, "luma", labels)
    number, vividness, picture = (box.controls[k] for k in ("number", "vividness", "picture"))
    assert (number.min, number.max) == (0, 63) and picture.format == "png"
    views = [shown(box)]
    for control, setting in ((number, 5), (vividness, 1.0), (box.controls["row"], 3)):
        control.value = setting
        views.append(shown(box))
        assert (views[-1] != views[-2]).any()
    assert box.controls["picture"] is picture
    number.value, vividness.value, box.controls["row"].value = 0, 0.0, 16
    assert np.array_equal(shown(box), views[0])


def test_a_class_and_an_order_choose_which_images_the_slider_shows(images, net):
    kinds = np.arange(64) % 4
    box = cl.browse(images, net, "luma", (kinds, ["a", "b", "c", "d", "none"]))
    controls = box.controls
    controls["classes"].value = "c"
    assert controls["number"].max == 15
    controls["order"].value = "worst first"
    truth = cl.to_tensor(images[kinds == 2])
    wrong = mean_ab_error(cl.colorize(net, cl.luma(truth), "luma"), truth)
    worst = panels.panels(images[kinds == 2][wrong.argmax()], net, "luma", 0.0, "x", (16, 16))
    top, bottom = panels.TITLE, panels.TITLE + panels.PANEL
    assert np.array_equal(shown(box)[top:bottom], np.asarray(worst)[top:bottom])
    controls["order"].value = "best first"
    best = panels.panels(images[kinds == 2][wrong.argmin()], net, "luma", 0.0, "x", (16, 16))
    assert np.array_equal(shown(box)[top:bottom], np.asarray(best)[top:bottom])
    controls["classes"].value = "none"
    assert "No image" in controls["said"].value and controls["number"].max == 63
    for _ in range(200):
        before = controls["number"].value
        controls["random"].click()
        assert 0 <= controls["number"].value <= 63 and controls["number"].value != before


def test_what_is_shown_is_saved_under_a_chosen_name(images, net):
    box = cl.browse(images, net)
    box.controls["number"].value = 7
    box.controls["name"].value = "../away"
    box.controls["save"].click()
    assert "letters" in box.controls["said"].value
    box.controls["name"].value = "seven"
    box.controls["save"].click()
    saved = Image.open(paths.figures() / "seven.png")
    assert np.array_equal(np.asarray(saved), shown(box)) and "seven.png" in str(saved.filename)


def test_a_click_picks_the_pixel(images, net):
    box = cl.browse(images, net)
    size = panels.PANEL / 32
    for panel in range(4):
        left = panels.MARGIN + panel * (panels.PANEL + panels.MARGIN)
        box.controls["click"]({"dataX": left + 5.5 * size, "dataY": panels.TITLE + 20.5 * size})
        assert (box.controls["row"].value, box.controls["column"].value) == (20, 5)
        box.controls["row"].value = 0
    box.controls["click"]({"dataX": 1, "dataY": 1})  # beside every image
    assert box.controls["row"].value == 0


def test_panels_show_input_prediction_original_and_error(images, net):
    sheet = np.asarray(panels.panels(images[3], net, "value", 0.5, "image 3"))
    size, margin, top = panels.PANEL, panels.MARGIN, panels.TITLE
    lefts = [margin + i * (size + margin) for i in range(4)]
    step = size // 32
    cut = [
        sheet[top : top + size, x : x + size][step // 2 :: step, step // 2 :: step] for x in lefts
    ]
    gray, predicted, original, error = cut
    assert np.array_equal(original, images[3])
    assert np.array_equal(gray, images[3].max(-1, keepdims=True).repeat(3, -1))
    expected = cl.colorize(net, cl.value(cl.to_tensor(images[3:4])), "value", 0.5)
    assert np.array_equal(predicted, cl.to_images(expected)[0])
    lab = [rgb2lab(x) for x in (expected[0].permute(1, 2, 0).numpy(), images[3])]
    far = np.linalg.norm((lab[0] - lab[1])[..., 1:], axis=-1) / panels.LARGEST_ERROR
    assert np.abs(error.astype(int) - panels.heat(torch.from_numpy(far))).max() <= 2


@pytest.mark.parametrize("given", ["value", "luma"])
def test_the_distribution_of_a_pixel_is_the_one_that_its_colour_came_from(images, given):
    model, seen = cl.load_model("cifar"), []
    for vividness in (0.0, 0.5, 1.0):
        found = panels.look(images[3], model, given, vividness)
        assert torch.allclose(found.likely.sum(0), torch.ones(16, 16), atol=1e-5)
        mean = torch.einsum("khw,kc->chw", found.likely, model.cells)[None]
        full = torch.nn.functional.interpolate(mean, scale_factor=2, mode="bilinear")
        assert torch.allclose(cl.color.add_chroma(full, found.gray, given), found.rgb, atol=1e-5)
        seen.append(found.likely)
    assert (seen[0] - seen[1]).abs().max() > 0.01 and (seen[1] - seen[2]).abs().max() > 0.01


def test_heat_runs_from_black_to_yellow():
    ramp = panels.heat(torch.linspace(0, 1, 9)[None])[0].astype(int)
    assert ramp[0].tolist() == [0, 0, 4] and ramp[-1].tolist() == [252, 255, 164]
    assert (np.diff(ramp @ [0.299, 0.587, 0.114]) > 0).all()


def test_where_no_kernel_runs_a_page_of_precomputed_images_stands_in(images, net):
    box = cl.browse(images, net, "luma", (np.zeros(64, int), ["<b>"]))
    page = box._repr_mimebundle_()["text/html"]
    assert not re.search(r"https?://", page) and "<b>" not in page
    assert page.count("data:image/jpeg") == 1 and len(page) < 150_000
    sheet = np.asarray(Image.open(io.BytesIO(static_viewer.contact_sheet(images[:3], net, "luma"))))
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


def test_two_pages_in_one_report_have_ids_of_their_own(images, net):
    pages = [static_viewer.viewer(images[i : i + 2], net) for i in (0, 2)]
    ids = [re.search(r'<div id="([\w-]+)"', page)[1] for page in pages]
    assert ids[0] != ids[1]
    for page, own in zip(pages, ids, strict=True):
        assert f'querySelectorAll("#{own}")' in page  # the same page twice works twice


@pytest.mark.parametrize("name", ["../../escape", "/tmp/escape", "<img src=x>", "a\\\\b", "..."])
def test_a_figure_stays_in_its_folder(name):
    said = panels.keep_figure(Image.new("RGB", (4, 4)), name)
    assert [f.parent for f in paths.figures().rglob("*.png")] == [paths.figures()]
    assert said.startswith("Saved figures/") and "<" not in said
