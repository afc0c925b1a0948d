"""Photographs of every kind, whole and broken, from a file to a file."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from colorlib.datasets import image_files
from colorlib.photos import image_output
from colorlib.photos.batch import colorize_files, outputs


def test_transparent_pixels_are_white(tmp_path):
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (np.asarray(image_files.read_rgb(tmp_path / "clear.png")) == 255).all()


@pytest.mark.parametrize("ending", [".jpg", ".tif", ".png"])
def test_sideways_photographs_are_turned_and_stay_so(tmp_path, ending):
    image = Image.new("RGB", (40, 20))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / f"turned{ending}", exif=exif)
    read = image_files.read_rgb(tmp_path / f"turned{ending}")
    assert read.size == (20, 40)
    for name in ("out.jpg", "out.png", "out.tif", "out.webp"):
        image_output.save_image(read, tmp_path / name)
        with Image.open(tmp_path / name) as again:
            assert again.size == (20, 40) and again.getexif().get(0x0112, 1) == 1


def test_profiles_are_respected(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    image = Image.new("RGB", (4, 4), (255, 0, 0))
    image.save(tmp_path / "swapped.png", icc_profile=swapped)  # where red is called blue
    read = image_files.read_rgb(tmp_path / "swapped.png")
    assert np.abs(np.subtract(read.getpixel((0, 0)), (0, 0, 255))).max() <= 2
    image_output.save_image(read, tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as again:
        named = ImageCms.ImageCmsProfile(io.BytesIO(again.info["icc_profile"]))
        assert "sRGB" in ImageCms.getProfileDescription(named)
    image.save(tmp_path / "broken.png", icc_profile=b"not a profile")
    assert image_files.read_rgb(tmp_path / "broken.png").getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "1", "I;16", "RGB"])
@pytest.mark.parametrize("ending", image_output.FORMATS)
def test_every_mode_and_format(net, picture, tmp_path, mode, ending):
    image = picture.convert(mode) if mode != "I;16" else deep(picture)
    try:
        image.save(tmp_path / f"in{ending}", format=image_output.FORMATS[ending])
    except (OSError, ValueError):
        pytest.skip(f"{image_output.FORMATS[ending]} does not hold {mode}")
    assert not colorize_files([tmp_path / f"in{ending}"], None, net, size=64)
    with Image.open(tmp_path / f"in-coloured{ending}") as made:
        assert made.size == (64, 48) and made.mode == "RGB"
        luma = np.asarray(made, float) @ [0.299, 0.587, 0.114]
    with Image.open(tmp_path / f"in{ending}") as image:
        given = picture if image.mode.startswith("I") else image.convert("RGB")
        given = np.asarray(given.convert("L"), float)
    assert np.abs(luma - given).mean() < 2


def deep(picture):
    return Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)


def test_a_file_that_claims_too_much_is_refused_before_it_is_decoded(tmp_path, net):
    header = b"P5 60000 60000 255\n"
    (tmp_path / "bomb.ppm").write_bytes(header + bytes(100))
    Image.new("L", (16000, 12000)).save(tmp_path / "bomb.png")  # 190 KB
    for name in ("bomb.ppm", "bomb.png"):
        failed = colorize_files([tmp_path / name], tmp_path / "out.png", net, size=64)
        assert len(failed) == 1 and name in failed[0] and not (tmp_path / "out.png").exists()


def test_outputs_of_files_and_folders(tmp_path):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    for name in ("a.png", "b.gif", "sub/c.JPG", "a-coloured.png", "notes.txt"):
        (tmp_path / "in" / name).write_bytes(b"")
    folder, out = tmp_path / "in", tmp_path / "out"
    made = {i.name: o.relative_to(tmp_path).as_posix() for i, o in outputs([folder], out, [])}
    assert made == {"a.png": "out/a.png", "b.gif": "out/b.png", "c.JPG": "out/sub/c.JPG"}
    made = {i.name: o.relative_to(tmp_path).as_posix() for i, o in outputs([folder], None, [])}
    assert made["b.gif"] == "in/b-coloured.png" and made["c.JPG"] == "in/sub/c-coloured.JPG"
    one = list(outputs([folder / "a.png"], tmp_path / "new.jpg", []))
    assert one == [(folder / "a.png", tmp_path / "new.jpg")]
    for wrong in ([folder], [folder / "a.png", folder / "b.gif"]):
        with pytest.raises(ValueError, match="expected a folder"):
            list(outputs(wrong, tmp_path / "new.jpg", []))
    with pytest.raises(ValueError, match="expected a folder, or a name"):
        list(outputs([folder / "a.png"], tmp_path / "new.bmp", []))


def test_what_was_made_before_is_not_coloured_again(net, picture, tmp_path, says):
    picture.save(tmp_path / "a.png")
    out = tmp_path / "out"
    assert not colorize_files([tmp_path], out, net, size=64)
    with says("passed over 1 photographs"):
        assert not colorize_files([tmp_path], out, net, size=64)
    assert not colorize_files([tmp_path], out, net, size=64, force=True)
    assert [f.relative_to(out) for f in out.rglob("*") if f.is_file()] == [Path("a.png")]


def test_every_failure_names_its_photograph_and_a_wrong_setting_is_said_once(
    net, picture, tmp_path
):
    picture.save(tmp_path / "a.png")
    Image.new("L", (70_000, 1)).save(tmp_path / "wide.png")
    (wide,) = colorize_files([tmp_path / "wide.png"], tmp_path / "wide.jpg", net, size=32)
    assert "wide" in wide and "JPEG cannot hold this image" in wide
    for vividness, size in ((2.0, 64), (0.5, 8)):
        with pytest.raises(ValueError, match=r"vividness|size"):
            colorize_files([tmp_path / "a.png"] * 3, None, net, vividness=vividness, size=size)


def test_one_bad_photograph_does_not_stop_the_others(net, picture, tmp_path):
    for name in ("a.png", "z.png", "z.webp"):
        picture.save(tmp_path / name)
    (tmp_path / "bad.png").write_bytes((tmp_path / "a.png").read_bytes()[:500])
    inputs = [tmp_path / name for name in ("a.png", "bad.png", "nowhere.png", "z.png")]
    (tmp_path / "empty").mkdir()
    failed = colorize_files([tmp_path / "empty", *inputs], tmp_path / "out", net, size=64)
    assert len(failed) == 3 and "empty: no images found" in failed[0]
    assert "bad.png: not a readable image" in failed[1] and "nowhere.png" in failed[2]
    assert sorted(f.name for f in (tmp_path / "out").iterdir()) == ["a.png", "z.png"]
    (again,) = colorize_files([tmp_path / "a.png"], tmp_path / "out", net, size=64)
    assert "--force" in again
    (itself,) = colorize_files([tmp_path / "a.png"], tmp_path, net, size=64, force=True)
    assert "would be written over" in itself
    twice = [tmp_path / "out" / "a.png", tmp_path / "a.png"]
    (second,) = colorize_files(twice, tmp_path / "new", net, size=64, force=True)
    assert "just been made" in second
