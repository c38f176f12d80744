"""The content that ships, as an editor would have it checked."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import knowledge_base
from knowledge_base.loader import load
from knowledge_base.model import TOPICS, Catalogue
from knowledge_base.render import CHANNELS, render

ROOT = Path(knowledge_base.__file__).parent


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return load(ROOT, centre="guangzhou")


def test_the_shipped_content_has_no_problem_and_every_topic(shipped: Catalogue) -> None:
    assert {matter.topic for matter in shipped.matters.values()} == set(TOPICS)


def test_every_answer_can_be_given_today_on_every_channel(shipped: Catalogue) -> None:
    today = max(value.effective_from for parameter in shipped.parameters.values() for value in parameter.values)
    today = max(today, date(2026, 11, 23))
    for matter in shipped.matters.values():
        for aspect in matter.aspects.values():
            for channel in CHANNELS:
                answer = render(shipped, matter, aspect, channel=channel, on=today)
                assert answer.text
                assert answer.sources
