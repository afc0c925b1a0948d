"""Image files, written whole, with the EXIF, resolution and profile that came with the pixels."""

import io
import logging
from pathlib import Path

from PIL import Image

from colorlib import paths
from colorlib.datasets.image_files import BLOCKS, copied_exif

log = logging.getLogger(__name__)
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
FORMATS |= {".tif": "TIFF", ".tiff": "TIFF"}  # what is written
# PNG, TIFF and WebP keep every pixel; a JPEG of quality 100 its luma to 0.3 steps on average (of
# quality 95 to 1).
OPTIONS = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "WEBP": {"lossless": True, "quality": 30, "method": 1},
    "TIFF": {"compression": "tiff_lzw"},
}
BESIDE = {"exif": "EXIF", "dpi": "resolution", "icc_profile": "colour profile"}


def save_image(image: Image.Image, path: str | Path, force: bool = False) -> None:
    """Write a Pillow image, and the "exif", "dpi" and "icc_profile" of its `info`, as a whole file.

    The name's ending chooses PNG, JPEG, TIFF or WebP. Logs what is not kept: what the format cannot
    hold, and `info["left_out"]`. Raises ValueError for another ending, for a file that is there
    without `force`, and for pixels that the format cannot hold.
    """
    path = Path(path).expanduser()
    check_target(path, force)
    kind = FORMATS[path.suffix.lower()]
    beside = {key: image.info[key] for key in BESIDE if image.info.get(key)}
    # everything, else without one of the three, else the pixels alone
    for without in ((), *([key] for key in beside), [*beside]):
        try:
            body = encoded(image, kind, {k: v for k, v in beside.items() if k not in without})
            break
        except MemoryError:
            raise
        except Exception as error:  # Pillow raises nearly anything
            if len(without) == len(beside):
                raise ValueError(f"{path}: {kind} cannot hold this image ({error})") from error
    with paths.replacing(path) as part:
        part.write_bytes(body)
    left_out = [*image.info.get("left_out", ()), *(BESIDE[key] for key in without)]
    if left_out:
        log.warning("%s: not kept: %s", path, ", ".join(sorted(left_out)))


def encoded(image: Image.Image, kind: str, beside: dict) -> memoryview:
    """A file's content: the pixels and what is `beside` them, "exif", "dpi", "icc_profile".

    In memory, since Pillow's encoders do not see a full disk: a JPEG would only be cut off.
    """
    options = OPTIONS.get(kind, {}) | beside
    if (kind == "TIFF" and "exif" in beside) or (kind == "WEBP" and "dpi" in beside):
        loaded = Image.Exif()
        loaded.load(beside.get("exif"))
        exif = options["exif"] = copied_exif(loaded)
        if kind == "WEBP":  # which has no other place for the resolution
            exif[0x011A], exif[0x011B], exif[0x0128] = *beside["dpi"], 2
        elif any(tag in exif for tag in BLOCKS):  # which libtiff, that compresses, does not write
            options["compression"] = None
    body = io.BytesIO()
    image.save(body, format=kind, **options)
    return body.getbuffer()


def check_target(path: Path, force: bool = False) -> None:
    """ValueError where `save_image` would not write to `path`."""
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"{path}: expected a name ending in {', '.join(FORMATS)}")
    if path.is_dir():
        raise ValueError(f"{path} is a folder; expected the name of a file")
    if path.exists() and not force:
        raise ValueError(f"{path} is there already; --force overwrites it, -o takes another name")
