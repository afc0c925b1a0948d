import io
import time

import numpy as np
import pytest
from PIL import Image

import colorlib as cl
from colorlib import widgets


def shown(box):
    return np.asarray(Image.open(io.BytesIO(box.children[-1].value)).convert("RGB"))


def test_sliders_change_one_picture_in_place(images, net):
    labels = np.arange(64) % 2, ["apple", "sweet_pepper"]
    box = cl.browse(images, net, "luma", labels)
    number, vividness, picture = box.children
    assert (number.min, number.max) == (0, 63) and picture.format == "png"
    first = shown(box)
    number.value = 5
    second = shown(box)
    vividness.value = 1.0
    third = shown(box)
    assert box.children[-1] is picture
    assert (first != second).any() and (second != third).any()
    number.value, vividness.value = 0, 0.0
    assert np.array_equal(shown(box), first)


def test_panels_show_input_prediction_and_original(images, net):
    sheet = np.asarray(widgets.panels(images[3], net, "value", 0.5, "image 3"))
    size, margin, top = widgets.PANEL, widgets.MARGIN, widgets.TITLE
    lefts = [margin + i * (size + margin) for i in range(3)]
    gray, predicted, original = (sheet[top : top + size, x : x + size][3::6, 3::6] for x in lefts)
    assert np.array_equal(original, images[3])
    assert np.array_equal(gray, images[3].max(-1, keepdims=True).repeat(3, -1))
    expected = cl.colorize(net, cl.value(cl.to_tensor(images[3:4])), "value", 0.5)
    assert np.array_equal(predicted, cl.to_images(expected)[0])


@pytest.mark.full
def test_a_move_takes_under_50_ms(images):
    box = cl.browse(images, cl.load_model("cifar"))
    took = []
    for i in range(1, 30):
        began = time.perf_counter()
        box.children[0].value = i
        took.append(time.perf_counter() - began)
    assert np.median(took) < 0.05
