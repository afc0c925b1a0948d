"""Image files, written whole, with the EXIF, resolution and profile that came with the pixels."""

from pathlib import Path

from PIL import Image

from colorlib import paths

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
FORMATS |= {".tif": "TIFF", ".tiff": "TIFF"}  # what is written
OPTIONS = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
    "TIFF": {"compression": "tiff_lzw"},
}


def save_image(image: Image.Image, path: str | Path, force: bool = False) -> None:
    """Write a Pillow image, and the "exif", "dpi" and "icc_profile" of its `info`, as a whole file.

    The name's ending chooses PNG, JPEG, TIFF or WebP. Raises ValueError for another ending, for a
    file that is there already (without `force`), and for what the format cannot hold.
    """
    path = Path(path)
    check_target(path, force)
    kind = FORMATS[path.suffix.lower()]
    beside = {k: image.info[k] for k in ("exif", "dpi", "icc_profile") if image.info.get(k)}
    if kind == "WEBP" and "dpi" in beside:  # which has no other place for it
        beside["exif"] = _with_resolution(beside.get("exif"), beside.pop("dpi"))
    with paths.replacing(path) as part:
        try:
            image.save(part, format=kind, **OPTIONS.get(kind, {}), **beside)
        except (ValueError, OverflowError, SystemError, OSError) as error:
            if getattr(error, "errno", None):  # the disk's doing, not the format's
                raise
            raise ValueError(f"{path}: {kind} cannot hold this image ({error})") from error


def check_target(path: Path, force: bool = False) -> None:
    """ValueError where `save_image` would not write to `path`."""
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"{path}: wanted a name ending in {', '.join(FORMATS)}")
    if path.is_dir():
        raise ValueError(f"{path} is a folder; wanted the name of a file")
    if path.exists() and not force:
        raise ValueError(f"{path} is there already; --force overwrites it")


def _with_resolution(block: bytes | None, dpi: tuple[float, float]) -> bytes:
    """The EXIF block with pixels an inch, across and down."""
    exif = Image.Exif()
    exif.load(block)
    exif[0x011A], exif[0x011B], exif[0x0128] = *dpi, 2
    return exif.tobytes()
