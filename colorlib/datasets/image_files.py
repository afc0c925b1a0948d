"""Image files of any kind: read upright as 8-bit sRGB."""

import io
import math
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
LARGEST = 160_000_000  # pixels; a file that claims more is refused before it is decoded
STALE = (0x0112, 0x0201, 0x0202)  # EXIF tags: orientation; the thumbnail's place and length
BLOCKS = (0x8769, 0x8825)  # of the camera's settings, of the place
# description, make, model, resolution and its unit, software, date, artist, copyright
DESCRIBING = (0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B, 0x8298)
DESCRIBING += BLOCKS


def read_rgb(path: str | Path) -> Image.Image:
    """An image file of any mode (grey, palette, alpha, CMYK, 16 bit) as upright 8-bit sRGB.

    Alpha is laid over white, an ICC profile applied. The image's `info` keeps "exif" (without the
    orientation), "dpi" and "icc_profile" (then sRGB's) where the file had them. Raises ValueError
    that names a file which cannot be decoded, whole, or that is larger than `LARGEST`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a large image, or of odd tags
            with Image.open(path) as image:
                if image.width * image.height > LARGEST:
                    raise ValueError(
                        f"{image.width} x {image.height} pixels; at most "
                        f"{LARGEST // 10**6} million are taken"
                    )
                image.load()
                return to_rgb(image)
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except Exception as error:  # decoders raise nearly anything at a damaged file
        raise ValueError(f"{path}: not a readable image ({error})") from error


def to_rgb(image: Image.Image) -> Image.Image:
    """A Pillow image of any mode as upright 8-bit sRGB; see `read_rgb`."""
    profile, kept = image.info.get("icc_profile"), {"exif": _exif(image), "dpi": _dpi(image)}
    image = _upright(image)
    if image.mode.startswith("I"):  # Pillow's own conversion clips 16 bits at 255
        image = _eight_bits(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    if profile:
        image, kept["icc_profile"] = _to_srgb(image, profile)
    image = image.convert("RGB")
    image.info = {key: value for key, value in kept.items() if value}
    return image


def images_in(folder: Path, but: str | None = None, outside: Path | None = None) -> list[Path]:
    """The image files in a folder and below, sorted; none whose stem ends with `but`.

    outside: a folder below it that is left out. Raises ValueError where there are none.
    """
    found = sorted(f for f in folder.rglob("*") if f.suffix.lower() in SUFFIXES and f.is_file())
    found = [f for f in found if but is None or not f.stem.endswith(but)]
    found = [f for f in found if outside is None or outside.resolve() not in f.resolve().parents]
    if not found:
        raise ValueError(f"{folder}: no images found, wanted files ending in {sorted(SUFFIXES)}")
    return found


def square(image: Image.Image, size: int) -> np.ndarray:
    """The central square of a Pillow image, scaled to uint8 (size, size, 3)."""
    return np.asarray(ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS))


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a damaged EXIF block says nothing of the pixels
        return image


def _eight_bits(image: Image.Image) -> Image.Image:
    """An image of whole numbers up to 65535 as 8 bits, a strip at a time."""
    deep = np.asarray(image)
    flat = np.empty(deep.shape, np.uint8)
    for start in range(0, len(deep), 256):
        rows = deep[start : start + 256].astype(np.int64).clip(0, 65535)
        flat[start : start + 256] = (rows + 128) // 257
    return Image.fromarray(flat)


def _exif(image: Image.Image) -> bytes | None:
    """The EXIF block without what no longer holds: orientation, and a thumbnail without colours.

    Of a TIFF, whose tags say as well how its pixels are laid out, those that describe the picture.
    """
    try:
        found, kept = image.getexif(), Image.Exif()
        for tag in found:
            if tag in DESCRIBING or (image.format != "TIFF" and tag not in STALE):
                block = found.get_ifd(tag) if tag in BLOCKS else None
                kept[tag] = block or found[tag]
        return kept.tobytes() if len(kept) else None
    except Exception:
        return None


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    try:
        across, down = (float(x) for x in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if all(0 < x < math.inf for x in (across, down)) else None


def _to_srgb(image: Image.Image, profile: bytes) -> tuple[Image.Image, bytes | None]:
    """The image's colours in sRGB, and the profile that says so; as it is where that fails."""
    wanted = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    image = image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")
    try:
        image = ImageCms.profileToProfile(
            image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), wanted, outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):  # broken, or of another kind of image
        return image, None
    return image, wanted.tobytes()
