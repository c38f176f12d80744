"""Which cases the last report put together, so that a decision meets what the editor saw."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from hotline.errors import ConfigError


class LastReport:
    """One file of case numbers, none of their texts. A file that cannot be read counts as none."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def save(self, groups: Iterable[Sequence[int]]) -> None:
        """Raises ConfigError where the file cannot be written."""
        draft = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps([list(group) for group in groups]), encoding="ascii")
            draft.replace(self._file)
        except OSError as error:
            raise ConfigError(f"{self._file} cannot be written: {error.strerror}") from error

    def group(self, case: int) -> list[int] | None:
        """The cases put together with ``case``, itself included; None where the report had no such case."""
        return next((group for group in self._groups() if case in group), None)

    def _groups(self) -> list[list[int]]:
        try:
            groups = json.loads(self._file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return []
        sound = isinstance(groups, list) and all(isinstance(group, list) for group in groups)
        return groups if sound else []
