"""results.md and its pictures, from what the benchmarks kept: nothing here is written by hand.

Runs in the environment of the peers, which has matplotlib.

Usage: python benchmarks/report.py
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
RESULTS = HERE / ".results"
STEPS = ("create", "no-op up", "preview", "preview --refresh", "destroy")
NAMES = {"destroy": "dpor destroy", "preview --refresh": "pulumi preview --refresh"}
GREY = "#808080"
"""Readable on light and on dark."""

Figures = Mapping[str, Any]


def main() -> None:
    """Write them."""
    names = ("engine", "growth", "cpu", "costs", "pack", "check")
    engine, growth, cpu, costs, pack, check = figures = [read(name) for name in names]
    parts = [
        "# Results",
        (
            "Written by `make bench`. The median, and in brackets the smallest and the largest of"
            " all trials; what is compared took turns in one run. The registry is the embedded one,"
            " the platform the portal, Pulumi's backend a folder."
        ),
        *goals(engine, growth, check),
        *beside_idle(engine),
        *growing(growth),
        *where(cpu),
        *asked(costs),
        *packs(pack),
        *checkers(check),
        *machines(dict(zip(names, figures, strict=True))),
    ]
    (HERE / "results.md").write_text("\n\n".join(parts) + "\n")
    picture(
        HERE / "up.svg",
        "Seconds to designate an estate (two logarithmic axes)",
        {
            tool: {int(size): seconds(taken) for size, taken in growth[tool]["create"].items()}
            for tool in ("pulumi up", "dpor up")
            if growth[tool]
        },
    )
    picture(
        HERE / "check.svg",
        "Seconds to check declarations (two logarithmic axes)",
        {
            tool: {
                int(size): seconds(each["taken"][tool])
                for size, each in check["sizes"].items()
                if None not in each["taken"][tool]
            }
            for tool in next(iter(check["sizes"].values()))["taken"]
        },
    )


def read(name: str) -> Figures:
    """One benchmark's figures."""
    found: Figures = json.loads((RESULTS / f"{name}.json").read_text())
    return found


# --- Parts of the page ---------------------------------------------------------------------------


def goals(engine: Figures, growth: Figures, check: Figures) -> Iterable[str]:
    """What was aimed at, and what came out."""
    rows = [("goal", "at most", "measured", "met")]

    def row(goal: str, limit: float, measured: float, unit: str = "") -> None:
        met = "yes" if measured <= limit else "**no**"
        rows.append((goal, f"{limit:g}{unit}", f"{measured:.2f}{unit}", met))

    for step, limit in (("create", 1.3), ("no-op up", 1.2), ("preview", 1.2)):
        for size, steps in engine["sizes"].items():
            row(f"R of {step}, {size} resources", limit, ratio(steps[step]))
    both = sorted(set(growth["dpor up"]["create"]) & set(growth["pulumi up"]["create"]), key=int)
    if both:
        size = both[-1]
        ours, theirs = (seconds(growth[tool]["create"][size]) for tool in ("dpor up", "pulumi up"))
        row(f"time of dpor up, of that of pulumi up, {size} created", 0.1, ours / theirs)
    creates = growth["dpor up"]["create"]
    top = max(creates, key=int)
    row(f"growth exponent of dpor up, up to {top}", 1.1, exponent(creates))
    last = dict(sorted(creates.items(), key=lambda item: int(item[0]))[-2:])
    row(f"growth exponent of dpor up, from {' to '.join(last)}", 1.1, exponent(last))
    row(f"memory of all processes, {top} created", 2048, peak(growth["dpor up"], top), " MiB")
    for size, limit in (("10000", 2), ("100000", 20)):
        if each := check["sizes"].get(size):
            drift = seconds(each["taken"]["dpor drift"])
            row(f"dpor drift, {size} subscriptions", limit, drift, " s")
    return ("## Goals", table(rows))


