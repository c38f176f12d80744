"""What is written down in own_data/ can be played, and the player notices what goes otherwise."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from tests.citizens import Said
from tests.conversations.scenes import Scene, play, scenes
from tests.conversations.stage import Stage


class Echo:
    """A citizen who is told the same each time, and a stage with nobody else on it."""

    channel = "web"
    cast: ClassVar[dict[str, Any]] = {}

    def __init__(self, text: str) -> None:
        self._text = text

    def say(self, text: str) -> Said:
        return Said(self._text, {"验证身份": "http://127.0.0.1/id/x"})

    @contextlib.contextmanager
    def citizen(self, channel: str, person: Any) -> Iterator[Any]:
        yield self


def played(text: str, **step: Any) -> list[str]:
    scene = Scene("s", "web", "", [{"user": "余额", **step}])
    return play(scene, cast(Stage, Echo(text)), trouble_is_over=lambda: None)


@pytest.mark.parametrize(
    ("step", "is_well"),
    [
        ({"bot_uttered": {"text_matches": "余额是"}}, True),
        ({"bot_uttered": {"text_matches": ["余额是", "九元"]}}, False),
        ({"not_said": "余额是"}, False),
        ({"offers": "验证身份"}, True),
        ({"offers": ["验证身份", "转人工"]}, False),
        ({"page": "验证码"}, False),
    ],
)
def test_every_difference_is_told(step: dict[str, Any], is_well: bool) -> None:
    assert (played("余额是1元", **step) == []) is is_well


def test_a_key_that_means_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("test_cases: [{test_case: x, steps: [{user: a, mater: rent}]}]", encoding="utf-8")
    with pytest.raises(ValueError, match="mater"):
        list(scenes(tmp_path))


def test_there_are_conversations_of_every_kind_and_each_has_a_name_of_its_own() -> None:
    names = [scene.name for scene in scenes()]
    assert len(set(names)) == len(names)
    kinds = {name.partition("/")[0] for name in names}
    assert kinds >= {"queries", "applications", "calculators", "may_i", "certificates", "identity", "interruptions"}
    assert kinds >= {"corrections", "cancellations", "drafts", "troubles"}
    assert len({name.rpartition(" on ")[0] for name in names}) >= 60
