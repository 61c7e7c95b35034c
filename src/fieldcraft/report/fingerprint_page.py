"""The fingerprint as a page: facts of data and machine, before anything is planned."""

import re
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
from jinja2 import Environment, PackageLoader, StrictUndefined

from fieldcraft.records.facts import Facts
from fieldcraft.report.page import Section
from fieldcraft.report.sections.data import of_facts
from fieldcraft.report.sections.deep import deep

UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Characters that must not stand in an HTML page; names of classes and files may hold them."""


def fingerprint_page(facts: Facts, pixels: Mapping[str, npt.NDArray[Any]]) -> str:
    """The whole page as HTML; `pixels`: thumbnails as `thumbnails.npz` has them, or nothing."""
    environment = Environment(
        loader=PackageLoader("fieldcraft.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections = (
        Section("data", "The data and the machine", of_facts(facts, pixels), "sections/data.html"),
        Section("deep", "What the data bears", deep(facts.data.deep, facts.data.target.task), "sections/deep.html"),
    )
    page = environment.get_template("fingerprint.html").render(name=facts.data.name, sections=sections)
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", page)
