"""Image files of any kind: read upright as 8-bit sRGB."""

import io
import logging
import math
import os
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError, features

log = logging.getLogger(__name__)
# What is opened, by content. Pillow knows more formats; some of them start other programs (EPS).
FORMATS = ("PNG", "JPEG", "MPO", "TIFF", "WEBP", "AVIF", "BMP", "GIF", "JPEG2000", "PPM")
NAMELESS = {".tga"}  # has no signature, so that only a file's name can say it
SUFFIXES = {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".tif", ".tiff", ".webp"}
SUFFIXES |= {".avif", ".bmp", ".gif", ".jp2", ".j2k", ".jpx", ".pbm", ".pgm", ".ppm", ".pnm"}
SUFFIXES |= {".pfm"} | NAMELESS
# Pictures that are not read, by suffix and by the first bytes of the file
UNREAD = {".heic", ".heif", ".hif", ".jxl", ".psd", ".svg", ".eps", ".pdf", ".ico", ".dng", ".cr2"}
UNREAD |= {".cr3", ".nef", ".arw", ".orf", ".raf", ".rw2"}
SIGNATURES = {b"\xff\x0a": "JPEG XL", b"\0\0\0\x0cJXL ": "JPEG XL", b"8BPS": "Photoshop"}
SIGNATURES |= {b"%!PS": "EPS", b"\xc5\xd0\xd3\xc6": "EPS", b"%PDF": "PDF", b"<svg": "SVG"}
BRANDS = {b"avif": "AVIF (before Pillow 11.3)", b"crx ": "Canon raw"}  # else HEIC
INSTEAD = "save such pictures as JPEG, PNG or TIFF first"
LARGEST = 160_000_000  # pixels; a file that claims more is refused before it is decoded

STALE = (0x0112, 0x0201, 0x0202)  # EXIF tags: orientation; the thumbnail's place and length
BLOCKS = (0x8769, 0x8825)  # of the camera's settings, of the place
INTEROPERABILITY = 0xA005  # a block within that of the camera's settings
# Tags that describe a picture: document, description, make, model, resolution, page, its unit,
# software, date, artist, computer, rating, copyright, and Windows's title to subject
DESCRIBING = {0x010D, 0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x011D, 0x0128, 0x0131, 0x0132}
DESCRIBING |= {0x013B, 0x013C, 0x4746, 0x8298, *range(0x9C9B, 0x9CA0), *BLOCKS}
TIFF_NAMES = {0x02BC: "XMP", 0x83BB: "IPTC", 0x8649: "Photoshop data"}
INFO_NAMES = {"xmp": "XMP", "XML:com.adobe.xmp": "XMP", "comment": "comment"}
INFO_NAMES |= {"photoshop": "Photoshop data"}
PROFILE_TAG = 0x8773


def read_rgb(path: str | Path | BinaryIO) -> Image.Image:
    """An image file of any mode (grey, palette, alpha, CMYK, 16 bit) as upright 8-bit sRGB.

    path: a file's name, or an open binary file. Alpha is laid over white, an ICC profile applied.
    The image's `info` keeps "exif" (of the upright image), "dpi" and "icc_profile" (then sRGB's);
    "left_out" names what else the file had. Logs a warning of further pages, of a profile that does
    not apply, and of 16-bit files with values of 8 or 12 bits. Raises ValueError that names a file
    which cannot be decoded, whose range of values is unknown, or that is larger than `LARGEST`.
    """
    if isinstance(path, str | Path):
        path = Path(path).expanduser()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a large image, or of odd tags
            with _open(path) as image:
                notes = _check(image)
                with suppress(Exception):  # damaged EXIF; read later, when a TIFF is closed
                    image.getexif().get_ifd(INTEROPERABILITY)
                image.load()
                return to_rgb(image, path, notes)
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except Exception as error:  # decoders raise nearly anything at a damaged file
        raise ValueError(f"{path}: not a readable image ({error})") from error


