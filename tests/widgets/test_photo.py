import io

import numpy as np
import pytest
from PIL import Image

import colorlib as cl
from colorlib import paths
from colorlib.decoding import DecodeSetting
from colorlib.widgets import panels, photo


def png(image):
    body = io.BytesIO()
    Image.fromarray(image).save(body, "PNG")
    return body.getvalue()


def halves(sheet: bytes, side: int = 32):
    """The two pictures of that side on a sheet: the input and its colours."""
    pixels = np.asarray(Image.open(io.BytesIO(sheet)))
    top, left = panels.TITLE, panels.MARGIN
    rows = pixels[top : top + side]
    return rows[:, left : left + side], rows[:, 2 * left + side : 2 * (left + side)]


def test_what_was_uploaded_is_found_in_both_versions_of_ipywidgets():
    file = {"name": "mine.png", "content": memoryview(b"bytes")}
    assert photo.uploaded({"mine.png": file}) == ("mine.png", b"bytes")
    assert photo.uploaded((file,)) == ("mine.png", b"bytes")
    assert photo.uploaded(()) is None and photo.uploaded({}) is None


def test_an_uploaded_photograph_is_coloured_and_saved(net, images, monkeypatch):
    net.schedules["luma"] = [DecodeSetting(), DecodeSetting(0.0, 0.3)]
    box = photo.colour_yours(net)
    assert box.controls["save"].disabled
    monkeypatch.setattr(photo, "uploaded", lambda _: ("mine.png", png(images[0])))
    box.controls["received"](None)
    first = bytes(box.controls["picture"].value)
    left, right = halves(first)
    luma = np.asarray(Image.fromarray(images[0]).convert("L"))
    assert np.array_equal(left, luma[..., None].repeat(3, -1))
    assert np.array_equal(right, np.asarray(cl.colorize_photo(images[0], net, 0.5)))
    box.controls["vividness"].value = 1.0
    assert bytes(box.controls["picture"].value) != first
    box.controls["save"].click()
    saved = np.asarray(Image.open(paths.figures() / "mine-coloured.png"))
    assert np.array_equal(saved, np.asarray(cl.colorize_photo(images[0], net, 1.0)))


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_photograph_is_said_to_be_none(net, images, monkeypatch, content):
    box = photo.colour_yours(net, Image.fromarray(images[0]))
    before = bytes(box.controls["picture"].value)
    monkeypatch.setattr(photo, "uploaded", lambda _: ("mine.png", content))
    box.controls["received"](None)
    assert "not a readable image" in box.controls["said"].value
    assert bytes(box.controls["picture"].value) == before and before
