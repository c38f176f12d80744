"""Plays many scenes at once: each as soon as its person, a telephone and the core system's one fault are free."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import Future

from tests.conversations.scenes import Scene, play
from tests.conversations.stage import Stage

AT_ONCE = 12
"""Most of them wait most of the time: for the page's limits, or for news."""
TROUBLE = "trouble"
PHONE = "phone"


class Playbill:
    """The scenes in the order they are wanted; whatever can be played first is."""

    def __init__(self, scenes: Iterable[Scene], stage: Stage) -> None:
        self._stage = stage
        self._waiting = list(scenes)
        self.outcomes: Mapping[str, Future[list[str]]] = {scene.name: Future() for scene in self._waiting}
        self._busy: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._players = [threading.Thread(target=self._play_on, daemon=True) for _ in range(AT_ONCE)]

    def begin(self) -> None:
        for player in self._players:
            player.start()

    def end(self) -> None:
        """Nothing new is begun, and what was begun is over."""
        with self._changed:
            self._waiting.clear()
        self.wait()

    def wait(self) -> None:
        for player in self._players:
            player.join()

    def _play_on(self) -> None:
        while scene := self._next():
            outcome = self.outcomes[scene.name]
            try:
                outcome.set_result(play(scene, self._stage, trouble_is_over=lambda: self._free([TROUBLE])))
            except Exception as error:
                outcome.set_exception(error)
            self._free(each for each in _needs(scene) if each != TROUBLE)

    def _next(self) -> Scene | None:
        """The next one that can be played, as soon as there is one; None when all have begun."""
        with self._changed:
            while self._waiting:
                for scene in self._waiting:
                    if all(self._busy[each] < self._count(each) for each in _needs(scene)):
                        self._waiting.remove(scene)
                        self._busy.update(_needs(scene))
                        return scene
                self._changed.wait()
            return None

    def _free(self, resources: Iterable[str]) -> None:
        with self._changed:
            self._busy.subtract(resources)
            self._changed.notify_all()

    def _count(self, resource: str) -> int:
        return self._stage.phones if resource == PHONE else 1


def _needs(scene: Scene) -> list[str]:
    """What the scene needs alone."""
    named = [scene.person] if scene.person else []
    phone = [PHONE] if scene.on_wechat else []
    return [*named, *phone, *([TROUBLE] if scene.has_fault else [])]
