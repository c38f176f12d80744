"""Messages a machine should not answer alone: anger, overdue loans, death and inheritance, court freezes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hotline.domain.desk import Reason
from hotline.domain.messages import TurnResult

_FILE = Path(__file__).with_name("sensitive.yml")
_ORDER = (Reason.ANGER, Reason.INHERITANCE, Reason.COURT, Reason.OVERDUE)


def sensitive_reason(text: str, result: TurnResult) -> Reason | None:
    """Why a person should take over at once, or None. A matter counts only where the words say that it is about the
    speaker's own case: who asks for the rule gets the rule."""
    for reason in _ORDER:
        rule = _rules()[reason.value]
        if any(word in text for word in rule["always"]):
            return reason
        is_about = result.matter in rule["matters"] or any(word in text for word in rule["words"])
        if is_about and any(word in text for word in _rules()["own_case"]):
            return reason
    return None


@cache
def _rules() -> Mapping[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return loaded
