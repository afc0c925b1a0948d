"""What comes beside the pixels: it is kept or named, and never decides whether they are written."""

import time

import numpy as np
import pytest
from conftest import REPOSITORY
from PIL import Image, ImageCms

from colorlib.datasets.image_files import read_rgb
from colorlib.photos.image_output import BESIDE, save_image

CAMERA, PLACE, INTEROPERABILITY = 0x8769, 0x8825, 0xA005
ENDINGS = (".png", ".jpg", ".webp", ".tif")
ARTIST = "José Ångström".encode()
LAYOUT = {*range(0x00FE, 0x0108), 0x0111, *range(0x0115, 0x0119), 0x011C, 0x013D, 0x8773}


def test_the_docs_name_what_is_kept():
    page = (REPOSITORY / "docs" / "your-images.md").read_text(encoding="utf-8")
    sentence = page.partition("The picture keeps")[2].partition(".")[0].replace("\n", " ")
    assert all(word in sentence for word in BESIDE.values())


def full_exif() -> bytes:
    """An EXIF block as cameras write it, of a picture lying on its side."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112], exif[0x0100], exif[0x0101] = "a camera", 6, 48, 32
    exif[0x013B], exif[0x8298], exif[0x0132] = ARTIST, "© 1999".encode(), "1999:01:01 00:00:00"
    exif[0x011A], exif[0x011B], exif[0x0128] = 300, 300, 2
    camera = {0x829A: 0.004, 0x9000: b"0232", 0xA002: 48, 0xA003: 32, 0xA434: "Läns".encode()}
    camera |= {0x927C: b"notes of the maker", INTEROPERABILITY: {1: "R98", 2: b"0100"}}
    exif.get_ifd(CAMERA).update(camera)
    exif.get_ifd(PLACE).update({1: "N", 2: (52.0, 31.0, 12.5), 3: "E", 4: (13.0, 24.0, 36.0)})
    return exif.tobytes()


def fields(path):
    """Every EXIF field of a file: (those of the picture, of the camera, of the place)."""
    with Image.open(path) as image:
        exif = image.getexif()
        camera = dict(exif.get_ifd(CAMERA))
        if INTEROPERABILITY in camera:
            camera[INTEROPERABILITY] = dict(exif.get_ifd(INTEROPERABILITY))
        place = dict(exif.get_ifd(PLACE).items())
        own = {k: v for k, v in exif.items() if k not in LAYOUT | {CAMERA, PLACE, 0x0112}}
        return own, camera, place


@pytest.fixture
def photograph(images, tmp_path):
    """A function: a JPEG file of 48 x 32 with these options."""

    def photograph(name="in.jpg", **options):
        image = Image.fromarray(images[0][:, :32]).resize((48, 32))
        image.save(tmp_path / name, quality=95, **options)
        return tmp_path / name

    return photograph


@pytest.mark.parametrize("between", ENDINGS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_every_field_survives_every_pair_of_formats(photograph, tmp_path, between, ending):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    source = photograph(exif=full_exif(), icc_profile=profile, dpi=(300, 300))
    first, second = tmp_path / f"first{between}", tmp_path / f"second{ending}"
    save_image(read_rgb(source), first)
    save_image(read_rgb(first), second)
    (expected, camera, place), (own, found, where) = fields(source), fields(second)
    for tag, value in expected.items():
        same = (
            float(value) == pytest.approx(float(own[tag]), rel=1e-5)
            if tag in (0x011A, 0x011B)
            else value == own[tag]
        )
        assert same, hex(tag)
    assert own[0x013B].encode("latin-1") == ARTIST
    camera |= {0xA002: 32, 0xA003: 48}  # it stands upright now
    assert {key: found[key] for key in camera} == camera and where == place
    with Image.open(second) as image:
        assert image.size == (32, 48) and image.getexif().get(0x0112, 1) == 1
        assert image.info["icc_profile"]
        dpi = image.info.get("dpi", [image.getexif().get(tag) for tag in (0x011A, 0x011B)])
        assert np.allclose([float(x) for x in dpi], 300, atol=0.01)


def test_a_picture_is_written_whatever_comes_beside_it(photograph, tmp_path, says):
    image = read_rgb(photograph())
    image.info = {"exif": b"Exif\0\0" + bytes(70_000), "dpi": (1e9, 1e9), "left_out": ["XMP"]}
    for ending in ENDINGS:
        with says(r"not kept: .*XMP"):
            save_image(image, tmp_path / f"out{ending}")
        assert Image.open(tmp_path / f"out{ending}").size == (48, 32)
    image.info = {"exif": full_exif() + bytes(70_000)}  # more than a JPEG holds
    with says(r"long\.jpg: not kept: EXIF"):
        save_image(image, tmp_path / "long.jpg")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_full_disk_leaves_the_file_that_was_there(photograph, tmp_path, full_disk, ending):
    image, target = read_rgb(photograph(exif=full_exif())), tmp_path / f"out{ending}"
    save_image(image, target)
    whole = target.read_bytes()
    for size in (0, 100, len(whole) // 2, len(whole) - 1):  # in the pixels, or before what follows
        with full_disk(size), pytest.raises(OSError, match="too large"):
            save_image(image, target, force=True)
        assert target.read_bytes() == whole
    assert {file.name for file in tmp_path.iterdir()} == {"in.jpg", target.name}


def test_what_is_not_kept_is_named(photograph, tmp_path, says):
    source = photograph(comment=b"a comment", xmp=b"<x:xmpmeta/>")
    with says(r"out\.png: not kept: XMP, comment"):
        save_image(read_rgb(source), tmp_path / "out.png")


def test_the_same_photograph_makes_the_same_file(photograph, tmp_path, monkeypatch):
    """littleCMS writes the time into a profile."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    source = photograph(icc_profile=profile)
    save_image(read_rgb(source), tmp_path / "first.png")
    made = read_rgb(source).info["icc_profile"]
    time.sleep(1.1)
    from colorlib.datasets import image_files

    image_files._srgb.cache_clear()
    assert read_rgb(source).info["icc_profile"] == made
