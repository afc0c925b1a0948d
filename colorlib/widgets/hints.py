"""The hints of the photo tool: their places and colours, what a click does, and how they look."""

import math

from colorlib.widgets.page import swatch

NEAR = 0.03  # of the longer side: a click this close to a dot means the dot


class Hints:
    """The hints on a photograph of height x width pixels, in the order in which they were made.

    `colors`: pixel (x, y) -> "#RRGGBB". `place`: the pixel that is chosen, a hint's or another; a
    hint that is `moving` goes to the next place that is chosen.
    """

    def __init__(self, height: int, width: int):
        self.height, self.width = height, width
        self.colors: dict[tuple[int, int], str] = {}
        self.place: tuple[int, int] | None = None
        self.moving = False

    def as_tuples(self) -> tuple[tuple[int, int, str], ...]:
        """(x, y, colour) each, as `colorize_photo` takes them."""
        return tuple((*place, color) for place, color in self.colors.items())

    def go(self, x: int, y: int) -> None:
        """Choose a pixel; a hint that is moving goes along."""
        place = min(x, self.width - 1), min(y, self.height - 1)
        if self.moving:
            self.colors[place] = self.colors.pop(self.place)
        self.place = place

    def click(self, x: float, y: float) -> None:
        """Choose a place, pick up a dot, or put it down: shares of width and height."""
        place = int(x * self.width), int(y * self.height)
        near = min(self.colors, key=lambda hint: math.dist(hint, place), default=(math.inf, 0))
        close = math.dist(near, place) <= NEAR * max(self.width, self.height)
        if close and (near == self.place or not self.moving):
            self.place, self.moving = near, not self.moving
        else:
            self.go(*place)
            self.moving = False

    def choose(self, number: int, then: str) -> None:
        """Choose a hint by its number, to "move" or to "remove" it."""
        self.place, self.moving = list(self.colors)[number], then == "move"
        if then == "remove":
            del self.colors[self.place]
            self.place = None

    def color(self, color: str) -> None:
        """Give the hint at the place, an old or a new one, this colour."""
        self.colors[self.place], self.moving = color, False

    def marks(self) -> str:
        """The dots, and the cross at a place without one, as HTML to lie over the picture."""
        drawn = '<div class="line"></div>'
        places = ({self.place: None} if self.place else {}) | self.colors
        for (x, y), color in places.items():
            kind = "dot chosen" if (x, y) == self.place else "dot"
            style = f"left:{x / self.width:.2%};top:{y / self.height:.2%}"
            kind, style = (kind, f"{style};background:{color}") if color else ("cross", style)
            drawn += f'<div class="{kind}" style="{style}"></div>'
        count = f"{len(self.colors)} hint{'s' * (len(self.colors) != 1)}"
        label = f"The photograph with {count}. Click a place, or set it with the sliders below."
        alt = "The photograph as the network colours it"
        return (
            f'<div class="over colorlib-pick" role="application" aria-label="{label}" '
            f'data-alt="{alt}">{drawn}</div>'
        )

    def lines(self) -> str:
        """A line for each hint, with buttons, as HTML."""
        listed = ""
        for number, ((x, y), color) in enumerate(self.colors.items()):
            listed += f"<div>x {x}, y {y}, {swatch(color)}"
            for word in ("move", "remove"):
                about = f'title="{word} hint {number + 1}, {color}" data-send="{word} {number}"'
                listed += f' <button class="jupyter-button" {about}>{word}</button>'
            moving = self.moving and (x, y) == self.place
            listed += " <b>Click its new place.</b></div>" if moving else "</div>"
        return listed
