"""How much room names need: without a browser, the width of text can only be estimated, so it is taken generously."""

import unicodedata

from fieldcraft.report.wording import shortened

SIZE = 12.5
"""Of names, in pixels."""
NARROW = frozenset("fijlrtI.,:;'|!()[]/ ")
BROAD = frozenset("mwMW@%—…<>+=~")


def text_width(text: str) -> float:
    """Pixels that a name takes at most in the usual system fonts."""
    return SIZE * sum(_em(letter) for letter in text)


def fitted(text: str, most: float) -> str:
    """The name, cut in its middle so that it takes at most so many pixels."""
    count = len(text)
    while count > 3 and text_width(shortened(text, count)) > most:
        count -= 1
    return shortened(text, count)


def _em(letter: str) -> float:
    if letter in NARROW:
        return 0.45
    if letter in BROAD or unicodedata.east_asian_width(letter) in "WF":
        return 1.05
    return 0.8 if letter.isupper() else 0.66
