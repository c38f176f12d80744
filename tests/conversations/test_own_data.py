"""Every conversation of own_data/ at the real doors, many at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import pytest

from tests.conversations.playbill import Playbill
from tests.conversations.scenes import Scene, play, scenes
from tests.conversations.stage import Stage
from tests.stack import Stack

pytestmark = pytest.mark.stack

SCENES = sorted(scenes(), key=lambda scene: (scene.alone, scene.name))


@pytest.fixture(scope="module")
def stage(stack: Stack) -> Iterator[Stage]:
    with contextlib.closing(Stage(stack)) as made:
        yield made


@pytest.fixture(scope="module")
def bill(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Playbill]:
    """The scenes that were asked for, but those that have to be played alone; the longest pauses begin first."""
    asked = [_params(item)["scene"] for item in request.session.items if "scene" in _params(item)]
    together = [scene for scene in asked if isinstance(scene, Scene) and not scene.alone]
    made = Playbill(sorted(together, key=lambda scene: -scene.waits_s), stage)
    made.begin()
    yield made
    made.end()


@pytest.mark.parametrize("scene", [pytest.param(scene, id=scene.name) for scene in SCENES])
def test_a_conversation_on_own_data_goes_as_written(scene: Scene, stage: Stage, bill: Playbill) -> None:
    if scene.alone:
        bill.wait()
        went_wrong = play(scene, stage, trouble_is_over=lambda: None)
    else:
        went_wrong = bill.outcomes[scene.name].result()
    assert not went_wrong, "\n".join(went_wrong)


def _params(item: pytest.Item) -> Mapping[str, object]:
    spec = getattr(item, "callspec", None)
    return spec.params if spec else {}
