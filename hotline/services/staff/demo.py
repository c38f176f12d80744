"""The sandbox's accounts, as demo.yml has them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from hotline.domain.desk import Group
from hotline.domain.staff import NewStaff, Role
from hotline.errors import ConfigError

FILE = Path(__file__).with_name("demo.yml")
DEMO_PASSWORD: Final = "sandbox-12329-demo"  # noqa: S105 - published, and good with the sandbox alone


@cache
def demo_accounts(path: Path = FILE) -> Sequence[NewStaff]:
    """Everybody who is there. Raises ConfigError where the file cannot be read."""
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
        return tuple(_account(**each) for each in read["accounts"])
    except (OSError, yaml.YAMLError, LookupError, TypeError, ValueError) as error:
        raise ConfigError(f"{path.name} of the staff's accounts cannot be read: {error}") from error


def _account(
    *, name: str, display_name: str, work_no: str, roles: list[str], groups: Sequence[str] = (), extension: str = ""
) -> NewStaff:
    return NewStaff(
        name=name,
        display_name=display_name,
        work_no=work_no,
        roles=frozenset(Role(each) for each in roles),
        groups=frozenset(Group(each) for each in groups),
        extension=extension,
    )
