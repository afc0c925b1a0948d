"""Results as Markdown tables and as words; the titles of systems and columns."""

from collections.abc import Iterable, Sequence

from colorlib.metrics import NAMES

TITLES = {  # key of a system in a result -> what tables and figures call it
    "grey": "grey",
    "grey_control": "grey, classifier trained on grey",
    "mean_color": "mean colour",
    "random_colors": "random colours",
    "true_colors": "true colours",
    "ours": "ours",
    "regression": "regression",
    "distribution": "distribution, vividness 0",
    "distribution_vivid": "distribution, vividness 1",
    "recipe_original": "hue and saturation, squared error (the course project's)",
    "recipe_regression": "chroma regression",
    "recipe_distribution": "ours: distribution over chroma",
    "recipe_eccv16": "ECCV16's recipe",
    "recipe_eccv16_published": "ECCV16's recipe, as published (T = 0.38)",
    "recipe_eccv16_adjusted": "ECCV16's recipe, logits adjusted",
    "recipe_nogan": "NoGAN",
    "original_network": "the course project's network, as long",
    "eccv16": "ECCV16",
    "siggraph17": "SIGGRAPH17",
    "deoldify": "DeOldify",
    "deoldify-artistic": "DeOldify artistic",
    "deoldify-stable": "DeOldify stable",
    "ddcolor": "DDColor",
}
COLUMNS = NAMES | {
    "top1": "classifier's top-1",
    "top1_resnet": "second classifier's top-1",
    "frechet": "Fréchet distance",
    "accuracy_recovered": "share of the gap closed",
    "luma_difference": "luma moved, 8-bit steps",
    "lightness_difference": "L* moved",
}
SHORT = {"recipe_distribution": "ours", "psnr": "PSNR"}  # a title of its own inside a sentence
DIGITS = {"psnr": 2, "colourfulness": 1, "ciede2000": 2, "colourfulness_ratio": 2, "frechet": 3}
DIGITS |= {"luma_difference": 2, "lightness_difference": 2}


def markdown_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], align: str | None = None
) -> str:
    """A Markdown table. align: "l" or "r" for each column; by default only the first is "l"."""
    align = align or "l" + "r" * (len(header) - 1)
    rule = [{"l": "---", "r": "---:"}[letter] for letter in align]
    lines = [header, rule, *rows]
    for line in lines:
        if len(line) != len(header):
            raise ValueError(f"markdown_table: got {len(line)} cells, expected {len(header)}")
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def short_title(key: str) -> str:
    """What a sentence calls a system or a metric."""
    return SHORT.get(key) or (TITLES | COLUMNS)[key]


def title(row: dict) -> str:
    """What a table or figure calls a row: the system's title, and what sets the row apart."""
    name = TITLES.get(row["system"], row["system"])
    name += f", vividness {row['vividness']:g}" if "vividness" in row else ""
    return name + (f" (first {row['count']:,} images)" if "count" in row else "")


def caption(result: dict) -> str:
    """One line under a table or figure: which images, and which input."""
    data, given = result["data"], result["config"]["given"]
    return f"{data['count']:,} images of {data['title']}, {data['split']} split, {given} as input"


def result_table(result: dict, metrics: Sequence[str] = tuple(NAMES)) -> str:
    """A Markdown table of a result: a row a system, a column a metric, the caption below."""
    rows = [[title(row), *cells(row, metrics)] for row in result["rows"]]
    table = markdown_table(["system", *(COLUMNS[m] for m in metrics)], rows)
    return f"{table}\n\n*{caption(result)}*"


def number(value: float, metric: str) -> str:
    """A metric's value with as many digits as tables print; accuracies in percent."""
    if metric.startswith("top1"):
        return f"{value:.1%}"
    return f"{value:.{DIGITS.get(metric, 4)}f}"


def signed(value: float, metric: str) -> str:
    """A difference with its sign, a true minus, as many digits as tables print, and the unit."""
    text = ("+" if value >= 0 else "−") + number(abs(value), metric)
    return f"{text} dB" if metric == "psnr" else text


def cells(row: dict, metrics: Iterable[str]) -> list[str]:
    """A row's metrics as a table prints them, a dash for what was not measured."""
    return [number(row[m], m) if m in row else "–" for m in metrics]


def find_row(result: dict, system: str, vividness: float | None = None) -> dict:
    """The row of a system (at a vividness) in a result; ValueError if there is none."""
    for row in result["rows"]:
        if row["system"] == system and row.get("vividness") == vividness:
            return row
    known = ", ".join(title(row) for row in result["rows"])
    raise ValueError(f"find_row: got {system!r} at vividness {vividness}, expected one of {known}")


def vividness_rows(result: dict, system: str = "ours") -> list[dict]:
    """The rows of a system at each vividness."""
    return [row for row in result["rows"] if row["system"] == system and "vividness" in row]


def difference(row: dict, other: dict, metric: str) -> str:
    """ "+1.98 dB [1.95, 2.01]": a row's gain over the first row, with its 95 % interval."""
    digits = DIGITS.get(metric, 4)
    low, high = row["difference"][metric]
    unit = " dB" if metric == "psnr" else ""
    text = f"{row[metric] - other[metric]:+.{digits}f}{unit} [{low:.{digits}f}, {high:.{digits}f}]"
    return text.replace("-", "−")