def beside_idle(engine: Figures) -> Iterable[str]:
    """R, by size and step."""
    yield "## A partner of record beside a resource that does nothing"
    yield (
        "R = (ours - empty) / (idle - empty). *idle* is a dynamic class that does nothing, with"
        " properties of equal length; *empty* is the program without a resource. Our programs avoid"
        " some of what Pulumi's SDK does at their end; *quick* is *idle* with the same, so that it"
        " differs from ours in its provider only, and *R of the provider* is that with *quick* in"
        " place of *idle*. All without checkpoints, and with the SDK's debug messages, which"
        " `dpor up` leaves out."
    )
    for size, steps in sorted(engine["sizes"].items(), key=lambda item: int(item[0])):
        variants = ("empty", "idle", "quick", "ours")
        rows = [(f"{size} resources", *variants, "R", "R of the provider")]
        for step in STEPS:
            each = steps[step]
            ratios = (f"{ratio(each, idle):.2f}" for idle in ("idle", "quick"))
            rows.append((step, *(spread(each[name]) for name in variants), *ratios))
        yield table(rows)
        trials = len(steps["create"]["ours"])
        state = engine["state"][size]
        lengths = (
            f"{name} {(state[name] - state['empty']) / int(size):.0f}" for name in ("idle", "ours")
        )
        yield f"{trials} trials. Bytes of state for each resource: {', '.join(lengths)}."


def growing(growth: Figures) -> Iterable[str]:
    """`dpor up` beside `pulumi up`."""
    yield "## `dpor up` beside `pulumi up`"
    yield (
        "The same program; both preview first. Memory is the most that all processes held at once,"
        " what they share counted for each."
    )
    yield "![time against size](up.svg)"
    rows = [("", "subscriptions", "trials", "time", "memory")]
    for tool in ("dpor up", "pulumi up"):
        for step, sizes in growth[tool].items():
            for size, taken in sizes.items():
                name = NAMES.get(step) or f"{tool}, {step}"
                memory = f"{max(one['peak_mib'] for one in taken)} MiB"
                each = [one["seconds"] for one in taken]
                rows.append((name, size, str(len(taken)), spread(each), memory))
    yield table(rows)
    lines = (
        f"{tool} {exponent(growth[tool]['create']):.2f}"
        for tool in ("dpor up", "pulumi up")
        if len(growth[tool].get("create", ())) > 1
    )
    yield f"Growth exponent of create (least squares of the logarithms): {', '.join(lines)}."


def where(cpu: Figures) -> Iterable[str]:
    """Where the time goes."""
    yield "## Where the time goes"
    yield f"`dpor` on {cpu['resources']} subscriptions: CPU seconds of each kind of process."
    steps = cpu["seconds"]
    kinds = next(iter(steps.values()))
    rows = [("", *steps)]
    rows += [(kind, *(f"{each[kind]:.1f} s" for each in steps.values())) for kind in kinds]
    yield table(rows)


def asked(costs: Figures) -> Iterable[str]:
    """Statements and requests."""
    yield "## What a link asks of registry and platform"
    yield (
        "SQL statements, and requests to Azure's stand-in, counted, with one writer, over"
        f" {costs['links']} links: for each link, but the bulk read in all. On PostgreSQL a change"
        " is one call of a function."
    )
    backends = costs["backends"]
    operations = next(iter(backends.values()))
    rows = [("", *operations)]
    for name, each in backends.items():
        for what in ("statements", "requests"):
            if any(counts[what] for counts in each.values()):
                cells = (f"{counts[what]:.3g}" for counts in each.values())
                rows.append((f"{name}: {what}", *cells))
    yield table(rows)


def packs(pack: Figures) -> Iterable[str]:
    """The policy pack's part."""
    yield "## The policy pack"
    yield (
        f"`pulumi preview` of {pack['resources']} new resources; *idle pack* has as many policies,"
        " which do nothing."
    )
    bare = statistics.median(pack["seconds"]["no pack"])
    rows = [("", "time", "for each resource")]
    for name, each in pack["seconds"].items():
        more = 1000 * (statistics.median(each) - bare) / pack["resources"]
        rows.append((name, spread(each), f"{more:+.2f} ms"))
    yield table(rows)


