import base64
import html
import io
import re

import numpy as np
import pytest
import skimage.data
import torch
from conftest import vivid
from PIL import Image

import colorlib as cl
from colorlib import paths
from colorlib.color import LUMA_WEIGHTS
from colorlib.decoding import DecodeSetting
from colorlib.photos import colorize_photo as coloring
from colorlib.photos.preview import Preview, Settings, code_line
from colorlib.widgets import photo

UNSAFE = "<img src=x onerror=alert(1)>\"'.png"


@pytest.fixture
def net():
    """A tiny untrained network that makes vivid colours and takes hints."""
    net = vivid(hints=True)
    net.schedules["luma"] = [DecodeSetting(), DecodeSetting(0.0, 0.3)]
    return net


@pytest.fixture
def tool(net, images):
    """The tool on a photograph of 64 x 48 pixels."""
    image = Image.fromarray(images[0]).resize((64, 48))
    return photo.photo_tool(net, image).tool


def encoded(image, kind="PNG"):
    body = io.BytesIO()
    Image.fromarray(image).save(body, kind)
    return body.getvalue()


def upload(tool, name, content):
    """What follows when a reader has chosen a file; ipywidgets gives the value no setter."""
    tool.receive(({"name": name, "content": content},))


def shown(tool):
    return np.asarray(Image.open(io.BytesIO(tool.controls["picture"].value))).astype(int)


def hints(tool):
    return list(tool.hints.as_tuples())


def code(tool):
    """The line of code as a reader copies it."""
    return html.unescape(re.search("<pre>(.*)</pre>", tool.controls["code"].value)[1])


def test_what_was_uploaded_is_found_in_both_versions_of_ipywidgets():
    file = {"name": "mine.png", "content": memoryview(b"bytes")}
    assert photo.uploaded({"mine.png": file}) == [("mine.png", b"bytes")]
    assert photo.uploaded((file,)) == [("mine.png", b"bytes")]
    assert photo.uploaded(()) == photo.uploaded({}) == []


def test_it_starts_with_a_sample_photograph(net):
    tool = photo.photo_tool(net).tool
    assert np.array_equal(np.asarray(tool.image), skimage.data.chelsea())
    expected = np.asarray(cl.colorize_photo(skimage.data.chelsea(), net, 0.5)).astype(int)
    assert np.abs(shown(tool) - expected).mean() < 2  # a JPEG of the same size
    scope = {"cl": cl, "skimage": skimage, "model": net}
    assert np.array_equal(eval(code(tool), scope), np.asarray(tool.full_size()))


def test_a_published_network_is_refused_before_it_is_fetched(monkeypatch):
    monkeypatch.setattr("colorlib.peers.load", lambda name: pytest.fail("it was loaded"))
    with pytest.raises(ValueError, match="the photo tool is for our own networks"):
        photo.photo_tool("eccv16")


def test_an_uploaded_photograph_is_coloured_and_saved(tool, images):
    upload(tool, "mine.png", encoded(images[1]))
    assert "mine.png, 32 × 32 pixels" in tool.controls["said"].value
    assert tool.controls["busy"].value == ""
    first = shown(tool)
    assert np.abs(first - np.asarray(cl.colorize_photo(images[1], tool.model, 0.5))).mean() < 4
    tool.controls["vividness"].value = 1.0
    assert np.abs(shown(tool) - first).mean() > 1
    tool.controls["save"].click()
    path = paths.figures() / "mine-coloured.png"
    assert str(path) in link_of(tool)
    expected = np.asarray(cl.colorize_photo(images[1], tool.model, 1.0))
    assert np.array_equal(np.asarray(Image.open(path)), expected)
    link = re.search(r'download="(.*?)" href="data:image/png;base64,(.*?)"', link_of(tool))
    assert link[1] == "mine-coloured.png"
    assert base64.b64decode(link[2]) == path.read_bytes()
    tool.controls["vividness"].value = 0.0
    assert link_of(tool) == ""  # it would be of another picture


