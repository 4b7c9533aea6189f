"""The picture of bench_truth.py: a dot for each error, a row for each profiler, as SVG."""

from __future__ import annotations

import statistics
from xml.sax.saxutils import escape

WIDTH = 860
LEFT, RIGHT = 130, 160  # for names, and for what is said of each row
TOP, ROW, BOTTOM = 66, 34, 44
GOAL = 4.0  # points: the worst that an error should be
STEP = 10  # points between two lines of the grid

STYLE = (
    "text{font:13px sans-serif;fill:#24292f}.small{font-size:11px;fill:#57606a}"
    ".grid{stroke:#d0d7de}.zero{stroke:#57606a}.goal{fill:#dafbe1}"
    ".dot{fill:#0969da;fill-opacity:.55}.ours{fill:#cf222e;fill-opacity:.6}"
)
OURS = ("pynytprof", "exactlines=1", "no-slowops", "raw")

Errors = dict[str, list[tuple[str, float]]]  # of a profiler: what was measured, and by how much


def limits(errors: Errors) -> tuple[int, int]:
    """The ends of the axis, in points: full steps around all errors."""
    found = [error for of_one in errors.values() for _, error in of_one] or [0.0]
    low = int(min(*found, -GOAL) // STEP * STEP)
    high = int(-(-max(*found, GOAL) // STEP) * STEP)
    return low, high


def place(points: float, ends: tuple[int, int]) -> float:
    """The x of an error."""
    low, high = ends
    return LEFT + (points - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def grid(ends: tuple[int, int], height: int) -> list[str]:
    goal_x, goal_width = place(-GOAL, ends), place(GOAL, ends) - place(-GOAL, ends)
    floor = height - BOTTOM
    parts = [
        f'<rect class="goal" x="{goal_x:.1f}" y="{TOP}" width="{goal_width:.1f}" '
        f'height="{floor - TOP}"/>'
    ]
    for points in range(ends[0], ends[1] + 1, STEP):
        x = place(points, ends)
        kind = "grid" if points else "zero"
        parts.append(f'<path class="{kind}" d="M{x:.1f} {TOP}V{floor}"/>')
        said = f"{points:+d}" if points else "0"
        parts.append(
            f'<text class="small" x="{x:.1f}" y="{floor + 16}" text-anchor="middle">{said}</text>'
        )
    return parts


def line_of(
    name: str, errors: list[tuple[str, float]], ends: tuple[int, int], y: float
) -> list[str]:
    """One profiler's name, dots and summary, around y."""
    parts = [f'<text x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{escape(name)}</text>']
    dot = "ours" if name in OURS else "dot"
    for what, error in errors:
        parts.append(
            f'<circle class="{dot}" cx="{place(error, ends):.1f}" cy="{y:.1f}" r="4.5">'
            f"<title>{escape(name)}, {escape(what)}: {error:+.1f}</title></circle>"
        )
    sizes = [abs(error) for _, error in errors]
    said = f"mean {statistics.fmean(sizes):.1f}, worst {max(sizes):.1f}" if sizes else "failed"
    parts.append(f'<text x="{WIDTH - RIGHT + 12}" y="{y + 4:.1f}">{said}</text>')
    return parts


def drawn(errors: Errors, title: str) -> str:
    """The picture; an error is positive where the profiler says too much."""
    ends = limits(errors)
    height = TOP + ROW * len(errors) + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>Errors of shares by profiler. {escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        '<text x="16" y="26" font-weight="bold">How far the reported share of a function is from '
        "the true one, in points</text>",
        f'<text class="small" x="16" y="46">A dot is a kind of work at a share, the median of its '
        f"rounds. {escape(title)}. Green: the goal, {GOAL:.0f} points.</text>",
        *grid(ends, height),
    ]
    for number, (name, of_one) in enumerate(errors.items()):
        parts += line_of(name, of_one, ends, TOP + ROW * (number + 0.5))
    return "\n".join([*parts, "</svg>"]) + "\n"
