import re
import subprocess
import sys

import numpy as np
import pytest
import skimage.data
import torch
from conftest import REPOSITORY
from PIL import Image

import colorlib as cl
from colorlib.photos import colorize_photo, upsampling


@pytest.mark.parametrize("size", [(200, 120), (33, 70), (1, 1), (20, 300), (900, 700), (2, 3000)])
def test_photograph_keeps_size_and_luma(net, size):
    random = np.random.default_rng(0)
    gray = random.integers(0, 256, size[::-1], dtype=np.uint8)
    result = cl.colorize_photo(gray, net, vividness=1)
    assert result.size == size and result.mode == "RGB"
    rgb = np.asarray(result).astype(float)
    luma = rgb @ [0.299, 0.587, 0.114]
    assert np.abs(luma - gray).max() <= 1
    assert rgb.std(-1).max() > 1 or size == (1, 1)  # which is even: all frame


def test_paths_images_and_arrays_give_the_same(net, tmp_path, images):
    Image.fromarray(images[0]).save(tmp_path / "a.png")
    results = [
        np.asarray(cl.colorize_photo(x, net))
        for x in (tmp_path / "a.png", Image.fromarray(images[0]), images[0])
    ]
    assert np.array_equal(results[0], results[1]) and np.array_equal(results[0], results[2])


def test_the_inner_size_bounds_what_the_network_sees(net):
    assert colorize_photo.inner_size(3000, 4000, 96) == (96, 128)
    assert colorize_photo.inner_size(10, 20, 64) == (32, 64)
    assert colorize_photo.inner_size(50, 70, 96) == (50, 70)
    assert colorize_photo.inner_size(1, 10000, 64) == (32, 256)  # not 320,000
    for size in (31, 1025):
        with pytest.raises(ValueError, match="from 32 to 1024"):
            cl.colorize_photo(np.zeros((50, 50), np.uint8), net, size=size)


def test_strips_of_a_photograph_do_not_show(net, monkeypatch):
    gray = skimage.data.camera()
    whole = np.asarray(cl.colorize_photo(gray, net)).astype(int)
    monkeypatch.setattr(upsampling, "STRIP", 20000)
    monkeypatch.setattr(upsampling, "WORKING", 2**17)
    parts = np.asarray(cl.colorize_photo(gray, net)).astype(int)
    assert np.abs(parts.mean(-1) - whole.mean(-1)).mean() < 1
    assert np.abs(parts - whole).mean() < 8  # a smaller working size, nearly the same picture


@pytest.mark.full
def test_a_hundred_megapixels_fit_into_four_gigabytes(tmp_path):
    Image.fromarray(np.tile(skimage.data.camera(), (20, 20))[:10000, :10000]).save(
        tmp_path / "huge.jpg"
    )
    code = f"""
import sys
from benchmarks.timing import peak_memory
sys.argv = ["colorlib", "colorize", "{tmp_path}/huge.jpg", "--model", "cifar"]
from colorlib.__main__ import main
assert main() == 0
print(round(peak_memory()))
"""
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert int(done.stdout.split()[-1]) < 3500  # MiB, where the machine has 4096
    with Image.open(tmp_path / "huge-coloured.jpg") as made:
        assert made.size == (10000, 10000)


def test_a_network_in_training_is_not_changed(net, images):
    net.train()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    cl.colorize_photo(images[0], net)
    assert net.training
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())


def test_bad_photographs_are_named(net, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"bad\.jpg: not a readable image"):
        cl.colorize_photo(tmp_path / "bad.jpg", net)
    with pytest.raises(FileNotFoundError):
        cl.colorize_photo(tmp_path / "nowhere.jpg", net)
    with pytest.raises(ValueError, match="got float64"):
        cl.colorize_photo(np.zeros((4, 4)), net)


def test_wrong_types_are_one_sentence(net):
    for wrong in (torch.rand(3, 40, 40), [[0, 1], [1, 0]], b"bytes", None):
        with pytest.raises(
            ValueError, match=f"got {type(wrong).__name__}, expected a path, an open"
        ):
            cl.colorize_photo(wrong, net)
    with pytest.raises(ValueError, match=r"got torch\.float16 weights, expected model\.float"):
        cl.colorize_photo(np.zeros((40, 40), np.uint8), net.half())


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"vividness": None}, "vividness: got None, expected a number"),
        ({"vividness": "x"}, "vividness: got 'x', expected a number"),
        ({"size": None}, "size: got None, expected a whole number"),
        ({"size": 64.5}, "size: got 64.5, expected a whole number"),
        ({"model": None}, "model: got NoneType, expected a name"),
        ({"model": ["cifar"]}, "model: got list, expected a name"),
        ({"model": torch.nn.Linear(1, 1)}, "model: got Linear, expected a name"),
        ({"hints": 5}, "hints: got 5, expected a list"),
        ({"seed": "x"}, "seed: got 'x', expected a whole number"),
        ({"seed": 1.5}, "seed: got 1.5, expected a whole number"),
        ({"seed": True}, "seed: got True, expected a whole number"),
        ({"seed": -1}, "seed: got -1, expected a whole number from 0 to 4294967295"),
        ({"seed": 2**32}, "seed: got 4294967296, expected a whole number from 0 to 4294967295"),
        ({"image": Image.new("RGB", (0, 0))}, "image: got 0 x 0 pixels"),
    ],
)
def test_settings_of_wrong_types_are_named(net, setting, said):
    given = {"image": np.zeros((40, 40), np.uint8), "model": net} | setting
    with pytest.raises(ValueError, match=re.escape(said)):
        cl.colorize_photo(**given)


def test_an_open_file_and_the_home_folder(net, images, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    Image.fromarray(images[0]).save(tmp_path / "a.png")
    with (tmp_path / "a.png").open("rb") as file:
        assert cl.colorize_photo(file, net) == cl.colorize_photo("~/a.png", net)
