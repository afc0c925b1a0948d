"""Kinds of pixels, profiles and files: the right tones, or a sentence."""

import struct

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageCms, TiffImagePlugin, features

from colorlib.datasets.image_files import images_in, read_rgb, to_rgb
from colorlib.photos.batch import colorize_files

LEVELS = np.asarray(Image.fromarray(skimage.data.camera()).resize((64, 48)))


def tiff(array, path, photometric=1, bits=16, kind=1):
    """A TIFF of one strip, written by hand: Pillow writes few kinds."""
    body = array.tobytes()
    entries = [(256, 4, array.shape[1]), (257, 4, len(array)), (258, 3, bits), (259, 3, 1)]
    entries += [(262, 3, photometric), (273, 4, 8), (277, 3, 1), (279, 4, len(body))]
    entries += [(339, 3, kind)]
    packed = b"".join(struct.pack("<HHII", tag, type, 1, value) for tag, type, value in entries)
    start = struct.pack("<2sHI", b"II", 42, 8 + len(body))
    path.write_bytes(start + body + struct.pack("<H", len(entries)) + packed + bytes(4))
    return path


def read(path):
    return np.asarray(read_rgb(path))[..., 0].astype(int)


@pytest.mark.parametrize(
    "array, options",
    [
        (LEVELS.astype(np.uint16) * 257, {}),
        (65535 - LEVELS.astype(np.uint16) * 257, {"photometric": 0}),
        ((LEVELS / 255).astype(np.float32), {"bits": 32, "kind": 3}),
        ((1 - LEVELS / 255).astype(np.float32), {"bits": 32, "kind": 3, "photometric": 0}),
        (LEVELS.astype(np.float32), {"bits": 32, "kind": 3}),
    ],
)
def test_numbers_beyond_8_bits_are_scaled(tmp_path, array, options):
    assert np.abs(read(tiff(array, tmp_path / "deep.tif", **options)) - LEVELS).max() <= 1


@pytest.mark.parametrize("bits", [8, 12])
def test_fewer_bits_in_16_are_told_by_the_largest_value(tmp_path, bits, says):
    array = np.round(LEVELS / 255 * (2**bits - 1)).astype(np.uint16)
    with says(f"deep.tif: its 16 bits .* read as {bits} bits"):
        assert np.abs(read(tiff(array, tmp_path / "deep.tif")) - LEVELS).max() <= 1
    Image.fromarray(array).save(tmp_path / "dark.png")  # whose standard says that it is dark
    assert read(tmp_path / "dark.png").max() <= 15


@pytest.mark.parametrize(
    "array, options, said",
    [
        (np.where(LEVELS > 200, np.nan, LEVELS / 255).astype("f4"), {"kind": 3}, "values from nan"),
        ((LEVELS / 25).astype("f4"), {"kind": 3}, "to 9.*, expected fractions from 0 to 1"),
        ((LEVELS / 255 - 0.5).astype("f4"), {"kind": 3}, "expected fractions from 0 to 1"),
        (LEVELS.astype("u4") * 16843009, {}, "32-bit or signed"),
        (LEVELS.astype("i4"), {"kind": 2}, "32-bit or signed"),
        (LEVELS.astype("i2"), {"kind": 2, "bits": 16}, "32-bit or signed"),
    ],
)
def test_numbers_of_unknown_range_are_refused(tmp_path, array, options, said):
    path = tiff(array, tmp_path / "deep.tif", **{"bits": 32} | options)
    with pytest.raises(ValueError, match=rf"deep\.tif: .*{said}"):
        read_rgb(path)


def test_portable_float_maps_and_arrays(tmp_path):
    header = b"Pf\n64 48\n-1.0\n"
    (tmp_path / "a.pfm").write_bytes(header + (LEVELS / 255).astype("<f4")[::-1].tobytes())
    assert np.abs(read(tmp_path / "a.pfm") - LEVELS).max() <= 1
    fractions = Image.fromarray((LEVELS / 255).astype(np.float32))
    assert np.abs(np.asarray(to_rgb(fractions))[..., 0].astype(int) - LEVELS).max() <= 1
    with pytest.raises(ValueError, match="expected whole numbers from 0 to 65535"):
        to_rgb(Image.fromarray(LEVELS.astype(np.int32) - 100))


