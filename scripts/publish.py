"""Write what is set elsewhere into README and notebooks, so that each fact has one place.

The repository's address comes from pyproject.toml, the results table from data/results.
"""

import json
import re
import tomllib

from colorlib import results
from colorlib.paths import REPOSITORY, replacing

COLOUR_METRICS = ("psnr", "raw_auc", "rebalanced_auc", "ciede2000", "colourfulness")


def address() -> str:
    """The repository's address, https://github.com/OWNER/NAME."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return project["project"]["urls"]["Repository"]


def with_address(text: str) -> str:
    """`text` with every Colab badge, clone line and bootstrap address set to `address()`."""
    slug = address().removeprefix("https://github.com/")
    text = re.sub(r"(colab\.research\.google\.com/github/)[^/\s]+/[^/\s]+", rf"\g<1>{slug}", text)
    text = re.sub(r"(git clone )https://\S+", rf"\g<1>{address()}", text)
    return re.sub(r'(REPOSITORY = \\?")[^"\\]+', rf"\g<1>{address()}", text)


def results_table() -> str:
    """README's results, from the committed evaluations of the shipped weights."""
    tables = []
    for given in ("value", "luma"):
        result = results.load_result(f"cifar-{given}", committed=True)
        tables += [results.table(result, COLOUR_METRICS), f"`{result['command']}`"]
    return "\n\n".join(tables)


def with_results(text: str) -> str:
    """README's `text` with the part between the two results markers made anew."""
    start, end = "<!-- results -->\n", "<!-- /results -->"
    head, rest = text.split(start)
    return f"{head}{start}{results_table()}\n{end}{rest.split(end)[1]}"


def main() -> None:
    readme = REPOSITORY / "README.md"
    for path in [readme, *sorted((REPOSITORY / "notebooks").glob("*.ipynb"))]:
        text = path.read_text(encoding="utf-8")
        new = with_address(with_results(text) if path == readme else text)
        if path != readme:
            json.loads(new)
        if new != text:
            with replacing(path) as part:
                part.write_text(new, encoding="utf-8")
            print("wrote", path.name)


if __name__ == "__main__":
    main()
