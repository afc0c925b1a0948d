"""What the Turing test found: how often each system fooled people, with 95 % intervals."""

import json
from pathlib import Path

import numpy as np

from colorlib import paths
from colorlib.report.bootstrap import bootstrap_intervals

NEEDED = {"system", "participant", "practice", "fooled"}  # what an answer says at least
FEW = 5  # people: below, a bootstrap over them knows too few to be trusted alone
# Zhang et al. 2016, table 1: photographs of 256 x 256, 40 participants from a crowd
PUBLISHED = {"ECCV16": 0.323, "random colours": 0.130}


def answers(folder: str | Path | None = None) -> list[dict]:
    """Every kept answer of every participant; a last line that broke off is left out."""
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
    intervals: bootstrap over participants; Wilson's where there is one, and the wider of the two
    where there are fewer than `FEW` or all agree: too few to show by themselves how people differ.
    0.5 would be pictures that nobody can tell from true ones.
    """
    groups = {}
    for a in given:
        if not a["practice"]:
            people = groups.setdefault((a["system"], a.get("about", "")), {})
            people.setdefault(a["participant"], []).append(a["fooled"])
    rows = []
    for (system, about), people in groups.items():
        people = list(people.values())
        fooled, total = sum(map(sum, people)), sum(map(len, people))
        interval = wilson(fooled, total)
        if len(people) > 1:
            drawn = bootstrap_people(people, resamples)
            if len(people) < FEW or fooled in (0, total):
                drawn = min(drawn[0], interval[0]), max(drawn[1], interval[1])
            interval = drawn
        row = {"system": system, "about": about, "rate": fooled / total, "interval": interval}
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


def table(rows: list[dict]) -> str:
    """`fooling_rates` as a Markdown table, the published rates beside them."""
    if not rows:
        return (
            "Nobody has taken the test here yet. Run the cell above, press *start*, and run this "
            "cell again; several people's files in `data/turing` are pooled."
        )
    abouts = list(dict.fromkeys(row["about"] for row in rows))
    lines = ["| system | fooled | 95 % interval | pairs | participants | published |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: |")
    for row in rows:
        low, high = row["interval"]
        known = PUBLISHED.get(row["system"])
        published = "" if known is None else f"{known:.1%}"
        of = f" ({row['about'] or 'not said of what'})" if len(abouts) > 1 else ""
        lines.append(
            f"| {row['system']}{of} | {row['rate']:.1%} | {low:.1%} to {high:.1%} | "
            f"{row['pairs']} | {row['participants']} | {published} |"
        )
    if not any(row["system"] == "ECCV16" for row in rows):
        lines.append(f"| ECCV16, its own test | | | | 40 | {PUBLISHED['ECCV16']:.1%} |")
    if abouts != [""] and len(abouts) == 1:
        lines.append(f"\n*{abouts[0]}.*")
    return "\n".join(lines)
