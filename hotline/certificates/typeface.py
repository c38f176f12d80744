"""The typeface of printed certificates: a subset of Noto Serif SC that comes with the product (fonts/README.md)."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from fpdf import FPDF
from fpdf.fonts import TTFFont

from hotline.errors import ConfigError

NAME = "certificate"
FONT_FILE = Path(__file__).with_name("fonts") / "NotoSerifSC-Regular.subset.woff"
BOX = "\N{WHITE SQUARE}"
"""Stands for a character the typeface has not."""


def add_typeface(pdf: FPDF, file: Path = FONT_FILE) -> Container[int]:
    """The typeface is in ``pdf`` as `NAME`; the code points it can print. Raises: ConfigError."""
    try:
        pdf.add_font(NAME, fname=file)
    except OSError as error:
        raise ConfigError(f"the typeface of certificates is missing: {file}") from error
    font = pdf.fonts[NAME]
    return frozenset(font.cmap) if isinstance(font, TTFFont) else frozenset()


def printable(text: str, known: Container[int]) -> str:
    """``text`` with a box in place of each character that is not ``known``."""
    return "".join(character if ord(character) in known else BOX for character in text)
