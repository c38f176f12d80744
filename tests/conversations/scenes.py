"""Plays conversations on own data as people have them: at the real doors, with proof, forms and troubles.

A file holds ``test_cases``; a case has ``test_case`` (its name), ``person`` (key of sandbox/fund/cast.yml, or one per
channel), ``channels`` (web and wechat otherwise), ``alone: true`` where it troubles everybody, and ``steps``. What
stands in a step happens in this order, whatever order it is written in:

- ``on``: from here on the conversation is on this channel; ``new_conversation``: a new one on the same
- ``core``: ``{fault: …}`` as in sandbox/fund/control.py, for this person alone unless ``everybody`` is true;
  ``{trouble: over}`` when there will be none any more; or ``{advance: state}`` for the application filed last
- ``expire``: the ``proof`` or the ``code`` runs out
- ``user``: what the citizen says; ``prove``: he follows the link offered last as `_PROOFS` says; ``hear``: he waits so
  many seconds for what is said by itself; ``fetch``: he opens what was offered under this label
- ``bot_uttered: {text_matches: …}``: one or several regular expressions found in what was said last; ``not_said``: one
  that is not; ``offers``: labels it offers; ``page``: what the identity page shows; ``got``: status and type fetched
- ``filed``: how many applications of this conversation the core system has, ``{count: 1, yuan: 2000}`` or a number

In what is said and looked for, ``<month-2>`` is the month two months ago as people write it, ``<day+5>`` a day, and
``<id_number>`` any such field of the person's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml

from hotline.domain.clock import today
from hotline.domain.periods import add_months
from tests.citizens import Citizen, IdentityPage, Person, Said, client, newest_code, prove_by_keypad, prove_on_page
from tests.conversations.stage import Stage

FOLDER = Path(__file__).resolve().parent / "own_data"
DEFAULT_CHANNELS = ("web", "wechat")
KNOWN = frozenset(
    "on new_conversation core expire user prove hear fetch bot_uttered not_said offers page got filed".split()
)


@dataclass(frozen=True, slots=True)
class Scene:
    """One conversation on one channel. ``alone``: nothing else may be played meanwhile."""

    name: str
    channel: str
    person: str
    steps: Sequence[Mapping[str, Any]]
    alone: bool = False

    @property
    def has_fault(self) -> bool:
        return any("fault" in step.get("core", {}) for step in self.steps)

    @property
    def on_wechat(self) -> bool:
        return "wechat" in (self.channel, *(step.get("on") for step in self.steps))

    @property
    def waits_s(self) -> float:
        """The longest pauses: such scenes begin first."""
        return float(sum(step.get("hear", 0) for step in self.steps))


def scenes(folder: Path = FOLDER) -> Iterator[Scene]:
    """Every case on each of its channels. Raises ValueError for a key that means nothing."""
    for path in sorted(folder.glob("*.yml")):
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))["test_cases"]:
            unknown = {key for step in case["steps"] for key in step} - KNOWN
            if unknown:
                raise ValueError(f"{path.name}: {case['test_case']}: unknown keys {sorted(unknown)}")
            for channel in case.get("channels", DEFAULT_CHANNELS):
                person = case.get("person", "")
                whose = person[channel] if isinstance(person, dict) else person
                name = f"{path.stem}/{case['test_case']} on {channel}"
                yield Scene(name, channel, whose, case["steps"], case.get("alone", False))


def play(scene: Scene, stage: Stage, *, trouble_is_over: Callable[[], None]) -> list[str]:
    """The conversation as it went, where something went otherwise than written; empty when all is well.

    ``trouble_is_over`` is called as soon as the scene has no more use for the core system's fault."""
    with ExitStack() as held:
        if scene.person:
            held.enter_context(stage.playing(scene.person))
        trouble = held.enter_context(ExitStack())
        if scene.has_fault:
            trouble.callback(trouble_is_over)
            trouble.callback(stage.end_trouble)
        player = _Player(scene, stage, held=held, trouble=trouble)
        try:
            for step in scene.steps:
                player.take(step)
        except (AssertionError, httpx.HTTPError) as error:
            player.wrong(f"{type(error).__name__}: {error}")
        return player.record if player.failed else []


