"""A reader of HTML that insists on what a good page keeps to."""

from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "hr", "input"}
ADDRESSES = ("href", "src", "srcset", "action", "data", "poster")


class StrictReader(HTMLParser):
    """Collects what is wrong with a page, and what it holds."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.anchors: list[str] = []
        self.headings: list[int] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self._open.append(tag)
        self._look(tag, dict(attrs))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._look(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()} closes nothing")

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.text.append(data)

    def close(self) -> None:
        super().close()
        self.faults += [f"<{tag}> stays open" for tag in self._open]
        self.faults += [f"id {name} twice" for name in set(self.ids) if self.ids.count(name) > 1]
        self.faults += [f"#{name} leads nowhere" for name in self.anchors if name not in self.ids]
        steps = zip([0, *self.headings], self.headings, strict=False)
        self.faults += [f"heading jumps from {above} to {level}" for above, level in steps if level > above + 1]

    def _look(self, tag: str, attributes: dict[str, str | None]) -> None:
        self.tags.append(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"] or "")
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append(int(tag[1]))
        if tag == "img" and not attributes.get("alt"):
            self.faults.append(f"image without alt at {self.getpos()}")
        if tag == "svg" and not (attributes.get("role") == "img" and attributes.get("aria-label")):
            self.faults.append(f"drawing without a label at {self.getpos()}")
        if tag == "th" and attributes.get("scope") not in ("row", "col"):
            self.faults.append(f"table heading without a scope at {self.getpos()}")
        self.faults += [f"{name} at {self.getpos()}" for name in attributes if name.startswith("on")]
        for name in ADDRESSES:
            address = attributes.get(name) or ""
            if address.startswith("#"):
                self.anchors.append(address[1:])
            elif address and not address.startswith("data:"):
                self.faults.append(f"{name}={address[:60]} leads out of the page")


def read_strictly(page: str) -> StrictReader:
    """The page, read to its end."""
    reader = StrictReader()
    reader.feed(page)
    reader.close()
    return reader
