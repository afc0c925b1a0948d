"""Files from the web: fetched once, with a time limit, and checked against their hash."""

from pathlib import Path


def fetch(
    url: str, known_hash: str, folder: Path, name: str | None = None, progress: bool = True
) -> Path:
    """The file at `url`, in `folder`, its hash checked. OSError in one sentence when it fails."""
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    try:
        file = pooch.retrieve(
            url,
            known_hash=known_hash,
            path=folder,
            fname=name or url.rsplit("/", 1)[-1],
            downloader=pooch.HTTPDownloader(timeout=(10, 60), progressbar=progress),
        )
    except requests.exceptions.RequestException as error:
        raise OSError(f"{url} could not be fetched: {_reason(error)}") from error
    except ValueError as error:
        raise OSError(f"{url} is not the published file: its checksum differs") from error
    return Path(file)


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"the server answered {response.status_code}"
    text = str(error)
    if "NameResolution" in text or "Name or service" in text:
        return "no network, or no such host"
    return {"ConnectTimeout": "no answer in 10 s", "ReadTimeout": "no data for 60 s"}.get(
        type(error).__name__, "the connection failed or broke off"
    )
