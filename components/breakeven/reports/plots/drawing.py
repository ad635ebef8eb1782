"""From a matplotlib figure to SVG that belongs into a page: its colours, its font, its names."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Matplotlib writes these colours; in the page they are CSS variables, so that they follow a dark
# screen. Hues of Okabe and Ito, which people with any colour vision tell apart.
COLOURS = MappingProxyType(
    {
        "ink": "#010101",
        "faint": "#020202",
        "grid": "#030303",
        "own": "#040404",
        "idle": "#050505",
        "api": "#060606",
        "hosted": "#070707",
        "people": "#080808",
    }
)


@dataclass(frozen=True, slots=True)
class Size:
    """How large a plot is drawn.

    Attributes:
        name: "wide" for screens and paper, "narrow" for phones.
        width: Pixels of CSS; text is drawn so that it has its size at this width.
    """

    name: str
    width: int

    @property
    def narrow(self) -> bool:
        """Whether it is for a phone."""
        return self.name == "narrow"


SIZES = (Size("wide", 720), Size("narrow", 328))


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A plot and what belongs to it.

    Attributes:
        name: One word; identifiers inside begin with it, so that plots in one page do not mix.
        title: What it shows.
        description: Text for screen readers, and the caption below it.
        height: Pixels of CSS.
        plot: Draws into an empty figure of a size.
    """

    name: str
    title: str
    description: str
    height: int
    plot: Callable[[Figure, Size], None]


def drawn(picture: Picture, size: Size) -> str:
    """Draws a picture and returns it as an SVG element; the same input gives the same text.

    Raises:
        ModuleNotFoundError: Matplotlib is not installed.
    """
    from matplotlib import style  # noqa: PLC0415  # half a second, and an extra
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    # What a user's own matplotlibrc says would show in the report.
    with style.context(["default", _STYLE]):
        figure = Figure(figsize=(size.width / 72, picture.height / 72), layout="constrained")
        picture.plot(figure, size)
        buffer = io.StringIO()
        FigureCanvasSVG(figure).print_svg(  # type: ignore[no-untyped-call]
            buffer, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    return _for_a_page(buffer.getvalue(), f"{picture.name}-{size.name}", picture.description)


_STYLE = {
    "svg.hashsalt": "breakeven",  # names inside would differ at every run
    "text.parse_math": False,  # a dollar is a dollar
    "svg.fonttype": "none",  # text stays text, in the page's font
    "font.family": "DejaVu Sans",  # comes with matplotlib, so layout is the same everywhere
    "font.size": 11.0,
    "text.color": COLOURS["ink"],
    "axes.labelcolor": COLOURS["faint"],
    "axes.edgecolor": COLOURS["grid"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": COLOURS["grid"],
    "grid.linewidth": 0.5,
    "xtick.color": COLOURS["grid"],
    "ytick.color": COLOURS["grid"],
    "xtick.labelcolor": COLOURS["faint"],
    "ytick.labelcolor": COLOURS["faint"],
    "hatch.color": COLOURS["faint"],
    "hatch.linewidth": 0.5,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


def _for_a_page(text: str, name: str, description: str) -> str:
    text = text[text.index("<svg") :]
    for variable, colour in COLOURS.items():
        text = text.replace(colour, f"var(--{variable})")
    # Fonts of the page: the names that matplotlib looked up are not those of a reader's machine.
    text = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'(xlink:href="#|url\(#)', rf"\1{name}-", text)
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    # A hundredth of a pixel is enough; six places would double the size of the page.
    text = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), text)
    label = escape(description, quote=True)
    return text.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1).rstrip()