def link_of(tool):
    return tool.controls["link"].value


def test_saving_again_overwrites_nothing_and_shows_how_far_it_is(tool, monkeypatch):
    shares = []
    tool.controls["progress"].observe(lambda change: shares.append(change["new"]), "value")
    tool.save()
    first = (paths.figures() / "photo-coloured.png").read_bytes()
    tool.controls["vividness"].value = 1.0
    tool.save()
    assert (paths.figures() / "photo-coloured.png").read_bytes() == first
    assert str(paths.figures() / "photo-coloured-2.png") in link_of(tool)
    assert 1.0 in shares and tool.controls["progress"].layout.display == "none"


def test_the_share_that_is_done_grows_to_all_of_it(net):
    shares = []
    cl.colorize_photo(np.zeros((900, 700), np.uint8), net, progress=shares.append)
    assert len(shares) > 1 and shares == sorted(shares) and shares[-1] == 1


def test_where_no_kernel_runs_the_sample_and_its_levels_stand_in(net):
    page = photo.photo_tool(net)._repr_mimebundle_()["text/html"]
    body = base64.b64decode(re.search(r"base64,([\w+/=]+)", page)[1])
    sheet = np.asarray(Image.open(io.BytesIO(body))).astype(int)
    assert sheet.shape == (300, 7 * 451, 3) and len(page) < 600_000
    assert np.ptp(sheet[:, :451], -1).max() <= 8  # the input, grey
    assert np.abs(sheet[:, 6 * 451 :] - skimage.data.chelsea()).mean() < 4
    vivid = np.asarray(cl.colorize_photo(skimage.data.chelsea(), net, 1.0))
    assert np.abs(sheet[:, 5 * 451 : 6 * 451] - vivid).mean() < 4


def test_where_nothing_can_be_written_the_picture_is_offered_all_the_same(tool, monkeypatch):
    monkeypatch.setattr(photo.paths, "figures", lambda: photo.Path("/dev/null/none"))
    tool.save()
    assert "Not saved" in link_of(tool) and "data:image/png" in link_of(tool)


def test_vividness_decodes_what_the_network_predicted_already(tool, count_calls):
    predictions = count_calls(coloring, "predict")
    before = shown(tool)
    tool.controls["vividness"].value = 0.9
    assert np.abs(shown(tool) - before).mean() > 1 and not predictions
    tool.controls["size"].value = 32
    assert len(predictions) == 1
    tool.controls["vividness"].value = 0.5
    tool.controls["size"].value = 96
    assert len(predictions) == 1 and np.array_equal(shown(tool), before)


def test_the_preview_is_the_full_size_picture_made_small(net):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (12, 16, 3), np.uint8)
    large = Image.fromarray(pixels).resize((1600, 1200), Image.Resampling.BICUBIC)
    hints = ((400, 300, "#C03020"), (1300, 900, "#2040C0"))
    settings = Settings(0.7, 64, hints, 3)
    small = Preview(large, net).colored(settings)
    assert small.size == (480, 360)
    full = cl.colorize_photo(large, net, *settings)
    full = full.resize(small.size, Image.Resampling.BOX, reducing_gap=2)
    assert np.abs(np.asarray(small).astype(int) - np.asarray(full)).mean() < 3


