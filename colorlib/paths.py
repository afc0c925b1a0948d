"""Where things are: the three environment variables, read here and nowhere else.

COLORLIB_DATA     the data root (default: data/)
COLORLIB_OUT      the folder of figures/ and results/ (default: build/)
COLORLIB_PROFILE  "quick" (default; minutes) or "full" (the committed notebooks)

The defaults are folders of the repository or, without it, of the current folder. The tracked
figures/ and data/results/ are written only if COLORLIB_OUT is the repository.
"""

import hashlib
import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

PACKAGE = Path(__file__).resolve().parent
REPOSITORY = PACKAGE.parent
SHIPPED = PACKAGE / "weights"
COMMITTED_RESULTS = REPOSITORY / "data" / "results"
DRIVE = Path("/content/drive/MyDrive")  # Google Drive, where it is mounted on Colab


def home() -> Path:
    """The folder of data/ and build/: the repository, or the current folder without one."""
    return REPOSITORY if (REPOSITORY / "pyproject.toml").is_file() else Path.cwd()


def data_root() -> Path:
    return Path(os.environ.get("COLORLIB_DATA") or home() / "data").expanduser().resolve()


def out() -> Path:
    return Path(os.environ.get("COLORLIB_OUT") or home() / "build").expanduser().resolve()


def lasting() -> Path:
    """Where runs and answers are kept: the data root, or Drive's colorlib/ where it is mounted.

    What is on Colab's own disk is gone when the session ends. COLORLIB_DATA overrules Drive.
    """
    drive = DRIVE.is_dir() and not os.environ.get("COLORLIB_DATA")
    return DRIVE / "colorlib" if drive else data_root()


def runs() -> Path:
    return lasting() / "runs"


def turing() -> Path:
    return lasting() / "turing"


def figures() -> Path:
    return out() / "figures"


def results() -> Path:
    return COMMITTED_RESULTS if out() == REPOSITORY else out() / "results"


def profile() -> str:
    name = os.environ.get("COLORLIB_PROFILE") or "quick"
    if name not in ("quick", "full"):
        raise ValueError(f'COLORLIB_PROFILE: got {name!r}, expected "quick" or "full"')
    return name


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; on success it becomes `path`, else it is removed.

    An OSError of the file that is written, or of none (a full disk), names `path`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    short = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:8]  # `path.name` may be 255 bytes
    part = path.with_name(f"{short}.{os.getpid()}.part")
    try:
        yield part
        with part.open("r+b") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        if error.errno and str(error.filename or part) == str(part):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Keep other runs out of `folder`, and clear what a killed run left half written in it.

    Raises ValueError if another process trains there, OSError if the folder cannot be written: now,
    not after hours.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            message = "is being trained by another process. Wait, or give this run another name"
            raise ValueError(f"{folder.name} {message}") from None
        except (OSError, NotImplementedError):
            pass  # a file system without locks, as that of Google Drive, or one that is read-only
        for part in folder.glob("*.part"):
            part.unlink()
        with replacing(folder / "writable") as part:
            part.write_bytes(b"yes")
        (folder / "writable").unlink()
    except OSError as error:
        lock.release()
        raise OSError(
            f"{folder} cannot be written ({error.strerror or error}), so no run can be kept there. "
            "Set COLORLIB_DATA to a folder that can"
        ) from error
    try:
        yield
    finally:
        lock.release()


def write_json(path: str | Path, content: dict) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    with replacing(path) as part:  # bytes of a file's name that are not UTF-8 stay as \udcXX
        part.write_bytes(text.encode("utf-8", "backslashreplace"))


def write_weights(
    state: Mapping[str, torch.Tensor], path: str | Path, metadata: dict[str, str], half: bool
) -> None:
    """Write a state dict with `metadata` to one .safetensors file; half: as 16-bit floats."""
    from safetensors.torch import save

    state = {k: v.contiguous().cpu() for k, v in state.items()}
    if half:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    with replacing(path) as part:
        part.write_bytes(save(state, metadata))


def read_weights(path: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """(state dict, its numbers as 32-bit floats, and metadata) that `write_weights` wrote."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    return {k: v.float() if v.is_floating_point() else v for k, v in state.items()}, metadata


def machine() -> dict:
    """What a measurement was made on."""
    cpu = platform.processor() or platform.machine()
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu = next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    found = {"cpu": cpu, "cores": os.cpu_count(), "threads": torch.get_num_threads(), "gpu": gpu}
    return found | {"torch": torch.__version__, "python": platform.python_version()}
