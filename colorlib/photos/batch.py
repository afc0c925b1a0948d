"""Many photographs, file to file: which output each input gets, and none lost to a bad one."""

from collections.abc import Iterator
from pathlib import Path

from colorlib.datasets.image_files import images_in
from colorlib.photos.image_output import FORMATS, check_target, save_image

ADDED = "-coloured"  # to a name that is not chosen


def outputs(
    inputs: list[Path], output: Path | None, failed: list[str]
) -> Iterator[tuple[Path, Path]]:
    """Each photograph of `inputs`, files and folders, with the file that it becomes.

    output: a file name for a single photograph; else a folder, in which a folder's own subfolders
    are kept, and which is not read where it lies below one of the inputs; None: beside the
    photograph, as NAME-coloured. Raises ValueError where that cannot be. failed: takes a sentence
    for each folder without photographs.
    """
    single = output is not None and output.suffix.lower() in FORMATS and not output.is_dir()
    if single and (len(inputs) != 1 or inputs[0].is_dir()):
        raise ValueError(f"-o {output}: one file for several photographs; wanted a folder")
    if output is not None and not single and output.suffix and not output.is_dir():
        raise ValueError(f"{output}: wanted a folder, or a name ending in {', '.join(FORMATS)}")
    for place in inputs:
        below = output is not None and place.resolve() in output.resolve().parents
        made = output if below else None
        try:
            files = images_in(place, ADDED, made) if place.is_dir() else [place]
        except (ValueError, OSError) as error:
            failed.append(str(error))
            continue
        for file in files:
            ending = file.suffix if file.suffix.lower() in FORMATS else ".png"
            if single:
                yield file, output
            elif output is None:
                yield file, file.with_name(f"{file.stem}{ADDED}{ending}")
            else:
                inside = file.relative_to(place) if place.is_dir() else Path(file.name)
                yield file, (output / inside).with_suffix(ending)


def colorize_files(inputs, output, model, force=False, **options) -> list[str]:
    """Colour every photograph of `inputs`; return a sentence for each that could not be.

    options: of `colorize_photo`. A file that is there is not written over without `force`; none is
    written twice. Raises ValueError at once where the setting is wrong for all of them.
    """
    from tqdm import tqdm

    from colorlib.photos.colorize_photo import check_setting, colorize_photo

    check_setting(**options)
    failed, written = [], set()
    pairs = list(outputs(inputs, output, failed))
    bar = tqdm(pairs, "colouring", unit=" photographs", disable=None if len(pairs) > 1 else True)
    for source, target in bar:
        try:
            if target.resolve() in written:
                raise ValueError(f"{source}: {target} has just been made from another photograph")
            if target.resolve() == source.resolve():
                raise ValueError(f"{source}: would be written over by its own colours")
            check_target(target, force)
            save_image(colorize_photo(source, model, **options), target, force)
        except (ValueError, OSError, MemoryError, RuntimeError) as error:  # torch's lack of memory
            said = str(error) or type(error).__name__
            failed.append(said if str(source) in said else f"{source}: {said}")
            continue
        written.add(target.resolve())
        bar.write(str(target))
    return failed
