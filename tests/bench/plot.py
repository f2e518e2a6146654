"""Draws lines on two logarithmic axes as SVG, the same for the same figures, on a card that is readable on any page."""

from __future__ import annotations

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 72, 170, 44, 56  # around the axes; the legend is on the right
COLOURS = ("#6e7781", "#cf222e", "#bc4c00", "#0550ae", "#1a7f37", "#8250df", "#9a6700")
DASHES = ("2 3", "8 3", "3 2", "", "6 2 2 2", "10 3", "1 2")
MARKS = ("M-4 0H4M0-4V4", "M-4-4L4 4M-4 4L4-4", "M0-5L5 4H-5Z", "M-4-4H4V4H-4Z", "M0-5L5 0L0 5L-5 0Z", "M0 5L5-4H-5Z",
         "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0-4 0Z")

Lines = dict[str, list[tuple[float, float]]]


class Axis:
    """From a power of ten to another, over a length of pixels."""

    def __init__(self, values: list[float], begin: float, end: float, least: float):
        values = [max(value, least) for value in values]
        self.low = math.floor(math.log10(min(values)) + 1e-9)
        self.high = max(math.ceil(math.log10(max(values)) - 1e-9), self.low + 1)
        self.begin, self.end = begin, end

    def at(self, value: float) -> float:
        """What is below the axis, or no positive number, is at its beginning."""
        part = (math.log10(max(value, 10.0 ** self.low)) - self.low) / (self.high - self.low)
        return self.begin + min(part, 1) * (self.end - self.begin)

    def ticks(self) -> list[float]:
        return [10.0 ** power for power in range(self.low, self.high + 1)]

    def small_ticks(self) -> list[float]:
        return [digit * tick for tick in self.ticks()[:-1] for digit in range(2, 10)]


def text(x: float, y: float, content: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{escape(content)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}"/>'


def grid(across: Axis, upward: Axis) -> list[str]:
    out = []
    for axis, draw in ((across, lambda at, colour: line(at, upward.begin, at, upward.end, colour)),
                       (upward, lambda at, colour: line(across.begin, at, across.end, at, colour))):
        out += [draw(axis.at(value), "#eff1f3") for value in axis.small_ticks()]
        out += [draw(axis.at(value), "#c9ced4") for value in axis.ticks()]
    return out


def numbers(across: Axis, upward: Axis) -> list[str]:
    return [text(across.at(value), upward.begin + 18, f"{value:,.0f}", ' text-anchor="middle"')
            for value in across.ticks()] + [text(across.begin - 8, upward.at(value) + 4, f"{value:,.0f}",
                                                 ' text-anchor="end"') for value in upward.ticks()]


def curve(number: int, points: list[tuple[float, float]]) -> list[str]:
    colour, dash, mark = (kind[number % len(kind)] for kind in (COLOURS, DASHES, MARKS))
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    out = [f'<path d="{path}" stroke="{colour}" stroke-width="2"{dashes}/>']
    out += [f'<path d="{mark}" transform="translate({x:.1f} {y:.1f})" stroke="{colour}" stroke-width="1.5" '
            f'fill="#ffffff"/>' for x, y in points]
    return out


def log_log(title: str, across_label: str, upward_label: str, lines: Lines) -> str:
    across = Axis([x for points in lines.values() for x, _ in points], LEFT, WIDTH - RIGHT, 1)
    upward = Axis([y for points in lines.values() for _, y in points], HEIGHT - BOTTOM, TOP, 10)
    middle, centre = (across.begin + across.end) / 2, (upward.begin + upward.end) / 2
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'role="img" font-family="sans-serif" font-size="13" fill="#1f2328">',
           f"<title>{escape(title)}: {escape(upward_label)}</title>",
           f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#ffffff"/>',
           text(LEFT, 26, title, ' font-size="15" font-weight="bold"'),
           text(middle, HEIGHT - 14, across_label, ' text-anchor="middle"'),
           text(18, centre, upward_label, f' text-anchor="middle" transform="rotate(-90 18 {centre:.1f})"'),
           *numbers(across, upward), '<g fill="none" stroke-linejoin="round">', *grid(across, upward)]
    for number, points in enumerate(lines.values()):
        out += curve(number, [(across.at(x), upward.at(y)) for x, y in points])
    # The legend is in the order in which the lines end, from above.
    order = sorted(range(len(lines)), key=lambda number: -list(lines.values())[number][-1][1])
    for row, number in enumerate(order):
        y = TOP + 14 + 22 * row
        out += curve(number, [(across.end + 18, y), (across.end + 48, y)])
    out.append("</g>")
    names = list(lines)
    out += [text(across.end + 58, TOP + 18 + 22 * row, names[number]) for row, number in enumerate(order)]
    return "\n".join([*out, "</svg>", ""])