def to_rgb(image: Image.Image, name: object = "image", notes: Iterable[str] = ()) -> Image.Image:
    """A Pillow image of any mode as upright 8-bit sRGB, see `read_rgb`; logs what is to be said.

    name: what the log calls the image. notes: what else it says.
    """
    source, notes, alpha = image, [*notes], None
    profile, kept = image.info.get("icc_profile"), {"dpi": _dpi(image)}
    with suppress(Exception):  # a damaged EXIF block says nothing of the pixels
        image = ImageOps.exif_transpose(image)
    if image.mode[0] in "IF":  # Pillow's own conversion clips at 255
        image, bits = _eight_bits(image, source)
        notes += bits
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha, image = image.getchannel("A"), image.convert("RGB")
    if profile:
        image, kept["icc_profile"] = _to_srgb(image, profile)
        if not kept["icc_profile"]:
            notes.append("its colour profile does not apply to its pixels, and is ignored")
    image = image.convert("RGB")
    if alpha:
        image = Image.composite(image, Image.new("RGB", image.size, "white"), alpha)
    kept["exif"], kept["left_out"] = _exif(source, image.size, bool(kept.get("icc_profile")))
    image.info = {key: value for key, value in kept.items() if value}
    for note in notes:
        log.warning("%s: %s", name, note)
    return image


def images_in(folder: Path, outside: Path | None = None) -> list[Path]:
    """The image files in a folder and below, sorted; not those of hidden or `__MACOSX` folders.

    outside: a folder below it that is left out. Logs how many pictures are in formats that are not
    read. Raises ValueError where there are no images.
    """
    found, unread = [], []
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        if any(part.startswith(".") or part == "__MACOSX" for part in parts):
            continue  # `._a.jpg` is what macOS knows of a.jpg, not a picture
        if file.suffix.lower() not in SUFFIXES | UNREAD or not file.is_file():
            continue
        if outside is None or Path(os.path.realpath(outside)) not in file.resolve().parents:
            (found if file.suffix.lower() in SUFFIXES else unread).append(file)
    if unread:
        kinds = Counter(file.suffix.lower() for file in unread)
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in sorted(kinds.items()))
        log.warning("%s: left out %s; %s", folder, kinds, INSTEAD)
    if not found:
        raise ValueError(f"{folder}: no images found, expected files ending in {sorted(SUFFIXES)}")
    return found


def _open(file: Path | BinaryIO) -> Image.Image:
    Image.init()
    formats = [name for name in FORMATS if name in Image.OPEN]  # AVIF came with Pillow 11.3
    if isinstance(file, Path) and file.suffix.lower() in NAMELESS:
        formats += ["TGA"]
    try:
        return Image.open(file, formats=formats)
    except UnidentifiedImageError:
        with file.open("rb") if isinstance(file, Path) else nullcontext(file) as opened:
            opened.seek(0)
            head = opened.read(16)
        kind = next((kind for start, kind in SIGNATURES.items() if head.startswith(start)), None)
        if head[4:8] == b"ftyp" and not (head[8:12] == b"avif" and features.check("avif")):
            kind = BRANDS.get(head[8:12], "HEIC")
        known = f"damaged, or none of {', '.join(formats)}"
        raise ValueError(f"{kind} is not supported; {INSTEAD}" if kind else known) from None


def _check(image: Image.Image) -> list[str]:
    """Notes on pages that are not read. Raises ValueError for what must not be decoded."""
    if image.width * image.height > LARGEST:
        raise ValueError(
            f"{image.width} x {image.height} pixels; at most {LARGEST // 10**6} million are taken"
        )
    if getattr(image, "tag_v2", {}).get(254, 0) & 1:
        raise ValueError(f"the file begins with a reduced preview, as raw files do; {INSTEAD}")
    try:
        pages = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    except Exception:  # a later page is damaged
        pages = "several"
    image.seek(0)
    return [] if pages == 1 else [f"has {pages} pages or frames; only the first is read"]


def _eight_bits(image: Image.Image, source: Image.Image) -> tuple[Image.Image, list[str]]:
    """An image of numbers beyond 8 bits as 8 bits, and what is to be said of it.

    source: the image as it was opened. Whole numbers are of 16 bits, or in a TIFF or an array of as
    few (8, 12) as hold them all; fractions go from 0 to 1. ValueError where the range is unknown.
    """
    deep, tags, notes = np.asarray(image), getattr(source, "tag_v2", {}), []
    low, high = deep.min(), deep.max()
    if image.mode == "F":
        whole = low >= 0 and 1 < high <= 255 and not (deep % 1).any()
        top, expected = 255 if whole else 1, "fractions from 0 to 1"
    elif source.format == "TIFF" and image.mode == "I":
        raise ValueError(f"32-bit or signed numbers of unknown range; {INSTEAD}, of 8 or 16 bits")
    else:
        top, expected = 65535, "whole numbers from 0 to 65535"
        if tags.get(258, (16,))[0] < 16:
            top = 2 ** tags[258][0] - 1
        elif source.format in (None, "TIFF") and 0 < high <= 4095:
            top = 255 if high <= 255 else 4095
            bits = top.bit_length()
            notes = [f"its 16 bits hold no value above {high}, so they are read as {bits} bits"]
    if not 0 <= low <= high <= top:  # nor NaN
        raise ValueError(f"values from {low:g} to {high:g}, expected {expected}")
    flat = np.empty(deep.shape, np.uint8)
    for start in range(0, len(deep), 256):
        flat[start : start + 256] = np.rint(deep[start : start + 256] * np.float32(255 / top))
    if tags.get(262) == 0:  # white is zero, which Pillow turns round for 8 bits only
        flat = 255 - flat
    return Image.fromarray(flat), notes


