"""Many photographs at once: no item ends or spoils a batch, and none is lost."""

import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY
from PIL import Image

from colorlib.data import slug
from colorlib.photos.batch import colorize_files


def names(folder):
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.*"))


def test_no_name_ends_a_batch(picture, tmp_path):
    """A terminal cannot print every name that a disk can hold."""
    folder, odd = tmp_path / "in", os.fsdecode(b"caf\xe9.png")
    folder.mkdir()
    try:
        picture.save(folder / odd)
    except OSError:
        pytest.skip("this file system holds no such name")
    for name in ("a.png", "фото.png", "я.png"):
        picture.save(folder / name)
    words = [sys.executable, "-m", "colorlib", "colorize", str(folder), "-o", str(tmp_path / "out")]
    environment = os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([*words, "--model", "cifar"], env=environment, capture_output=True)
    assert done.returncode == 0 and len(names(tmp_path / "out")) == 4


def test_an_input_is_never_written_over(net, picture, tmp_path):
    (tmp_path / "x").mkdir()
    for name in ("x/a.png", "a.png", "b.gif", "b-coloured.png"):
        picture.save(tmp_path / name)
    before = {name: (tmp_path / name).read_bytes() for name in ("a.png", "b-coloured.png")}
    for inputs, output in ((("x/a.png", "a.png"), tmp_path), (("b.gif", "b-coloured.png"), None)):
        failed = colorize_files([tmp_path / n for n in inputs], output, net, size=32, force=True)
        assert "would be written over" in failed[0]
    assert before == {name: (tmp_path / name).read_bytes() for name in before}


@pytest.mark.parametrize("output", [None, "out"])
def test_one_stem_with_several_suffixes(net, picture, tmp_path, output):
    for ending in ("png", "jpg", "gif", "bmp"):
        picture.save(tmp_path / f"a.{ending}")
    inputs = [tmp_path / f"a.{ending}" for ending in ("gif", "png", "jpg", "bmp")]
    assert not colorize_files(inputs, output and tmp_path / output, net, size=32)
    if output:
        assert names(tmp_path / "out") == ["a.bmp.png", "a.gif.png", "a.jpg", "a.png"]
    else:
        made = [name for name in names(tmp_path) if "coloured" in name]
        assert made == [f"a{x}" for x in (
            "-coloured.jpg", "-coloured.png", ".bmp-coloured.png", ".gif-coloured.png"
        )]  # fmt: skip


def test_a_second_run_colours_what_is_new(net, picture, tmp_path, says):
    picture.save(tmp_path / "a.png")
    assert not colorize_files([tmp_path], None, net, size=32)
    picture.save(tmp_path / "b.gif")
    with says(r"(?s)left out 1 files that end in -coloured.*passed over 1"):
        assert not colorize_files([tmp_path], None, net, size=32)
    assert names(tmp_path) == ["a-coloured.png", "a.png", "b-coloured.png", "b.gif"]
    with says("left out 2"):
        assert not colorize_files([tmp_path], None, net, size=32, force=True)
    assert len(names(tmp_path)) == 4


def test_a_photograph_called_coloured_is_one_like_others(net, picture, tmp_path):
    picture.save(tmp_path / "beach-coloured.png")
    assert not colorize_files([tmp_path], tmp_path / "out", net, size=32)
    assert names(tmp_path / "out") == ["beach-coloured.png"]


def test_a_file_of_macos_is_no_photograph(net, picture, tmp_path):
    picture.save(tmp_path / "a.png")
    (tmp_path / "._a.png").write_bytes(b"\0\5\x16\7")
    assert not colorize_files([tmp_path], tmp_path / "out", net, size=32)


def test_a_loop_of_links_is_one_bad_photograph(net, picture, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    picture.save(folder / "a.png")
    loop = folder / "loop.png"
    try:
        loop.symlink_to(loop)
    except OSError:
        pytest.skip("no links here")
    (said,) = colorize_files([loop, folder / "a.png"], None, net, size=32)
    assert "loop.png" in said and names(folder) == ["a-coloured.png", "a.png", "loop.png"]
    (said,) = colorize_files([loop], tmp_path / "one", net, size=32)
    assert "loop.png" in said
    assert not colorize_files([folder / "a.png"], loop, net, size=32, force=True)
    loop.unlink()
    loop.symlink_to(loop)
    assert not colorize_files([folder], folder / "out", net, size=32)
    assert names(folder / "out") == ["a.png"]
    for said in colorize_files([folder], folder / "loop.png" / "out", net, size=32):
        assert "loop.png" in said
    assert slug(str(loop)).startswith("loop.png-")


def test_the_home_folder(net, picture, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    picture.save(tmp_path / "a.png")
    assert not colorize_files(["~/a.png"], None, net, size=32)
    assert names(tmp_path) == ["a-coloured.png", "a.png"]


def test_a_colour_photograph_is_said_to_lose_its_colours(tmp_path, net, images, capsys):
    Image.fromarray(images[0]).save(tmp_path / "colour.png")
    Image.fromarray(images[0]).convert("L").save(tmp_path / "grey.png")
    sepia = np.asarray(Image.fromarray(images[0]).convert("L"), np.float32)[..., None]
    Image.fromarray((sepia * (1, 0.9, 0.75)).astype(np.uint8)).save(tmp_path / "sepia.png")
    assert colorize_files([tmp_path], None, net) == []
    lines = capsys.readouterr().out.splitlines()
    assert [("own colours" in line) for line in sorted(lines)] == [True, False, False]
