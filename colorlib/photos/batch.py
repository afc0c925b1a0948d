"""Many photographs, file to file: which output each input gets, and none lost to a bad one."""

import logging
import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tqdm import tqdm

from colorlib.datasets.image_files import images_in
from colorlib.photos.colorize_photo import Model, check_setting, colorize_photo
from colorlib.photos.image_output import FORMATS, check_target, save_image

log = logging.getLogger(__name__)
ADDED = "-coloured"  # to a name that is not chosen
INPUT = "is to be coloured too, and would be written over; name another folder with -o"
MADE = "has just been made from another photograph; colour it in another call, with another -o"


def real(path: Path) -> Path:
    """Where a path leads: as `Path.resolve`, which raises RuntimeError at a loop of links."""
    return Path(os.path.realpath(path))


def outputs(inputs: list[Path], output: Path | None, failed: list[str]) -> list[tuple[Path, Path]]:
    """Each photograph of `inputs`, files and folders, with the file that it becomes.

    output: a file name for a single photograph; else a folder, in which a folder's own subfolders
    are kept, and which is not read where it lies below one of the inputs; None: beside the
    photograph, as NAME-coloured. Raises ValueError where that cannot be. failed: takes a sentence
    for each folder without photographs.
    """
    named = output is not None and output.suffix and not output.is_dir()
    single = named and output.suffix.lower() in FORMATS
    if named and not single:
        raise ValueError(f"{output}: expected a folder, or a name ending in {', '.join(FORMATS)}")
    if single and (len(inputs) != 1 or inputs[0].is_dir()):
        raise ValueError(f"-o {output}: one file for several photographs; expected a folder")
    pairs = []
    for place in inputs:
        below = output is not None and real(place) in real(output).parents
        try:
            files = _photographs(place, output if below else None) if place.is_dir() else [place]
        except (ValueError, OSError) as error:
            failed.append(str(error))
            continue
        for file in files:
            ending = file.suffix if file.suffix.lower() in FORMATS else ".png"
            target = file.with_name(f"{file.stem}{ADDED}{ending}")
            if single:
                target = output
            elif output is not None:
                inside = file.relative_to(place if place.is_dir() else place.parent)
                target = (output / inside).with_suffix(ending)
            pairs.append((file, target))
    uses = Counter(target for _, target in pairs)
    for number, (source, target) in enumerate(pairs):
        if uses[target] > 1 and source.suffix != target.suffix:  # a.gif-coloured.png, for a.png's
            name = f"{source.name}{target.stem[len(source.stem) :]}{target.suffix}"
            pairs[number] = source, target.with_name(name)
    return pairs


def _photographs(folder: Path, outside: Path | None) -> list[Path]:
    """The images of a folder but those that were made of others of them before."""
    files = images_in(folder, outside)
    names = {*files, *(file.with_suffix("") for file in files)}
    ours = [file for file in files if file.stem.endswith(ADDED)]
    made = {file for file in ours if file.with_name(file.stem.removesuffix(ADDED)) in names}
    if made:
        about = f"left out {len(made)} files that end in {ADDED}, made of others here"
        log.warning("%s: %s", folder, about)
    return [file for file in files if file not in made]


def colorize_files(
    inputs: Iterable[str | Path],
    output: Path | None,
    model: Model,
    force: bool = False,
    **options: object,
) -> list[str]:
    """Colour every photograph of `inputs`; return a sentence for each that could not be.

    options: of `colorize_photo`; ValueError at once where they are wrong. Without `force` no file
    is written over: a named photograph is then refused, one of a folder passed over, so that a
    second run colours what is new. No file is written twice, and none that is to be coloured.
    """
    check_setting(**options)
    failed, before = [], 0
    inputs = [Path(place).expanduser() for place in inputs]
    pairs = outputs(inputs, output and output.expanduser(), failed)
    taken = {real(source): INPUT for source, _ in pairs}
    bar = tqdm(pairs, "colouring", unit=" photographs", disable=None if len(pairs) > 1 else True)
    for source, target in bar:
        try:
            if real(target) in taken:
                raise ValueError(f"{source}: {target} {taken[real(target)]}")
            if target.exists() and not force and source not in inputs:
                before += 1
                continue
            check_target(target, force)
            colored = colorize_photo(source, model, **options)
            save_image(colored, target, force)
            taken[real(target)] = MADE
            unused = " (the photograph's own colours are not used)"
            with suppress(BrokenPipeError):  # `| head` has read enough; the others are made too
                bar.write(f"{target}{unused if colored.info['own_colors'] else ''}")
        except (ValueError, OSError, MemoryError, RuntimeError) as error:  # torch's lack of memory
            said = str(error) or type(error).__name__
            failed.append(said if str(source) in said else f"{source}: {said}")
    if before:
        about = f"passed over {before} photographs that have been coloured before"
        log.warning("%s; --force colours them again", about)
    return failed