class _Player:
    """Takes the steps of one scene."""

    def __init__(self, scene: Scene, stage: Stage, *, held: ExitStack, trouble: ExitStack) -> None:
        self._stage = stage
        self._held = held
        self._trouble = trouble
        self._key = scene.person
        self._person: Person = stage.cast[scene.person] if scene.person else {}
        self._before = self._numbers()
        self._citizen: Citizen
        self._said = Said("")
        self._page: IdentityPage | None = None
        self._got: httpx.Response | None = None
        self._link = ""
        self.record: list[str] = []
        self.failed = False
        self._enter(scene.channel)

    def take(self, step: Mapping[str, Any]) -> None:
        for name, act in self._steps.items():
            if name in step:
                act(self, step[name])

    def wrong(self, problem: str) -> None:
        self.failed = True
        self.record.append(f"!!! {problem}")

    # --- what happens ---------------------------------------------------------------------------------------------

    def _enter(self, channel: str) -> None:
        self._citizen = self._held.enter_context(self._stage.citizen(channel, self._person))

    def _again(self, _: object) -> None:
        if self._citizen.channel == "wechat":
            self._citizen.begin_anew()  # type: ignore[attr-defined]
        else:
            self._enter(self._citizen.channel)

    def _core(self, wish: Mapping[str, Any]) -> None:
        if "advance" in wish:
            self._stage.advance(self._new_applications()[0].application_no, wish["advance"])
        if "fault" in wish:
            self._stage.plan_fault(wish["fault"], None if wish.get("everybody") else self._key)
        if wish.get("trouble") == "over":
            self._trouble.close()

    def _expire(self, what: str) -> None:
        {"proof": self._stage.let_proof_expire, "code": self._stage.let_code_expire}[what](self._citizen)

    def _user(self, text: str) -> None:
        self.record.append(f"> {text}")
        self._hears(self._citizen.say(self._filled(str(text))))

    def _prove(self, how: str) -> None:
        self.record.append(f"> ({how})")
        if how == "keypad":
            self._hears(prove_by_keypad(self._stage.stack, self._citizen, self._person))
        elif how in ("password", "card"):
            by = "bank_card" if how == "card" else "query_password"
            self._hears(prove_on_page(self._stage.stack, self._citizen, self._person, self._link, by=by))
        else:
            self._page = _PROOFS[how](self)

    def _hear(self, seconds: float) -> None:
        self._hears(self._citizen.hear(seconds))

    def _fetch(self, label: str) -> None:
        self._got = self._citizen.browser().get(self._said.choices[label], follow_redirects=True)

    def _hears(self, said: Said) -> None:
        self._said = said
        self._link = next((url for url in said.choices.values() if "/id/" in url), self._link)
        self.record.append(f"{said.text} {list(said.choices)}")

    # --- what must be so ------------------------------------------------------------------------------------------

    def _uttered(self, wanted: Mapping[str, Any]) -> None:
        patterns = wanted["text_matches"]
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            if not re.search(self._filled(pattern), self._said.text):
                self.wrong(f"{pattern!r} was not said")

    def _not_said(self, pattern: str) -> None:
        if re.search(self._filled(pattern), self._said.text):
            self.wrong(f"{pattern!r} was said")

    def _offers(self, labels: str | Sequence[str]) -> None:
        for label in [labels] if isinstance(labels, str) else labels:
            if label not in self._said.choices:
                self.wrong(f"{label!r} was not offered")

    def _shows(self, pattern: str) -> None:
        shows = self._page.shows if self._page else ""
        if not re.search(pattern, shows):
            self.wrong(f"the page does not show {pattern!r}: {shows[:400]}")

    def _fetched(self, wanted: Mapping[str, Any]) -> None:
        assert self._got is not None, "nothing was fetched"
        got = (self._got.status_code, self._got.headers.get("content-type", "").partition(";")[0])
        if got != (wanted["status"], wanted["type"]):
            self.wrong(f"got {got}")

    def _filed(self, wanted: int | Mapping[str, Any]) -> None:
        wish: Mapping[str, Any] = {"count": wanted} if isinstance(wanted, int) else wanted
        found = self._new_applications()
        if len(found) != wish["count"]:
            self.wrong(f"the core system has {[(each.business, each.state) for each in found]}")
        for name in ("business", "state"):
            if name in wish and any(getattr(each, name) != wish[name] for each in found):
                self.wrong(f"{name} is {[getattr(each, name) for each in found]}")
        if "yuan" in wish and any(each.amount_fen != wish["yuan"] * 100 for each in found):
            self.wrong(f"filed for {[each.amount_fen for each in found]} fen")

    # ----------------------------------------------------------------------------------------------------------------

    def _new_applications(self) -> list[Any]:
        found = self._stage.filed(self._key)
        new = [each for each in found if each.application_no not in self._before]
        return sorted(new, key=lambda each: each.submitted_at, reverse=True)

    def _numbers(self) -> set[str]:
        return {each.application_no for each in self._stage.filed(self._key)} if self._key else set()

    def _filled(self, text: str) -> str:
        return _PLACE.sub(lambda found: _value(found, self._person), text)

    def _sign_in(self, **form: str) -> IdentityPage:
        page = IdentityPage(self._stage.stack, self._citizen.browser(), self._link)
        known = {"id_number": self._person["id_number"], "query_password": self._person["password"]}
        page.give_numbers(**{**known, **form})
        return page

    def _many_wrong(self) -> IdentityPage:
        for _ in range(self._stage.stack.settings.identity.wrong_before_lock):
            page = self._wrong_password()
        return page

    def _wrong_password(self) -> IdentityPage:
        return self._sign_in(query_password="999999")

    def _wrong_digit(self) -> IdentityPage:
        number = self._person["id_number"]
        return self._sign_in(id_number=number[:-1] + ("0" if number[-1] != "0" else "1"))

    def _without_consent(self) -> IdentityPage:
        return self._sign_in(consent="")

    def _numbers_only(self) -> IdentityPage:
        return self._sign_in()

    def _wrong_code(self) -> IdentityPage:
        page = self._sign_in()
        page.give_code(f"{(int(newest_code(self._stage.stack, self._person['mobile'])) + 1) % 1_000_000:06}")
        return page

    def _late_code(self) -> IdentityPage:
        page = self._sign_in()
        self._stage.let_code_expire(self._citizen)
        page.give_code(newest_code(self._stage.stack, self._person["mobile"]))
        return page

    def _stolen(self) -> IdentityPage:
        with client(self._stage.stack.gateway) as elsewhere:
            elsewhere.get("/chat")
            return IdentityPage(self._stage.stack, elsewhere, self._link)

    def _used(self) -> IdentityPage:
        return IdentityPage(self._stage.stack, self._citizen.browser(), self._link)

    _steps: Mapping[str, Callable[[Any, Any], None]] = {
        "on": _enter,
        "new_conversation": _again,
        "core": _core,
        "expire": _expire,
        "user": _user,
        "prove": _prove,
        "hear": _hear,
        "fetch": _fetch,
        "bot_uttered": _uttered,
        "not_said": _not_said,
        "offers": _offers,
        "page": _shows,
        "got": _fetched,
        "filed": _filed,
    }


_PROOFS: Mapping[str, Callable[[Any], IdentityPage]] = {
    "wrong password": _Player._wrong_password,
    "wrong password many times": _Player._many_wrong,
    "wrong check digit": _Player._wrong_digit,
    "no consent": _Player._without_consent,
    "numbers": _Player._numbers_only,
    "wrong code": _Player._wrong_code,
    "late code": _Player._late_code,
    "stolen link": _Player._stolen,
    "used link": _Player._used,
}
"""Ways that do not end in a proof, besides ``password``, ``card`` and ``keypad``, which do."""
_PLACE = re.compile(r"<(?:(month|day)([+-]\d+)|([a-z_]+))>")


def _value(found: re.Match[str], person: Person) -> str:
    unit, count, name = found.groups()
    if name:
        return str(person[name])
    if unit == "day":
        when = today() + timedelta(days=int(count))
        return f"{when.year}年{when.month}月{when.day}日"
    month = add_months(today().replace(day=1), int(count))
    return f"{month.year}年{month.month}月"
