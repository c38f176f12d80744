"""What a conversation can have been about, as the agent files it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from hotline.domain.desk import Group, Reason, group_of
from knowledge_base.model import Catalogue, Matter

OTHER: Final = "other"
_FILE: Final = Path(__file__).with_name("wrapping.yml")


def wrap_reasons(catalogue: Catalogue) -> list[tuple[str, str]]:
    """Code and name of every matter, those of one skill group together and the most wanted first; what is not the
    fund's business after them, and `OTHER` last."""
    ours = [reason for reasons in reasons_by_group(catalogue).values() for reason in reasons]
    outside = _in_order(matter for matter in catalogue.matters.values() if matter.scope != "fund")
    return [*ours, *outside, (OTHER, _other())]


def reasons_by_group(catalogue: Catalogue) -> Mapping[Group, list[tuple[str, str]]]:
    """The fund's own matters by the group that serves them, groups in the order they are declared in."""
    ours = [matter for matter in catalogue.matters.values() if matter.scope == "fund"]
    return {group: _in_order(matter for matter in ours if _group(matter) is group) for group in Group}


def _group(matter: Matter) -> Group:
    """Business of employers alone is their group's."""
    return group_of(matter.topic, reason=Reason.REQUESTED, employer=set(matter.audience) == {"employer"})


def _in_order(matters: Iterable[Matter]) -> list[tuple[str, str]]:
    wanted = sorted(matters, key=lambda matter: (-matter.popularity, matter.code))
    return [(matter.code, matter.name) for matter in wanted]


@cache
def _other() -> str:
    return str(yaml.safe_load(_FILE.read_text(encoding="utf-8"))["other"])
