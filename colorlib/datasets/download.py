"""Files from the web: fetched once, with a time limit, and checked against their hash."""

from pathlib import Path


def fetch(
    url: str, known_hash: str, folder: Path, name: str | None = None, progress: bool = True
) -> Path:
    """The file at `url`, in `folder`, its hash checked. OSError in one sentence when it fails."""
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    loader = pooch.HTTPDownloader(timeout=(10, 60), progressbar=progress)
    name = name or url.rsplit("/", 1)[-1]
    try:
        return Path(pooch.retrieve(url, known_hash, name, folder, downloader=loader))
    except requests.exceptions.RequestException as error:
        status = getattr(error.response, "status_code", None)
        why = f"the server answered {status}" if status else "the connection failed or broke off"
        if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ReadTimeout):
            why = "the server did not answer in time"
        raise OSError(f"{url} could not be fetched: {why}") from error
    except ValueError as error:
        raise OSError(f"{url} is not the published file: its checksum differs") from error
