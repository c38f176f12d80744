"""Files an editor works on, replaced whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from hotline.errors import HotlineError


class FileChanged(HotlineError):
    """Somebody else wrote the file, or it cannot be written. Nothing has changed."""


def replace_text(file: Path, text: str, *, expected: str | None) -> None:
    """``file`` holds ``text`` afterwards, with the permissions it had.

    Args:
        file: what to write; its folder is made where it is missing.
        text: the new content.
        expected: what the file held when it was read; None: it was not there.

    Raises:
        FileChanged: it holds something else by now, or the disk refuses.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        current = file.read_bytes() if file.is_file() else None
        if current != (None if expected is None else expected.encode("utf-8")):
            raise FileChanged(f"{file} was changed by somebody else meanwhile: try again")
        draft.write_bytes(text.encode("utf-8"))
        if current is not None:
            draft.chmod(file.stat().st_mode & 0o777)
        draft.replace(file)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise FileChanged(f"{file} cannot be written: {error.strerror or error}") from error
