"""The fingerprint as a page: facts of data and machine, before anything is planned."""

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from fieldcraft.records.facts import Facts
from fieldcraft.report.page import Section
from fieldcraft.report.sections.data import of_facts
from fieldcraft.report.sections.deep import deep
from fieldcraft.report.templating import environment, printable


def fingerprint_page(facts: Facts, pixels: Mapping[str, npt.NDArray[Any]]) -> str:
    """The whole page as HTML; `pixels`: thumbnails as `thumbnails.npz` has them, or nothing."""
    sections = (
        Section("data", "The data and the machine", of_facts(facts, pixels), "sections/data.html"),
        Section("deep", "What the data bears", deep(facts.data.deep, facts.data.target.task), "sections/deep.html"),
    )
    page = environment().get_template("fingerprint.html").render(name=facts.data.name, sections=sections)
    return printable(page)
