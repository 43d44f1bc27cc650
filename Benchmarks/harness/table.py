"""One figure is one row: pm, its floor, how many times the floor, what is aimed at, the peers, the command."""

from dataclasses import dataclass, field


@dataclass
class Row:
    """A figure. `aim` is the most that pm may need; `aim_ratio` the most times its floor; `at_least` turns it round."""

    name: str
    unit: str
    pm: float | None = None
    floor: float | None = None
    aim: float | None = None
    aim_ratio: float | None = None
    at_least: bool = False
    note: str = ""
    peers: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self):
        return self.pm / self.floor if self.pm is not None and self.floor else None

    @property
    def met(self):
        """Whether the aim is met; nothing is said without an aim or a figure."""
        if self.pm is None or (self.aim is None and self.aim_ratio is None):
            return ""
        value, aim = (self.ratio, self.aim_ratio) if self.aim is None else (self.pm, self.aim)
        if value is None:
            return ""
        return "yes" if (value >= aim if self.at_least else value <= aim) else "NO"

    @property
    def aim_text(self):
        sign = ">=" if self.at_least else "<="
        if self.aim is not None:
            return f"{sign} {number(self.aim)}"
        return "" if self.aim_ratio is None else f"{sign} {self.aim_ratio:g}x floor"


def number(value):
    """Three significant figures, whole numbers from 100 on, with separators; nothing for None."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def render(rows, command):
    """The rows as a Markdown table; `command` prints the command line that measures a row again."""
    peers = sorted({peer for _, row in rows for peer in row.peers})
    head = ["figure", "unit", "pm", "floor", "ratio", "aim", "met", *peers, "measured by"]
    body = [
        [row.name, row.unit, number(row.pm), number(row.floor), number(row.ratio), row.aim_text, row.met]
        + [number(row.peers.get(peer)) for peer in peers]
        + [command(figure) + (f" ({row.note})" if row.note else "")]
        for figure, row in rows
    ]
    widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
    lines = [head, ["-" * width for width in widths], *body]
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines)