def test_a_hint_is_added_moved_recoloured_and_removed(tool):
    plain = shown(tool)
    assert tool.controls["colors"].layout.display == "none"
    tool.act("click", 0.25, 0.5)
    assert tool.hints.place == (16, 24) and tool.controls["colors"].layout.display == "flex"
    likely = tool.preview.palette(16, 24, 96)
    assert [b.style.button_color for b in tool.controls["palette"]] == [c for c, _ in likely]
    assert np.array_equal(shown(tool), plain)
    tool.controls["palette"][2].click()
    assert hints(tool) == [(16, 24, likely[2][0])]
    with_hint = np.asarray(cl.colorize_photo(tool.image, tool.model, hints=hints(tool)))
    assert np.abs(shown(tool) - with_hint).mean() < 3 and (shown(tool) != plain).any()
    tool.controls["picker"].value = "#ff0000"  # the same place
    assert hints(tool) == [(16, 24, "#FF0000")]
    tool.act("click", 0.75, 0.25)
    tool.controls["picker"].value = "#00ff00"
    assert hints(tool) == [(16, 24, "#FF0000"), (48, 12, "#00FF00")]
    assert tool.controls["hints"].value.count("<div>") == 2
    tool.act("click", 0.76, 0.25)  # the dot of the second
    tool.act("click", 0.5, 0.75)  # its new place
    assert hints(tool) == [(16, 24, "#FF0000"), (32, 36, "#00FF00")]
    tool.act("click", 0.1, 0.1)  # a place again: nothing moves
    assert hints(tool)[1][:2] == (32, 36) and tool.hints.place == (6, 4)
    tool.box.sent.value = "move 1 17"  # the buttons of the list
    assert tool.controls["hints"].value.count("Click its new place") == 1
    tool.controls["x"].value = 40
    assert hints(tool)[1] == (40, 36, "#00FF00")
    tool.box.sent.value = "remove 0 18"
    assert hints(tool) == [(40, 36, "#00FF00")]
    assert tool.controls["hints"].value.count("<div>") == 1
    tool.box.sent.value = "remove 0 19"
    assert hints(tool) == [] and np.array_equal(shown(tool), plain)


def test_a_click_arrives_as_text_from_the_page(tool):
    for text, place in (("click 0.25 0.5 17", (16, 24)), ("click 0.999 0 18", (63, 0))):
        tool.box.sent.value = text
        assert tool.hints.place == place
    for text in ("click 1.2 0.5 19", "click nan nan 20", "key left 9"):
        tool.box.sent.value = text
        assert tool.hints.place == (63, 0) and not hints(tool)


