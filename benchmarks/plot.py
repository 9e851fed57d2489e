"""Horizontal bars as SVG, without a plotting library."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

WIDTH = 860
LABELS = 250
"""Left edge of the bars."""
VALUES = 70
"""Room for the numbers behind the bars."""
ROW = 22
HEAD = 44
"""Height of a panel's title."""
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f;"
    "paint-order:stroke;stroke:#fff;stroke-width:4px}"
    ".title{font-weight:600;font-size:14px}.note{fill:#57606a;font-size:12px}"
    ".ours{fill:#0969da}.other{fill:#8c959f}.budget{stroke:#cf222e;stroke-dasharray:4 3}"
)


@dataclass(frozen=True)
class Bar:
    """One contender's figure; None where there is none."""

    label: str
    value: float | None
    ours: bool = False
    missing: str = "not measured"


@dataclass(frozen=True)
class Panel:
    """One measure."""

    title: str
    unit: str
    bars: list[Bar]
    budget: float | None = None
    digits: int = 2


def draw(panels: list[Panel]) -> str:
    """All panels below one another, each on a linear scale from zero of its own."""
    parts, top = [], 0
    for panel in panels:
        parts.append(draw_panel(panel, top))
        top += HEAD + ROW * len(panel.bars) + 12
    title = "; ".join(panel.title for panel in panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" '
        f'height="{top}" role="img" aria-label="{escape(title)}">\n<style>{STYLE}</style>\n'
        f'<rect width="{WIDTH}" height="{top}" fill="#ffffff"/>\n{"".join(parts)}</svg>\n'
    )


def draw_panel(panel: Panel, top: int) -> str:
    """A title, the bars, and a dashed line at our budget."""
    values = [bar.value for bar in panel.bars if bar.value is not None]
    longest = max([*values, panel.budget or 0.0, 1e-9])
    scale = (WIDTH - LABELS - VALUES) / longest
    bottom = top + HEAD + ROW * len(panel.bars)
    lines = [
        f'<text class="title" x="16" y="{top + 28}">{escape(panel.title)}, {panel.unit}</text>'
    ]
    if panel.budget is not None:
        x = LABELS + panel.budget * scale
        lines.append(
            f'<line class="budget" x1="{x:.1f}" x2="{x:.1f}" y1="{top + HEAD - 4}" y2="{bottom}"/>'
        )
    for index, bar in enumerate(panel.bars):
        lines.append(draw_bar(bar, top + HEAD + ROW * index, scale, panel.digits))
    return "\n".join(lines) + "\n"


def draw_bar(bar: Bar, y: int, scale: float, digits: int) -> str:
    """A label, a bar and its number."""
    text = y + 14
    label = f'<text x="{LABELS - 10}" y="{text}" text-anchor="end">{escape(bar.label)}</text>'
    if bar.value is None:
        return f'{label}<text class="note" x="{LABELS + 4}" y="{text}">{escape(bar.missing)}</text>'
    width = max(1.5, bar.value * scale)
    kind = "ours" if bar.ours else "other"
    return (
        f'{label}<rect class="{kind}" x="{LABELS}" y="{y + 2}" width="{width:.1f}" '
        f'height="{ROW - 6}" rx="2"/>'
        f'<text x="{LABELS + width + 6:.1f}" y="{text}">{bar.value:,.{digits}f}</text>'
    )
