"""What answers when Rasa does not: knowledge search alone, and the switch between the two."""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import structlog
import yaml

from hotline.dialogue.wire import from_messages
from hotline.domain.clock import today
from hotline.domain.messages import InboundKind, TurnRequest, TurnResult
from hotline.errors import TemporaryError
from hotline.ports import Dialogue
from hotline.services.answering import Answering
from hotline.services.knowledge import Knowledge
from hotline.services.offers import Context, Decision, Question, bare
from hotline.settings import ROOT
from knowledge_base.errors import KnowledgeError
from knowledge_base.match import Match
from knowledge_base.normalise import normalise

log = structlog.get_logger(__name__)

REMEMBERED: Final = 2000
"""Conversations whose last matter is kept in this process; an older one starts anew."""
OUTSIDE_AT: Final = 0.6
"""From this probability on a question is not the fund's."""
WARM_UP: Final = "1"
CONTROL_CHARS: Final = 24
"""A longer message says more than a control word."""
CLAUSE_CHARS: Final = 3
"""A shorter clause may stand in any message."""
NEARLY: Final = 74.0
"""From this likeness on (per cent of the characters, in order) words are those of an example."""
SURELY_ASKS_AT: Final = 0.75
"""From this probability of one of the fund's matters on a message asks about that."""
OF_THE_TALK: Final = ("wrong", "repeat", "simpler", "human_request")
"""Intents that speak of the conversation itself: they are meant wherever in a message they stand."""
_CLAUSES: Final = re.compile(r"[,，。.!！?？;；、\s]+")
_CONTROL_FILES_LEFT_OUT: Final = ("ask_knowledge", "out_of_scope")


class KnowledgeDialogue:
    """Dialogue by knowledge search alone; every result is marked degraded. Nothing is loaded before the first turn."""

    def __init__(self, knowledge_dir: Path, *, project: Path = ROOT) -> None:
        self.knowledge = Knowledge(knowledge_dir)
        """What it answers from: whoever else matches in this process shares it, since the models are large."""
        self._project = project
        self._lock = Lock()
        self._contexts: OrderedDict[str, Context] = OrderedDict()

    async def respond(self, request: TurnRequest) -> TurnResult:
        """The answer of the matching entry. Raises TemporaryError when no knowledge is published."""
        started = time.perf_counter()
        try:
            decision = await asyncio.to_thread(self._decide, request)
        except (OSError, KnowledgeError) as error:
            raise TemporaryError(f"no published knowledge: {type(error).__name__}") from error
        took = round((time.perf_counter() - started) * 1000, 2)
        return replace(decision.result, degraded=True, ms={"knowledge": took})

    def prepare(self) -> None:
        """Models and knowledge are in memory afterwards, so that the first citizen of an outage does not wait for
        them. Without published knowledge nothing happens; the first turn says why."""
        try:
            self.knowledge.now().matcher.match(WARM_UP)
        except (OSError, KnowledgeError) as error:
            log.error("dialogue.knowledge.unusable", error=type(error).__name__)
            return
        control_examples(self._project)
        static_responses(self._project)

    def _decide(self, request: TurnRequest) -> Decision:
        knowledge = self.knowledge.now()
        day = request.as_of or today()
        question = Question(text=request.text, intent="greet", channel=request.channel, today=day)
        if request.kind is not InboundKind.START:
            match = knowledge.matcher.match(request.text)
            before = self._context(request.conversation_id).matter
            may_be = before in knowledge.catalogue.matters and match.may_follow_up
            about = knowledge.matcher.about(request.text, before or "") if may_be else None
            control = control_intent(request.text, match, self._project)
            intent = control or ("out_of_scope" if match.asks_outside >= OUTSIDE_AT else "ask_knowledge")
            parts = tuple(knowledge.matcher.parts(request.text))
            question = replace(question, intent=intent, match=match, parts=parts, about=about)
        if question.intent in static_responses(self._project):
            result = static_responses(self._project)[question.intent][request.channel.value]
            return Decision(result=result, context=self._context(request.conversation_id))
        decision = Answering(knowledge.catalogue).decide(question, self._context(request.conversation_id))
        self._remember(request.conversation_id, decision.context)
        return decision

    def _context(self, conversation_id: str) -> Context:
        with self._lock:
            return self._contexts.get(conversation_id, Context())

    def _remember(self, conversation_id: str, context: Context) -> None:
        with self._lock:
            self._contexts[conversation_id] = context
            self._contexts.move_to_end(conversation_id)
            while len(self._contexts) > REMEMBERED:
                self._contexts.popitem(last=False)


