"""The press: sets a template with its data as a tagged PDF, the same bytes for the same data.

Source: ISO 14289-1 (PDF/UA-1: tags, title, language, table headers, alternative text), which typst holds documents to.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import local
from typing import Any, Final

import typst

from payouts.papers.words import FOLD, MINUS

_FOLDER: Final = Path(__file__).parent
_STANDARD: Final = "ua-1"
_LATIN: Final = frozenset(map(chr, (*range(0x20, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x180))))
_SURE: Final = _LATIN | frozenset((*MINUS, *FOLD, "\u2013", "\u2019"))
_MINE = local()
"""A compiler is one thread's: what it has read and laid out it keeps for the next document."""


def set_pdf(template: str, data: Mapping[str, Any], made_on: date) -> bytes:
    """Set a document as PDF.

    Args:
        template: the file beside this module, without ``.typ``; it has a function of that name.
        data: what it says; text is taken as it is, never as markup.
        made_on: the document's date; no clock is asked.
    """
    made_at = datetime.combine(made_on, time(), UTC)
    try:
        pdf = _compiled(_source(template, data), made_at)
    except typst.TypstError:
        # The standard lets nothing pass that the font lacks. A name in another script is no reason for no paper.
        pdf = _compiled(_source(template, _shown(data)), made_at)
    if not isinstance(pdf, bytes):
        raise TypeError("typst gave no PDF")
    return pdf


def set_png(template: str, data: Mapping[str, Any], *, pixels_per_inch: int) -> list[bytes]:
    """Set a document as pictures, one a page: to be looked at."""
    pages = _compiler().compile(input=_source(template, data), format="png", ppi=float(pixels_per_inch))
    return [pages] if isinstance(pages, bytes) else list(pages or ())


@cache
def press_mark() -> str:
    """Name what decides a document's bytes beside its data: the templates and the release of typst."""
    digest = hashlib.sha256(version("typst").encode())
    for path in sorted(_FOLDER.glob("*.typ")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _source(template: str, data: Mapping[str, Any]) -> bytes:
    """Call the template with the data as one string: what it shares with other documents stays laid out."""
    text = json.dumps(data, ensure_ascii=False).replace("\\", "\\\\").replace('"', '\\"')
    return f'#import "{template}.typ": {template}\n#{template}(json(bytes("{text}")))\n'.encode()


def _compiled(source: bytes, made_at: datetime) -> object:
    return _compiler().compile(input=source, format="pdf", pdf_standards=[_STANDARD], timestamp=made_at)


def _shown(data: Any) -> Any:  # noqa: ANN401 (what JSON can hold)
    """Leave characters that the font surely has; every other one becomes a question mark, a line's end a blank."""
    match data:
        case str():
            return "".join(each if each in _SURE else " " if each.isspace() else "?" for each in data)
        case Mapping():
            return {_shown(name): _shown(value) for name, value in data.items()}
        case list() | tuple():
            return [_shown(each) for each in data]
        case _:
            return data


def _compiler() -> typst.Compiler:
    """Give this thread's compiler."""
    compiler: typst.Compiler | None = getattr(_MINE, "compiler", None)
    if compiler is None:
        # Fonts of the machine would be others elsewhere: only those that come with typst.
        fonts = typst.Fonts(include_system_fonts=False)
        compiler = _MINE.compiler = typst.Compiler(root=_FOLDER, font_paths=fonts)
    return compiler