def checkers(check: Figures) -> Iterable[str]:
    """The commands beside their peers."""
    yield "## `dpor check` and `dpor drift` beside other checkers"
    yield (
        "On files of like size; none of the others looks at partners."
        f" {', '.join(f'{name} {version}' for name, version in check['versions'].items())}."
    )
    yield "![time against size](check.svg)"
    sizes = list(check["sizes"])
    rows = [("", *(f"{size} ({megabytes(check['sizes'][size]['bytes'])})" for size in sizes))]
    for tool in check["sizes"][sizes[0]]["taken"]:
        cells = []
        for size in sizes:
            taken = check["sizes"][size]["taken"][tool]
            if None in taken:
                cells.append(f"more than {check['patience']} s")
            else:
                memory = max(one["peak_mib"] for one in taken)
                cells.append(f"{spread([one['seconds'] for one in taken])}, {memory} MiB")
        rows.append((tool, *cells))
    yield table(rows)


def machines(found: Mapping[str, Figures]) -> Iterable[str]:
    """Where it was measured."""
    yield "## The machine"
    keys = list(next(iter(found.values()))["machine"])
    rows = [("", *found)]
    rows += [(key, *(each["machine"][key] for each in found.values())) for key in keys]
    yield table(rows)


# --- Figures -------------------------------------------------------------------------------------


def ratio(step: Mapping[str, Sequence[float]], beside: str = "idle") -> float:
    """R of one step."""
    empty, idle, ours = (statistics.median(step[name]) for name in ("empty", beside, "ours"))
    return (ours - empty) / (idle - empty)


def seconds(taken: Sequence[Mapping[str, float]]) -> float:
    """The median."""
    return statistics.median(one["seconds"] for one in taken)


def peak(steps: Mapping[str, Any], size: str) -> float:
    """The most memory of any step at one size, in MiB."""
    return max(one["peak_mib"] for step in steps.values() for one in step[size])


def exponent(sizes: Mapping[str, Sequence[Mapping[str, float]]]) -> float:
    """The slope of time against size, on logarithmic axes."""
    x = [math.log(int(size)) for size in sizes]
    y = [math.log(seconds(taken)) for taken in sizes.values()]
    return statistics.linear_regression(x, y).slope


def spread(each: Sequence[float]) -> str:
    """The median with the smallest and the largest."""
    digits = 2 if statistics.median(each) < 10 else 1
    middle = f"{statistics.median(each):.{digits}f} s"
    if len(each) == 1:
        return middle
    return f"{middle} ({min(each):.{digits}f}–{max(each):.{digits}f})"


def megabytes(count: int) -> str:
    """Bytes, for a person."""
    return f"{count / 1e6:.1f} MB" if count > 100_000 else f"{count / 1e3:.1f} kB"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as Markdown."""
    first, *rest = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join((first, "|---" * len(rows[0]) + "|", *rest))


def picture(file: Path, title: str, lines: Mapping[str, Mapping[int, float]]) -> None:
    """Lines of seconds against subscriptions, on logarithmic axes."""
    plt.rcParams.update(
        {
            "svg.hashsalt": "dpor",
            "svg.fonttype": "none",
            **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor"), GREY),
            **dict.fromkeys(("xtick.color", "ytick.color"), GREY),
        }
    )
    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for name, points in lines.items():
        width = 2.5 if name.startswith("dpor") else 1.2
        axes.plot(list(points), list(points.values()), marker="o", label=name, linewidth=width)
    axes.set(xscale="log", yscale="log", xlabel="subscriptions", ylabel="seconds", title=title)
    axes.grid(visible=True, which="major", color=GREY, alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(file, transparent=True, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
