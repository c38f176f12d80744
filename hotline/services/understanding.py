"""Which entries a message surely asks for, given what was said before. No I/O, nothing kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from hotline.domain.messages import ChannelName
from hotline.services.offers import Context, Question, Topic
from knowledge_base.match import HALF_SENTENCE_CHARS, OVERVIEW, SURELY_NEW_AT, Candidate, Match
from knowledge_base.model import ASPECTS, Catalogue, Matter
from knowledge_base.sentences import asks_something

ANSWER_AT: Final = 0.50
"""From this probability of its matter on the best entry is answered at once."""
OPTION_AT: Final = 0.02
"""No matter less probable than this is ever offered as a choice."""
CORRECTED_AT: Final = 0.05
"""What is put in the place of something denied needs no more than this: half of the guessing has been done."""
FAMILIAR: Final = 30.0
"""So many times likelier than by itself is the matter just discussed, where the message finds something there."""
SURELY_OUTSIDE_AT: Final = 0.85
"""From this probability on a message is not the fund's business, whatever was discussed."""
STATEMENT_CHARS: Final = 16
"""A longer message that says something of the citizen says more than that."""
MAX_OPTIONS: Final = 3
MAX_HOPS: Final = 2
BY_NUMBER: Final = (ChannelName.SMS, ChannelName.VOICE)
"""Channels without buttons: what is offered is chosen by its number."""


