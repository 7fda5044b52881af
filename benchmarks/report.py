"""Tables and pictures of what the comparisons measured, and the targets beside what was reached.

Reads results/*.jsonl of the comparisons (with --short those of the last short run, which are printed only), writes
results/NAME.md and NAME.svg for each and results/targets.md.

Run  python course.py bench report
"""

import math
from collections.abc import Iterable

from sides import svg
from sides.options import short
from sides.process import OWN
from sides.results import folder, read, times_as_fast
from sides.targets import TARGETS, Target

NAMES = {
    "ctr": "Click models: time and memory",
    "ctr_quality": "Click models: quality",
    "words": "Skip-gram with negative sampling",
    "walks": "Node2vec walks",
    "search": "Nearest-neighbour search",
    "factors": "Factors beside Surprise and implicit",
    "ranking": "Rating models and rankers",
    "growth": "Growth",
    "start": "Starting up",
    "whole_course": "The course as a whole",
}


def sentence(machine: dict) -> str:
    """The machine and the versions, in words."""
    libraries = {"Python": machine["python"], **machine["versions"], **machine["peers"]}
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}. "
        + ", ".join(f"{name} {version}" for name, version in libraries.items())
        + "."
    )


def figure(value: float) -> str:
    if value >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def spread(values: Iterable[float]) -> str:
    values = sorted(values)
    return f" ({figure(values[0])}–{figure(values[-1])})" if len(values) > 1 else ""


def table(lines: list[dict], job: str) -> list[str]:
    """One job as Markdown: a row for each case and side, how many times as fast rec_lib is beside each other side."""
    rows = [row for row in lines if row["job"] == job]
    timed = any("runs" in row for row in rows)
    measure = next((row["measure"] for row in rows if "value" in row), "")
    extra = [key for key in ("recall", "memory", "parameters", "p95") if any(key in row for row in rows)]
    titles = ["Case", "Side", measure] + (["rec_lib is × as fast"] if timed else []) + extra
    found = [f"## {job[0].upper()}{job[1:]}", "", f"| {' | '.join(titles)} |", "|" + "---|" * len(titles)]
    for row in rows:
        if "stopped" in row:
            found.append(f"| {row['case']} | {row['side']} | stopped: {row['stopped']} |" + " |" * (len(titles) - 3))
            continue
        cells = [row["case"], row["side"], figure(row["value"]) + spread(row.get("values", ()))]
        if timed:
            times = times_as_fast(lines, job, row["case"], OWN, row["side"])
            cells.append("" if times is None or row["side"] == OWN else f"{times:.2f}")
        found.append(f"| {' | '.join(cells + [figure(row[key]) if key in row else '' for key in extra])} |")
    return [*found, ""]


def exponents(lines: list[dict]) -> list[str]:
    """How steeply time grew, measured beside derived, as Markdown; empty where no size was varied."""
    sized = [row for row in lines if "size" in row]
    found = ["## Exponents", "", "| What grows | Side | measured | derived |", "|---|---|---|---|"] if sized else []
    for job, side in dict.fromkeys((row["job"], row["side"]) for row in sized):
        rows = [row for row in sized if (row["job"], row["side"]) == (job, side)]
        found.append(f"| {job} | {side} | {exponent(rows):.2f} | {rows[-1]['derived']:g} |")
    return [*found, ""] if sized else []


def page(name: str, machine: dict, lines: list[dict], drawn: bool) -> str:
    jobs = list(dict.fromkeys(row["job"] for row in lines))
    head = [
        f"# {NAMES[name]}",
        "",
        f"Written by `python course.py bench report` from {name}.jsonl.",
        "",
        sentence(machine),
        "",
    ]
    middle = [f"![{NAMES[name]}]({name}.svg)", ""] if drawn else []
    return "\n".join([*head, *middle, *exponents(lines), *(text for job in jobs for text in table(lines, job))])


def picture(name: str, lines: list[dict]) -> str:
    """SVG: time against size where sizes were varied, else how many times as fast rec_lib is; empty without either."""
    if any("size" in row for row in lines):
        jobs = list(dict.fromkeys(row["job"] for row in lines if "size" in row))
        return svg.panels(NAMES[name], [(job, curves([row for row in lines if row["job"] == job])) for job in jobs])
    ratios = [
        (f"{row['job']}: {row['case']}, {row['side']}", times)
        for row in lines
        if "runs" in row and row["side"] != OWN
        if (times := times_as_fast(lines, row["job"], row["case"], OWN, row["side"])) is not None
    ]
    return svg.bars(NAMES[name], "rec_lib is so many times as fast (below 1: slower)", ratios) if ratios else ""


def curves(rows: list[dict]) -> list[svg.Curve]:
    """For each side what was measured, and its derived law through the last point."""
    found: list[svg.Curve] = []
    for side in dict.fromkeys(row["side"] for row in rows):
        own = [row for row in rows if row["side"] == side]
        size, value = [row["size"] for row in own], [row["value"] for row in own]
        measured, derived = exponent(own), own[-1]["derived"]
        found.append((f"{side}, exponent {measured:.2f}", size, value, False))
        found.append((f"derived {derived:g}", size, [value[-1] * (n / size[-1]) ** derived for n in size], True))
    return found


def exponent(rows: list[dict]) -> float:
    """The slope on log axes between the two largest sizes, where what does not grow weighs least."""
    small, large = rows[-2:]
    return math.log(large["value"] / small["value"]) / math.log(large["size"] / small["size"])


def verdict(target: Target, lines: list[dict] | None) -> str:
    reached = target.reached(lines) if lines is not None else None
    if reached is None:
        return f"| {target.file} | {target.job}: {target.case} | {target.side} | {target.text} | | not measured |"
    shown = f"{reached:+.4f}" if target.kind == "best peer less" else figure(reached)
    word = "reached" if target.met(reached) else "**missed**"
    return f"| {target.file} | {target.job}: {target.case} | {target.side} | {target.text} | {shown} | {word} |"


def targets(found: dict[str, list[dict]]) -> str:
    head = ["# Targets", "", "Written by `python course.py bench report`: what was wanted, and what was reached.", ""]
    titles = ["| Results | What | Side | Wanted | Reached | |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *titles, *(verdict(target, found.get(target.file)) for target in TARGETS), ""])


def main() -> None:
    brief = short()
    place, found = folder(brief), {}
    for name in NAMES:
        path = place / f"{name}.jsonl"
        if not path.exists():
            continue
        machine, found[name] = read(path)
        drawing = picture(name, found[name])
        text = page(name, machine, found[name], bool(drawing) and not brief)
        if brief:
            print(text)
            continue
        if drawing:
            (place / f"{name}.svg").write_text(drawing, encoding="utf-8")
        (place / f"{name}.md").write_text(text, encoding="utf-8")
    if brief:
        print(targets(found))
    else:
        (place / "targets.md").write_text(targets(found), encoding="utf-8")
        print(targets(found))


if __name__ == "__main__":
    main()
