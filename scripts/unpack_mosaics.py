"""Make the photograph arrays of a data root from mosaics that were copied there in parts.

    python scripts/unpack_mosaics.py FOLDER DATA_ROOT

FOLDER holds mosaics NAME-000.avif, NAME-001.avif, ... (rows of square tiles, NAME ending in the
tiles' side: train96) and counts.json, how many tiles of each name count. Each mosaic is decoded
once, into DATA_ROOT/mosaics; a name whose tiles are complete becomes DATA_ROOT/photos/NAME.npy.
"""

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image


def decode(source: Path, target: Path) -> None:
    """Write the tiles of one mosaic, row by row, as uint8 (N, side, side, 3)."""
    side = int(source.stem[-6:-4])
    pixels = np.asarray(Image.open(source).convert("RGB"))
    rows, columns = (length // side for length in pixels.shape[:2])
    tiles = pixels.reshape(rows, side, columns, side, 3).transpose(0, 2, 1, 3, 4)
    np.save(target, tiles.reshape(-1, side, side, 3))


def main(folder: Path, root: Path) -> None:
    counts = json.loads((folder / "counts.json").read_text(encoding="utf-8"))
    decoded, mosaics = root / "mosaics", sorted(folder.glob("*-*.*"))
    for place in (decoded, root / "photos"):
        place.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor() as pool:
        list(pool.map(decode, mosaics, [decoded / f"{file.stem}.npy" for file in mosaics]))
    for name, count in counts.items():
        parts = [np.load(file, mmap_mode="r") for file in sorted(decoded.glob(f"{name}-*.npy"))]
        found = sum(map(len, parts))
        print(f"{name}: {found:,} of {count:,} photographs")
        if found >= count:
            np.save(root / "photos" / f"{name}.npy", np.concatenate(parts)[:count])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
