"""One style for all charts, which are SVG elements of a page.

The colours are those of Okabe and Ito, which readers with any colour vision can distinguish. Text stays text.
"""

import io
import re
from typing import Any

from matplotlib.figure import Figure

BLACK, GREY, ORANGE, SKY, GREEN, BLUE, RED, PURPLE = (
    *("#1a1a1a", "#8a8f98", "#e69f00", "#56b4e9", "#009e73", "#0072b2", "#d55e00", "#cc79a7"),
)
OUTCOMES = {
    "ok": BLUE,
    "5xx": RED,
    "timed_out": ORANGE,
    "refused": PURPLE,
    "reset": BLACK,
    "4xx": GREEN,
    "closed_early": GREY,
    "truncated": SKY,
}
LOOK: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": BLACK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 7,
    "grid.color": "#e8eaed",
    "grid.linewidth": 0.8,
    "xtick.color": "#4a4f57",
    "ytick.color": "#4a4f57",
    "legend.frameon": True,
    "legend.edgecolor": "none",
    "legend.framealpha": 0.9,
    "legend.fancybox": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
}


def svg(figure: Figure) -> str:
    """The figure as an SVG element without the header of an SVG file."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    text = file.getvalue()
    element = text[text.index("<svg") :]
    return re.sub(r' (width|height)="[^"]*pt"', "", element, count=2)