class Understanding:
    """Reads matches against one catalogue. Safe for concurrent use."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def matter(self, topic: Topic) -> Matter:
        return self._catalogue.matters[topic.matter]

    def topics(self, question: Question, context: Context) -> list[Topic]:
        """The entries that are surely meant, in the order they were asked for; nothing where none is."""
        match = question.match
        if match is None or not match.candidates:
            return []
        several = self._several(question, context)
        found = several or self._one(match, question, context)
        return [topic for topic in found if topic.matter in self._catalogue.matters]

    def options(self, match: Match) -> list[Topic]:
        """What may be meant; nobody is asked whether he means something that is not the fund's."""
        ours = [each for each in match.candidates if self._is_fund(each)]
        likely = [each for each in ours if each.p >= OPTION_AT]
        return [Topic(each.code, match.aspect_for(each.code)) for each in likely[:MAX_OPTIONS]]

    def next_best(self, match: Match, told: Collection[Topic]) -> list[Topic]:
        """Likely entries of the fund's other than those told, best first."""
        likely = [each for each in match.entries if each.p >= OPTION_AT and each.code in self._catalogue.matters]
        topics = [Topic(each.code, each.aspect) for each in likely]
        return [topic for topic in topics if topic not in told and self.matter(topic).scope == "fund"]

    def follows_up(self, question: Question, context: Context) -> bool:
        """Whether the message is about the matter just discussed, though it does not name it."""
        match = question.match
        if match is None or context.matter not in self._catalogue.matters or not match.may_follow_up:
            return False
        if match.aspect_cue and (match.is_half or match.best_p < ANSWER_AT):
            return True
        if match.asks_outside >= SURELY_OUTSIDE_AT or not self._still(question, context):
            return False
        return not match.surely_new or self._outweighs(question, context)

    def follow_up(self, question: Question, context: Context) -> Topic:
        """The entry of the matter just discussed that a follow-up asks for."""
        match, about = question.match, question.about
        matter = self._catalogue.matters[context.matter or ""]
        if about is not None and any(each.code == matter.code for each in about.entries):
            return Topic(matter.code, about.aspect_for(matter.code))
        aspect = match.aspect if match and match.aspect_cue else None
        return Topic(matter.code, aspect or OVERVIEW)

    def asks_there(self, question: Question, context: Context) -> bool:
        """Whether a message, however it sounds, surely puts one of the questions of the matter just discussed."""
        match, about = question.match, question.about
        if match is None or about is None or not match.may_follow_up or not self._still(question, context):
            return False
        best = about.entries[0]
        return best.p >= SURELY_NEW_AT and best.aspect not in ASPECTS

    def resolve(self, topic: Topic, facts: Mapping[str, str]) -> tuple[Topic, str | None]:
        """The entry for somebody of whom ``facts`` are known, and the fact on which it depends further, if any."""
        for _ in range(MAX_HOPS):
            aspect = self.matter(topic).aspects.get(topic.aspect)
            if aspect is None or aspect.branch is None:
                return topic, None
            to = aspect.branch.to.get(facts.get(aspect.branch.fact, ""))
            if to is None:
                return topic, aspect.branch.fact
            if to == topic.aspect:
                return topic, None
            topic = Topic(topic.matter, to)
        return topic, None

    def told_fact(self, match: Match, context: Context) -> Topic | None:
        """A message that only says something of the citizen: the entry of the present matter that depended on it."""
        matter = self._catalogue.matters.get(context.matter or "")
        if not match.facts.known or matter is None or match.mentions:
            return None
        for aspect in (context.aspect or OVERVIEW, OVERVIEW):
            found = matter.aspects.get(aspect)
            if found and found.branch and found.branch.fact in match.facts.known:
                return Topic(matter.code, aspect)
        return None

    def only_tells(self, match: Match) -> bool:
        """Whether a short message only says something of the citizen and asks nothing."""
        text = match.normalised.text
        short = len(text) <= STATEMENT_CHARS and not match.aspect_cue and match.may_follow_up
        return short and bool(match.facts.known) and not asks_something(text)

    # --- one message ---------------------------------------------------------------------------------------------

    def _one(self, match: Match, question: Question, context: Context) -> list[Topic]:
        if match.exact:
            return [Topic(match.exact, match.aspect_for(match.exact))]
        if match.facts.denied is not None and (corrected := self._corrected(match, question, context)):
            return [corrected]
        if self.follows_up(question, context):
            return [self.follow_up(question, context)]
        if neighbour := self._neighbour(question, context):
            return [neighbour]
        if match.best_p >= ANSWER_AT:
            code = match.candidates[0].code
            return [Topic(code, match.aspect_for(code))]
        told = self.told_fact(match, context)
        return [told] if told else []

    def _corrected(self, match: Match, question: Question, context: Context) -> Topic | None:
        """What is meant instead: another aspect of the same matter, or another matter asked the same way."""
        before, denied = self._catalogue.matters.get(context.matter or ""), match.facts.denied or ""
        other_matter = bool(match.mentions) or (before is not None and _shares_word(before.name, denied))
        if before and not other_matter and (match.aspect_cue or self._still(question, context)):
            return self.follow_up(question, context)
        others = [each for each in match.candidates if self._is_fund(each) and not _shares_word(each.name, denied)]
        others = [each for each in others if each.code != context.matter] or others
        if not others:
            return None
        best = max(others, key=lambda each: each.p * (2.0 if before and _family(each) == _family(before) else 1.0))
        if best.p < CORRECTED_AT:
            return None
        aspects = self._catalogue.matters[best.code].aspects
        same = context.aspect if context.aspect in aspects and context.aspect in ASPECTS else None
        asks = match.aspect_cue or len(match.normalised.text) > HALF_SENTENCE_CHARS
        return Topic(best.code, match.aspect_for(best.code) if asks or not same else same)

    def _several(self, question: Question, context: Context) -> list[Topic]:
        """Two topics where two parts of the message ask, each surely, for different entries."""
        if question.channel in BY_NUMBER or len(question.parts) < 2:
            return []
        found: list[Topic] = []
        for part in question.parts:
            asked = replace(question, match=part, parts=(), about=None)
            topics = self._one(part, asked, context) if part.candidates else []
            known = [topic for topic in topics if topic.matter in self._catalogue.matters]
            if known and known[0] not in found and self.matter(known[0]).scope == "fund":
                found.append(known[0])
                context = replace(context, matter=known[0].matter)
        return found[:2] if len(found) > 1 else []

    def _still(self, question: Question, context: Context) -> bool:
        """Whether the message, read as one about the matter just discussed, finds something there."""
        about = question.about
        return about is not None and bool(about.candidates) and about.candidates[0].code == context.matter

    def _outweighs(self, question: Question, context: Context) -> bool:
        """Whether what the message finds in the matter just discussed outweighs what it surely is by itself."""
        match, about, before = question.match, question.about, context.matter or ""
        if match is None or about is None:
            return False
        there = next((each.p for each in match.candidates[1:] if each.code == before), 0.0)
        return match.completed_by(about, before) or there * FAMILIAR >= match.best_p

    def _neighbour(self, question: Question, context: Context) -> Topic | None:
        """The entry of another matter of the same family that a message, unsure by itself, asks for when it is read as
        one about the matter just discussed."""
        match, about, before = question.match, question.about, self._catalogue.matters.get(context.matter or "")
        if match is None or about is None or before is None or not about.candidates or not match.may_follow_up:
            return None
        alone, best = match.candidates[0], about.candidates[0]
        near = best.code != before.code and self._is_fund(best) and _family(best) == _family(before)
        if not near or alone.p >= SURELY_NEW_AT or _family(alone) == _family(before) or best.p < ANSWER_AT:
            return None
        return Topic(best.code, about.aspect_for(best.code))

    def _is_fund(self, candidate: Candidate) -> bool:
        return candidate.scope == "fund" and candidate.code in self._catalogue.matters


def _shares_word(name: str, denied: str) -> bool:
    """Whether a word of what was denied (two characters or more) stands in the name."""
    return any(denied[at : at + 2] in name for at in range(len(denied) - 1))


def _family(of: Candidate | Matter) -> str:
    """Withdrawals, loans …: the part of a topic before its hyphen."""
    return of.topic.partition("-")[0]