def profile(space: str, gamma: float) -> bytes:
    """An ICC profile made of sRGB's: its curves are a gamma, its space "RGB " or "GRAY"."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    curve = b"curv" + struct.pack(">IIH", 0, 1, round(gamma * 256)) + bytes(2)
    count = struct.unpack(">I", made[128:132])[0]
    tags = {}
    for i in range(count):
        name, at, size = struct.unpack(">4sII", made[132 + 12 * i : 144 + 12 * i])
        tags[name] = made[at : at + size]
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    if space == "GRAY":
        tags = {k: v for k, v in tags.items() if k[1:] not in (b"TRC", b"XYZ")} | {b"kTRC": curve}
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        at = 132 + 12 * len(tags) + len(body)
        table += struct.pack(">4sII", name, at, len(content))
        body += content + bytes(-len(content) % 4)
    whole = made[:16] + space.encode() + made[20:128] + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


@pytest.mark.parametrize("space", ["RGB ", "GRAY"])
@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_profile_counts_whatever_the_mode_of_the_file(tmp_path, space, mode):
    image = Image.fromarray(LEVELS)
    deep = Image.fromarray(LEVELS.astype(np.uint16) * 257)
    image = deep if mode == "I;16" else image.convert("RGB" if mode == "P" else mode)
    image = image.quantize(256) if mode == "P" else image
    image.save(tmp_path / "a.png", icc_profile=profile(space, 1.8))
    linear = (LEVELS / 255) ** 1.8
    expected = 255 * np.where(
        linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    assert np.abs(read(tmp_path / "a.png") - expected).mean() < 1
    assert read_rgb(tmp_path / "a.png").info["icc_profile"]


def test_a_profile_of_another_kind_is_ignored_and_said(tmp_path, says):
    image = Image.fromarray(LEVELS).convert("CMYK")
    image.save(tmp_path / "a.jpg", icc_profile=profile("RGB ", 1.0), quality=95)
    with says(r"a\.jpg: its colour profile does not apply"):
        assert np.abs(read(tmp_path / "a.jpg") - LEVELS).mean() < 3


def test_transparent_pixels_are_white_under_a_profile_too(tmp_path):
    image = Image.new("LA", (4, 4), (30, 0))
    image.save(tmp_path / "clear.png", icc_profile=profile("GRAY", 1.0))
    assert read(tmp_path / "clear.png").min() == 255


def test_no_photograph_starts_another_program(tmp_path, monkeypatch):
    """Pillow hands EPS to Ghostscript, whatever the file is called."""
    (tmp_path / "gs").write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    (tmp_path / "gs").chmod(0o755)
    head = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n%%EOF\n"
    (tmp_path / "photo.jpg").write_bytes(head)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="EPS is not supported"):
        read_rgb(tmp_path / "photo.jpg")
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    "head, said",
    [
        (b"\0\0\0\x18ftypheic", "HEIC is not supported; save such pictures as JPEG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL is not supported"),
        (b"\xff\x0a\xfa", "JPEG XL is not supported"),
        (b"", "damaged, or none of PNG"),
    ],
)
def test_a_format_that_is_not_read_is_named(tmp_path, head, said):
    (tmp_path / "a.jpg").write_bytes(head)
    with pytest.raises(ValueError, match=rf"a\.jpg: .*{said}"):
        read_rgb(tmp_path / "a.jpg")


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_a_damaged_avif_file_is_not_said_to_be_of_an_unknown_kind(tmp_path):
    (tmp_path / "a.avif").write_bytes(b"\0\0\0\x1cftypavif" + bytes(8))
    with pytest.raises(ValueError, match=r"a\.avif: .*damaged"):
        read_rgb(tmp_path / "a.avif")


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG"])
def test_further_pages_are_said(tmp_path, kind, says):
    pages = [Image.fromarray(LEVELS), Image.fromarray(LEVELS[::-1].copy())]
    pages[0].save(tmp_path / "pages", kind, save_all=True, append_images=pages[1:], lossless=True)
    with says("pages: has 2 pages or frames; only the first is read"):
        assert np.abs(read(tmp_path / "pages") - LEVELS).mean() < 2


def test_a_raw_file_is_not_taken_for_its_preview(tmp_path):
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[254] = 1
    Image.fromarray(LEVELS).save(tmp_path / "raw.tif", tiffinfo=info)
    with pytest.raises(ValueError, match="begins with a reduced preview"):
        read_rgb(tmp_path / "raw.tif")


def test_a_folder_says_what_it_leaves_out(tmp_path, net, says):
    names = ("a.png", "b.JPE", "c.jfif", "d.tga", "e.heic", "F.HEIC", "g.jxl", "notes.txt")
    for name in (*names, "._a.png", "__MACOSX/a.png", ".thumbnails/a.png", "sub/h.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"none")
    with says(r"left out 2 \.heic, 1 \.jxl; save such pictures as JPEG"):
        found = images_in(tmp_path)
    names = sorted(file.relative_to(tmp_path).as_posix() for file in found)
    assert names == ["a.png", "b.JPE", "c.jfif", "d.tga", "sub/h.png"]


def test_every_format_of_a_folder_is_coloured(tmp_path, net):
    image, folder = Image.fromarray(LEVELS), tmp_path / "in"
    folder.mkdir()
    names = ("a.avif", "b.jp2", "c.jfif", "d.JPE", "e.tga", "f.pgm", "g.webp", "h.bmp")
    kinds = {".avif": "AVIF", ".jp2": "JPEG2000", ".tga": "TGA", ".pgm": "PPM", ".jfif": "JPEG"}
    kinds |= {".JPE": "JPEG", ".webp": "WEBP", ".bmp": "BMP"}
    for name in names:
        image.convert("RGB").save(folder / name, kinds[name[1:]])
    assert not colorize_files([folder], tmp_path / "out", net, size=32)
    assert len(list((tmp_path / "out").iterdir())) == len(names)