def _exif(image: Image.Image, size: tuple[int, int], srgb: bool) -> tuple[bytes | None, list[str]]:
    """The EXIF block of an upright image of `size`, without a thumbnail, and what is left out.

    Of a TIFF, whose tags say as well how its pixels are laid out, those that describe the picture.
    """
    left = {INFO_NAMES[key] for key in image.info if key in INFO_NAMES}
    left |= {key for key in getattr(image, "text", ()) if not key.startswith(("XML:", "Raw "))}
    now = {0x0100: size[0], 0x0101: size[1], 0xA002: size[0], 0xA003: size[1]}
    now |= {0xA001: 1} if srgb else {}
    block = None
    try:
        found = image.getexif()
        layout = {tag for tag in found if image.format == "TIFF" and tag not in DESCRIBING}
        for tag in layout - {PROFILE_TAG}:
            if tag in TIFF_NAMES or tag > 0x8000:
                left.add(TIFF_NAMES.get(tag, f"tag {tag}"))
        if len(found):
            block = copied_exif(found, now, without={*STALE, *layout}).tobytes()
    except Exception:
        left.add("EXIF, which is damaged")
    return block, sorted(left)


def copied_exif(
    found: Image.Exif, now: Mapping[int, int] | None = None, without: Collection[int] = ()
) -> Image.Exif:
    """EXIF as it can be written again: `now` replaces values, tags of `without` are left out."""

    def exact(fields: Mapping[int, object]) -> dict[int, object]:
        """Text as the bytes that Pillow read it from: it would write "?" for all beyond ASCII."""
        fields = {tag: (now or {}).get(tag, value) for tag, value in fields.items()}
        odd = {k: v for k, v in fields.items() if isinstance(v, str) and not v.isascii()}
        return fields | {tag: text.encode("latin-1") for tag, text in odd.items()}

    copy = Image.Exif()
    copy.update(exact({t: v for t, v in found.items() if t not in {*without, *BLOCKS}}))
    for tag in BLOCKS:
        if tag in found:
            block = found.get_ifd(tag)
            if INTEROPERABILITY in block:  # the place of a block within this one
                block = block | {INTEROPERABILITY: dict(found.get_ifd(INTEROPERABILITY))}
            copy[tag] = copy.get_ifd(tag)
            copy[tag].update(exact(block))
    return copy


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    with suppress(KeyError, TypeError, ValueError, ZeroDivisionError):
        across, down = (float(x) for x in image.info["dpi"])
        if 0 < across < math.inf and 0 < down < math.inf:
            return across, down
    return None


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    """sRGB's profile, always of the same bytes: littleCMS writes the time into it."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    made[24:36] = bytes((7, 208, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))  # the first of January 2000
    return ImageCms.ImageCmsProfile(io.BytesIO(bytes(made)))


def _to_srgb(image: Image.Image, profile: bytes) -> tuple[Image.Image, bytes | None]:
    """The image's colours in sRGB, and the profile that says so; as it is where that fails."""
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = given.profile.xcolor_space.strip()
        if image.mode != "CMYK":
            image = image if image.mode == "L" and space == "GRAY" else image.convert("RGB")
        # a profile of grey is applied to each channel
        bands = image.split() if space == "GRAY" and image.mode != "CMYK" else [image]
        bands = [ImageCms.profileToProfile(b, given, _srgb(), outputMode="RGB") for b in bands]
    except (ImageCms.PyCMSError, OSError, ValueError):  # broken, or of another kind of image
        return image, None
    if len(bands) > 1:
        bands = [Image.merge("RGB", [band.getchannel(0) for band in bands])]
    return bands[0], _srgb().tobytes()
