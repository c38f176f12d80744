"""Two places where Rasa 3.6.21 works again and again for the same result, done once instead.

Neither changes what is accepted or built; together they are more than half of a turn's time in this process.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema import validators
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.events import Event


def install() -> None:
    """From now on action answers are checked by a prepared validator, and event classes are looked up in a table."""
    RemoteAction._validate_action_result = _validate_action_result
    Event.resolve_by_type = staticmethod(_cached(Event.resolve_by_type))


def _validate_action_result(self: RemoteAction, result: dict[str, Any]) -> bool:
    """Rasa's own check without checking its schema against the schema of schemas on every call."""
    _validator().validate(result)
    return True


@cache
def _validator() -> Any:
    schema = RemoteAction.action_response_format_spec()
    return validators.validator_for(schema)(schema)


def _cached(lookup: Any) -> Any:
    """Rasa walks through all event classes for every stored event; classes do not come and go."""
    known: dict[str, Any] = {}

    def resolve_by_type(type_name: str, default: Any = None) -> Any:
        if type_name not in known:
            found = lookup(type_name, None)
            if found is None:
                return default
            known[type_name] = found
        return known[type_name]

    return resolve_by_type
