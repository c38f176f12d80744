"""Ready sentences of the desk."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from hotline.agent_desk import Canned

_FILE: Final = Path(__file__).with_name("canned.yml")


@cache
def canned(centre: str) -> tuple[Canned, ...]:
    """The common sentences in their order, each in the words of the centre ``centre`` (its code) where it has its own,
    then those only the centre has."""
    return laid_over(yaml.safe_load(_FILE.read_text(encoding="utf-8")), centre)


def laid_over(listed: dict[str, Any], centre: str) -> tuple[Canned, ...]:
    """The same from the parsed file."""
    common = [each for group in listed["groups"].values() for each in group["sentences"]]
    own = listed["centres"].get(centre, ())
    return tuple({each["shortcut"]: Canned(**each) for each in (*common, *own)}.values())