def test_the_line_of_code_makes_the_full_size_picture(tool, images, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    photograph = encoded(images[2])
    (tmp_path / "it's.png").write_bytes(photograph)
    upload(tool, "it's.png", photograph)
    tool.controls["vividness"].value, tool.controls["size"].value = 0.85, 64
    tool.act("click", 0.2, 0.3)
    tool.color("#12AB34")
    tool.controls["another"].click()
    line = code(tool)
    assert line == (
        """cl.colorize_photo("it's.png", model=model, vividness=0.85, size=64, """
        """hints=[(6, 9, "#12AB34")], seed=1)"""
    )
    made = np.asarray(eval(line, {"cl": cl, "model": tool.model}))
    assert np.array_equal(made, np.asarray(tool.full_size()))
    tool.save()
    assert np.array_equal(np.asarray(Image.open(paths.figures() / "it-s-coloured.png")), made)
    assert code_line("'a.jpg'", Settings(0.5)) == "cl.colorize_photo('a.jpg', vividness=0.5)"


def test_an_array_is_a_photograph_and_other_types_are_named(net, images):
    assert photo.photo_tool(net, images[0]).tool.preview.photo == (32, 32)
    for wrong in (images[0] / 255, [[0, 1]], 5):
        with pytest.raises(ValueError, match="image: got"):
            photo.photo_tool(net, wrong)


def test_another_draws_a_seed_and_the_mean_comes_back(tool):
    mean = shown(tool)
    assert tool.controls["mean"].disabled and "seed" not in code(tool)
    seen = [mean]
    for seed in (1, 2):
        tool.controls["another"].click()
        assert f"seed={seed}" in code(tool) and not tool.controls["mean"].disabled
        assert all((shown(tool) != other).any() for other in seen)
        seen.append(shown(tool))
    tool.controls["mean"].click()
    assert np.array_equal(shown(tool), mean) and "seed" not in code(tool)


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n", b"8BPS" + bytes(20)])
def test_what_is_no_photograph_is_said_to_be_none(tool, content):
    before, line = bytes(tool.controls["picture"].value), code(tool)
    upload(tool, "mine.png", content)
    said = tool.controls["said"].value
    assert said.startswith("mine.png: not a readable image") and "BytesIO" not in said
    assert tool.controls["busy"].value == ""
    assert bytes(tool.controls["picture"].value) == before and code(tool) == line


def test_in_place_of_a_path_that_is_not_there_the_sample_is_shown(net):
    tool = photo.photo_tool(net, "nowhere.jpg").tool
    assert "nowhere.jpg: No such file" in tool.controls["said"].value
    assert "skimage.data.chelsea()" in code(tool)


def test_a_colour_photograph_is_said_to_lose_its_colours(tool, images):
    upload(tool, "colours.png", encoded(images[1]))
    assert "colours of its own" in tool.controls["said"].value
    assert "own colours" in tool.controls["original"].value
    grey = (images[1] @ np.array(LUMA_WEIGHTS)).round().astype(np.uint8)
    upload(tool, "grey.png", encoded(grey))
    assert "colours of its own" not in tool.controls["said"].value
    assert tool.controls["original"].value == ""


def test_another_photograph_starts_without_hints_and_seed(tool, images):
    tool.act("click", 0.5, 0.5)
    tool.color("#FF0000")
    tool.controls["another"].click()
    upload(tool, "next.png", encoded(images[3][:20]))
    assert hints(tool) == [] and tool.seed is None and tool.hints.place is None
    assert "hints" not in code(tool) and "seed" not in code(tool)
    assert (tool.controls["x"].max, tool.controls["y"].max) == (31, 19)


def test_a_pillow_image_is_turned_and_scaled_like_a_file(net, images):
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6  # to be turned by a quarter
    Image.fromarray(images[0][:20]).save(file, "PNG", exif=exif)
    assert shown(photo.photo_tool(net, Image.open(file)).tool).shape == (32, 20, 3)
    ramp = np.tile(np.linspace(0, 65535, 40).astype(np.uint16), (40, 1))
    seen = shown(photo.photo_tool(net, Image.fromarray(ramp)).tool)
    assert seen.min() < 20 and seen.max() > 235 and 100 < seen.mean() < 155


def test_names_from_outside_are_text(tool, images):
    pages = []
    for content in (encoded(images[1]), b"no image"):
        upload(tool, UNSAFE, content)
        pages.append(tool.controls["said"].value + tool.controls["code"].value)
        if content != b"no image":
            tool.save()
            pages.append(tool.controls["said"].value + link_of(tool))
    for page in pages:
        assert "<img" not in page and "onerror=alert(1)>" not in page
    upload(tool, "../../away.png", encoded(images[1]))
    tool.save()
    assert (paths.figures() / "away-coloured.png").is_file()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (300, 2)])
def test_tiny_photographs_are_coloured(tool, shape):
    upload(tool, "tiny.png", encoded(np.full((*shape, 3), 90, np.uint8)))
    tool.controls["y"].value = tool.controls["y"].max
    tool.color("#FF0000")
    assert shown(tool).shape == (*shape, 3) and tool.full_size().size == shape[::-1]


def test_a_network_without_hints_colours_all_the_same(images):
    torch.manual_seed(0)
    net = cl.ColorNet((8, 8), (0, 0), (0,)).eval()
    tool = photo.photo_tool(net, Image.fromarray(images[0])).tool
    assert tool.controls["another"].disabled and shown(tool).shape == (32, 32, 3)


@pytest.mark.parametrize("wrong", [{"vividness": 2}, {"size": 8}])
def test_wrong_settings_are_refused(net, wrong):
    with pytest.raises(ValueError, match="got"):
        photo.photo_tool(net, **wrong)
