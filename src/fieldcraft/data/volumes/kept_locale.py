"""The locale of the process, kept while a library that resets it is at work."""

import locale
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_locale() -> Iterator[None]:
    """Put the locale back at the end: GDCM, which lists DICOM series, leaves "C", and text files would become ASCII."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)
