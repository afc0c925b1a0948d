"""The result of the Turing test: how often each system fooled people, with 95 % intervals."""

import json
from pathlib import Path

import numpy as np

from colorlib import paths
from colorlib.report.bootstrap import bootstrap_intervals
from colorlib.report.tables import markdown_table, title

NEEDED = {"system", "participant", "practice", "fooled"}  # the keys of every answer
FEW = 5  # participants; with fewer, a bootstrap over them alone is not reliable
# Zhang et al. 2016, table 1: photographs of 256 x 256, 40 participants from a crowd
PUBLISHED = {"eccv16": 0.323, "random_colors": 0.130}


def answers(folder: str | Path | None = None) -> list[dict]:
    """Every answer of every participant; an incomplete last line is left out."""
    folder = Path(folder) if folder else paths.turing()
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for i, line in enumerate(lines):
            try:
                answer = json.loads(line)
            except ValueError as error:
                if i == len(lines) - 1:
                    break  # it broke off
                raise ValueError(f"{path.name}, line {i + 1}: not an answer") from error
            if not isinstance(answer, dict) or not answer.keys() >= NEEDED:
                raise ValueError(f"{path.name}, line {i + 1}: not an answer")
            found.append(answer | {"session": path.stem})
    return found


def fooling_rates(given: list[dict], resamples: int = 10000) -> list[dict]:
    """A row a system: the share of pairs in which the true picture was taken for the fake.

    Practice does not count; answers about other images or weights have a row of their own. 95 %
    intervals: bootstrap over participants; Wilson's if there is only one; the wider of the two if
    there are fewer than `FEW` or if all answers agree, too few to show how people differ. A rate of
    0.5 means that nobody can tell the pictures from true ones.
    """
    groups: dict[tuple, dict[str, list[bool]]] = {}
    for a in given:
        if not a["practice"]:
            group = groups.setdefault((a["system"], a.get("vividness"), a.get("about", "")), {})
            group.setdefault(a["participant"], []).append(a["fooled"])
    rows = []
    for (system, vividness, about), group in groups.items():
        people = list(group.values())
        fooled, total = sum(map(sum, people)), sum(map(len, people))
        interval = wilson(fooled, total)
        if len(people) > 1:
            drawn = bootstrap_people(people, resamples)
            if len(people) < FEW or fooled in (0, total):
                drawn = min(drawn[0], interval[0]), max(drawn[1], interval[1])
            interval = drawn
        row = {"system": system} | ({} if vividness is None else {"vividness": vividness})
        row |= {"about": about, "rate": fooled / total, "interval": interval}
        rows.append(row | {"pairs": total, "participants": len(people)})
    return sorted(rows, key=lambda row: -row["rate"])


def wilson(successes: int, total: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a proportion (Wilson 1927)."""
    from scipy.stats import binomtest

    interval = binomtest(successes, total).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def bootstrap_people(people: list[list[bool]], resamples: int) -> tuple[float, float]:
    """95 % interval of the pooled rate when participants, not answers, are resampled."""
    fooled, total = (np.array([count(p) for p in people]) for count in (sum, len))
    low, high = bootstrap_intervals([fooled, total], lambda f, t: f.sum(-1) / t.sum(-1), resamples)
    return float(low), float(high)


def fooling_table(rows: list[dict]) -> str:
    """`fooling_rates` as a Markdown table, the published rates beside them."""
    if not rows:
        return (
            "Nobody has taken the test here yet. Run the cell above, press *start*, and run this "
            "cell again; several people's files in `data/turing` are pooled."
        )
    abouts = list(dict.fromkeys(row["about"] for row in rows))
    lines = []
    for row in rows:
        low, high = row["interval"]
        published = PUBLISHED.get(row["system"])
        about = f" ({row['about'] or 'unknown images'})" if len(abouts) > 1 else ""
        cells = [title(row) + about, f"{row['rate']:.1%}", f"{low:.1%} to {high:.1%}"]
        cells += [str(row["pairs"]), str(row["participants"])]
        lines.append([*cells, "" if published is None else f"{published:.1%}"])
    if not any(row["system"] == "eccv16" for row in rows):
        lines.append(["ECCV16, its own test", "", "", "", "40", f"{PUBLISHED['eccv16']:.1%}"])
    header = ["system", "fooled", "95 % interval", "pairs", "participants", "published"]
    note = f"\n\n*{abouts[0]}.*" if abouts != [""] and len(abouts) == 1 else ""
    return markdown_table(header, lines) + note
