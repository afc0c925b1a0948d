"""Results as Markdown tables and as words."""

from colorlib.metrics import NAMES

COLUMNS = NAMES | {
    "top1": "judge's top-1",
    "frechet": "Fréchet distance",
    "gap_closed": "share of the gap closed",
    "luma_difference": "luma moved, 8-bit steps",
    "lightness_difference": "L* moved",
}
DIGITS = {"psnr": 2, "colourfulness": 1, "ciede2000": 2, "colourfulness_ratio": 2, "frechet": 3}
DIGITS |= {"luma_difference": 2, "lightness_difference": 2}


def caption(result: dict) -> str:
    """One line under a table: which images, which input, which machine."""
    data = result["data"]
    return (
        f"{data['count']:,} images of {data['source']}, {data['split']} split, "
        f"{result['given']} given; {result['machine']['cpu']}, {result['machine']['cores']} cores."
    )


def table(result: dict, metrics=tuple(NAMES)) -> str:
    """A Markdown table of an evaluation: a row a system, a column a metric, the caption below."""
    lines = ["| system | " + " | ".join(COLUMNS[m] for m in metrics) + " |"]
    lines.append("| --- |" + " ---: |" * len(metrics))
    for row in result["rows"]:
        lines.append(f"| {row['system']} | " + " | ".join(cells(row, metrics)) + " |")
    return "\n".join(lines) + f"\n\n*{caption(result)}*"


def cells(row: dict, metrics) -> list[str]:
    """A row's metrics as a table prints them, a dash for what was not measured."""
    return [f"{row[m]:.{DIGITS.get(m, 4)}f}" if m in row else "–" for m in metrics]


def row_of(result: dict, system: str) -> dict:
    """The row of a system in an evaluation."""
    return next(row for row in result["rows"] if row["system"] == system)


def vividness_rows(result: dict) -> list[dict]:
    """The rows of ours at each vividness, with the number itself as "vividness"."""
    start = "ours, vividness "
    found = [row for row in result["rows"] if row["system"].startswith(start)]
    return [row | {"vividness": float(row["system"].removeprefix(start))} for row in found]


def difference(row: dict, other: dict, metric: str) -> str:
    """ "+1.98 dB [1.95, 2.01]": a row's gain over the first row, with its 95 % interval."""
    digits = DIGITS.get(metric, 4)
    low, high = row["difference"][metric]
    gain = row[metric] - other[metric]
    unit = " dB" if metric == "psnr" else ""
    return f"{gain:+.{digits}f}{unit} [{low:.{digits}f}, {high:.{digits}f}]"