def control_key(text: str) -> str:
    """What control words are looked up by: the same for examples and for messages."""
    return bare(normalise(text).text)


def control_intent(text: str, match: Match, project: Path) -> str | None:
    """The intent of control words; None for what asks for an entry.

    Examples count exactly; those that speak of the conversation also where a clause is nearly the same, unless the
    message names a matter or is surely about one.
    """
    from rapidfuzz import fuzz, process

    examples = control_examples(project)
    if found := examples.get(control_key(text)):
        return found
    if match.mentions or match.exact or match.facts.meant or len(match.normalised.text) > CONTROL_CHARS:
        return None
    if any(each.p >= SURELY_ASKS_AT for each in match.candidates if each.scope == "fund"):
        return None
    of_the_talk = [key for key, intent in examples.items() if intent in OF_THE_TALK]
    clauses = [key for clause in _CLAUSES.split(text) if len(key := control_key(clause)) >= CLAUSE_CHARS]
    near = [process.extractOne(key, of_the_talk, scorer=fuzz.ratio, score_cutoff=NEARLY) for key in clauses]
    alike = max((found for found in near if found), key=lambda found: found[1], default=None)
    return examples[alike[0]] if alike else None


@cache
def control_examples(project: Path) -> Mapping[str, str]:
    """Control words and their intents: the examples Rasa is trained on, exactly."""
    found: dict[str, str] = {}
    for path in sorted((project / "data" / "nlu").glob("*.yml")):
        if path.stem in _CONTROL_FILES_LEFT_OUT:
            continue
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            for line in block["examples"].splitlines():
                found[control_key(line.removeprefix("- "))] = block["intent"]
    return found


@cache
def static_responses(project: Path) -> Mapping[str, Mapping[str, TurnResult]]:
    """Intents that Rasa answers by a fixed response, and that response per channel."""
    found: dict[str, dict[str, TurnResult]] = {}
    for path in sorted((project / "bot" / "domain").glob("*.yml")):
        responses: Mapping[str, list[dict[str, Any]]] = yaml.safe_load(path.read_text(encoding="utf-8")).get(
            "responses", {}
        )
        for name, variants in responses.items():
            intent = name.removeprefix("utter_")
            default = next(variant for variant in variants if "channel" not in variant)
            by_channel = {variant["channel"]: variant for variant in variants if "channel" in variant}
            found[intent] = {
                channel: from_messages([by_channel.get(channel, default)], {"intent": intent, "confidence": 1.0})
                for channel in ("web", "wechat", "sms", "voice")
            }
    return found


class ResilientDialogue:
    """The primary dialogue while it answers, the fallback while it does not.

    After ``failures_to_open`` failures in a row the primary is left alone for ``open_s`` seconds, so that a hung
    one does not cost every citizen its time limit; then one message tries it again while the others do not wait.
    """

    def __init__(
        self,
        primary: Dialogue,
        fallback: Dialogue,
        *,
        failures_to_open: int = 2,
        open_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._primary = primary
        self._fallback = fallback
        self._failures_to_open = failures_to_open
        self._open_s = open_s
        self._clock = clock
        self._failures = 0
        self._open_until = 0.0
        self._probing = False

    @property
    def degraded(self) -> bool:
        """True while the primary is left alone."""
        return self._failures >= self._failures_to_open

    async def respond(self, request: TurnRequest) -> TurnResult:
        """An answer of one of the two. Raises TemporaryError only when both fail."""
        if not self._may_try():
            return await self._degraded(request)
        try:
            result = await self._primary.respond(request)
        except TemporaryError as error:
            self._failed(str(error))
            return await self._degraded(request)
        finally:
            self._probing = False
        self._failures = 0
        return result

    def _may_try(self) -> bool:
        if not self.degraded:
            return True
        if self._probing or self._clock() < self._open_until:
            return False
        self._probing = True
        return True

    def _failed(self, reason: str) -> None:
        self._failures += 1
        self._open_until = self._clock() + self._open_s
        log.warning("dialogue.primary.failed", reason=reason, failures=self._failures)

    async def _degraded(self, request: TurnRequest) -> TurnResult:
        return replace(await self._fallback.respond(request), degraded=True)
