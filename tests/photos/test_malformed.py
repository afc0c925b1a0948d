"""Malformed files, truncated, flipped, emptied, wrongly named: a right picture, or a sentence."""

import io
import time
import warnings

import numpy as np
import pytest
from PIL import Image, ImageCms

from colorlib.datasets.image_files import SUFFIXES, read_rgb
from colorlib.photos.batch import colorize_files
from colorlib.photos.image_output import save_image

LUMA = [0.299, 0.587, 0.114]
PLAIN = ("1", "L", "P", "RGB", "CMYK")  # modes that Pillow alone converts rightly


def whole_files(picture):
    """The content of good files of every kind that is read."""
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    exif.get_ifd(0x8769).update({0x829A: 0.004, 0x9000: b"0232"})
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    grey = np.asarray(picture.convert("L"))
    deep = Image.fromarray(grey.astype(np.uint16) * 257), Image.fromarray(grey / np.float32(255))
    kinds = "PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "JPEG2000", "PPM", "TGA", "AVIF"
    for image in (*(picture.convert(mode) for mode in ("RGB", "L", "P", "CMYK", "RGBA")), *deep):
        for kind in kinds:
            for options in ({}, {"exif": exif.tobytes(), "icc_profile": profile, "dpi": (72, 72)}):
                body = io.BytesIO()
                try:
                    image.save(body, format=kind, **options)
                except (OSError, ValueError, RuntimeError, KeyError):
                    continue
                yield body.getvalue()


def damaged(body: bytes, random) -> bytes:
    body, damage = bytearray(body), random.integers(4)
    if damage == 0:
        body = body[: random.integers(len(body))]
    elif damage == 1:
        for at in random.integers(len(body), size=random.integers(1, 20)):
            body[at] ^= 1 << random.integers(8)
    elif damage == 2:
        start = random.integers(len(body))
        body[start : start + 50] = bytes(len(body[start : start + 50]))
    return bytes(body)  # else it is only named wrongly


def plainly(path):
    """Luma (H, W) as Pillow alone reads it; None where that is no reference."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as image:
            plain = image.mode in PLAIN and not image.has_transparency_data
            if not plain or "icc_profile" in image.info or image.getexif().get(0x0112, 1) != 1:
                return None
            return np.asarray(image.convert("RGB"), float) @ LUMA
    except Exception:
        return None


@pytest.mark.parametrize("count", [40, pytest.param(2000, marks=pytest.mark.full)])
@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif", ".webp"])
def test_a_right_picture_or_a_sentence(net, picture, tmp_path, ending, count):
    random = np.random.default_rng(0)
    whole, endings = list(whole_files(picture)), sorted(SUFFIXES)
    refused = compared = 0
    for i in random.permutation(count):
        source = tmp_path / f"in{endings[random.integers(len(endings))]}"
        source.write_bytes(damaged(whole[i % len(whole)], random))
        target, began = tmp_path / f"out{ending}", time.perf_counter()
        failed = colorize_files([source], target, net, size=32)
        assert time.perf_counter() - began < 20
        assert bool(failed) != target.exists()
        if failed:
            refused += 1
            assert len(failed) == 1 and source.name in failed[0]
        else:
            with Image.open(target) as made:
                luma, expected = np.asarray(made, float) @ LUMA, plainly(source)
            if expected is not None:
                compared += 1
                away = np.abs(luma - expected)
                assert away.mean() <= 1 and away.max() <= (4 if ending == ".jpg" else 1)
            target.unlink()
        source.unlink()
        assert not list(tmp_path.iterdir())
    assert count / 10 < refused < 0.9 * count and compared > count / 10


@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif", ".webp"])
def test_luma_survives_the_file(net, picture, tmp_path, ending):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    save_image(Image.fromarray(noise), tmp_path / f"noise{ending}")
    away = np.asarray(read_rgb(tmp_path / f"noise{ending}"), float) @ LUMA - noise @ LUMA
    assert np.abs(away).mean() < 0.5 and np.abs(away).max() <= (4 if ending == ".jpg" else 0)
