"""The picture that fields are drawn on: the user's, or a built-in one of a few lines."""

from base64 import b64encode
from pathlib import Path

from fieldcraft.errors import InspectError
from fieldcraft.report.pixels import data_uri

LONGEST_PX = 384
SCENE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 224 224" preserveAspectRatio="xMidYMid slice">
<linearGradient id="s" x2="0" y2="1"><stop stop-color="#8fb8d8"/>
<stop offset=".62" stop-color="#f1e3c6"/></linearGradient>
<path fill="url(#s)" d="M0 0h224v224H0z"/><circle cx="168" cy="52" r="17" fill="#f7d774"/>
<path fill="#7f9cab" d="M0 126 38 78l26 30 40-58 44 66 24-26 52 46v98H0z"/>
<path fill="#fff" opacity=".8" d="m104 50-15 22 12-4 8 7 9-5z"/>
<path fill="#6f9a68" d="M0 150c44-26 86-20 122-6s70 8 102-6v86H0z"/>
<path fill="#4f7d55" d="M0 182c52-22 98-8 136-2s60-2 88-10v54H0z"/>
<path fill="#c9a06a" d="M92 224c8-24 34-34 26-62h12c8 30-6 40-2 62z"/>
<path fill="#e8ddcb" d="M34 136h46v38H34z"/><path fill="#a9503f" d="m28 138 29-24 29 24z"/>
<path fill="#5b4636" d="M51 152h12v22H51z"/><path fill="#54768c" d="M40 144h8v8h-8zm27 0h8v8h-8z"/>
<path fill="#6a4f3a" d="M176 150h8v34h-8z"/><circle cx="180" cy="138" r="23" fill="#3f6b49"/>
<circle cx="168" cy="150" r="13" fill="#487852"/><circle cx="194" cy="149" r="14" fill="#376141"/></svg>"""


def scene(image: Path | None) -> tuple[str, str]:
    """A data URI and what it shows.

    Raises: InspectError when the file cannot be read as an image.
    """
    if image is None:
        return f"data:image/svg+xml;base64,{b64encode(SCENE.encode()).decode()}", "a drawn landscape"
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(image) as opened:
            return data_uri(opened.convert("RGB"), LONGEST_PX), image.name
    except (OSError, UnidentifiedImageError) as error:
        raise InspectError(
            f"{image} must be an image that Pillow reads, but: {error}. Give a PNG or JPEG file."
        ) from error
