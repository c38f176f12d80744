"""What the assistant answers: a matched question and what was said before → a decision, without any I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from hotline.domain.messages import ChannelName, Choice, Outcome, Reply, SourceNote, TurnResult
from hotline.services.offers import PERSON, Context, Decision, Offer, Question, is_one_of, picked, wording
from knowledge_base.errors import NotInForce
from knowledge_base.match import OVERVIEW, Match
from knowledge_base.model import Catalogue, Matter
from knowledge_base.render import Rendered, render, title

ANSWER_AT: Final = 0.50
"""From this probability on the best matter is answered at once."""
OFFER_AT: Final = 0.10
"""From this probability of the best matter on the citizen is asked which of the best he means."""
SURE_AT: Final = 0.90
"""Below this probability an answer comes with what else may have been meant."""
OPTION_AT: Final = 0.02
"""No matter less probable than this is ever offered as a choice."""
HALF_SENTENCE_CHARS: Final = 6
"""A message this short that names no matter says nothing of its own: the probabilities of such are a lottery."""
FOLLOW_UP_CHARS: Final = 16
"""A longer message that names no matter is a new question, not one about the matter just discussed."""
MAX_OPTIONS: Final = 3
SMS_CHARS: Final = 120
"""Two SMS parts hold 134 characters with the signature; more choices are not worth a third."""
VOICE_CHARS: Final = 60

_BY_NUMBER = (ChannelName.SMS, ChannelName.VOICE)
_NOT_REPEATED = ("thanks", "stay", "goodbye", "human", "nothing_said", "nothing_offered")
"""Sentences that nobody means by asking to hear it again."""


@dataclass(frozen=True, slots=True)
class _Topic:
    matter: str
    aspect: str


class Answering:
    """Answers from one catalogue. Safe for concurrent use: it keeps nothing between calls."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        in_menu = [matter for matter in catalogue.matters.values() if matter.scope == "fund" and matter.aspects]
        self._menu = tuple(sorted(in_menu, key=lambda matter: (-matter.popularity, matter.code)))

    @property
    def catalogue(self) -> Catalogue:
        return self._catalogue

    def decide(self, question: Question, context: Context) -> Decision:
        """The answer to ``question`` and the conversation's new state. Raises nothing for any text."""
        if context.person_offered and is_one_of(question.text, "agree"):
            return self._human_request(question, context)
        if context.person_offered and is_one_of(question.text, "refuse"):
            return self._say(question, replace(context, offered=(), failures=0), "stay")
        chosen = picked(question.text, context.offered)
        if chosen is not None:
            return self._answer(replace(question, match=None), context, [_Topic(chosen.matter, chosen.aspect)])
        return self._control(question, context) or self._ask(question, context)

    def _control(self, question: Question, context: Context) -> Decision | None:
        """The answer to what is not a question about the fund, or None."""
        calm = replace(context, failures=0)
        match question.intent:
            case "greet" | "help":
                return self._menu_reply(question, context)
            case "goodbye":
                return self._say(question, calm, "goodbye", ends_call=True)
            case "thanks":
                return self._say(question, calm, "thanks")
            case "human_request":
                return self._human_request(question, context)
            case "complaint":
                return self._hand_over(question, context, "complaint", sentence="complaint")
            case "repeat":
                return self._repeat(question, context)
            case "choose":
                return self._say(question, context, "nothing_offered", outcome=Outcome.CLARIFIED)
        return None

    def sorry(self, channel: ChannelName) -> TurnResult:
        """What is said when something broke: an apology and the offer of a person."""
        choices = () if channel in _BY_NUMBER else (_person(),)
        reply = Reply(text=self._sentence("sorry", channel), choices=choices)
        return TurnResult(replies=(reply,), outcome=Outcome.CLARIFIED, hand_over=None)

    # --- what is asked about -------------------------------------------------------------------------------------

    def _ask(self, question: Question, context: Context) -> Decision:
        match = question.match
        if match is None or not match.candidates:
            return self._unclear(question, context)
        topics = self._several(question, context) or self._confident(match, context)
        turned_away = question.intent == "out_of_scope" and not self._follows_up(match, context)
        unwanted = {"out_of_scope": "fund" if turned_away else None, "fallback": "outside"}.get(question.intent)
        if topics and self._matter(topics[0]).scope != unwanted:
            return self._answer(question, context, topics)
        if turned_away:
            return self._say(question, replace(context, failures=0), "rejected", outcome=Outcome.REJECTED)
        options = self._options(match)
        best = next((candidate.p for candidate in match.candidates if candidate.scope == "fund"), 0.0)
        if options and best >= OFFER_AT and question.intent != "fallback":
            return self._clarify(question, context, options)
        return self._unclear(question, context)

    def _confident(self, match: Match, context: Context) -> list[_Topic]:
        """The one topic that is surely meant, or nothing."""
        best = match.candidates[0]
        if self._follows_up(match, context):
            return [_Topic(context.matter or "", match.aspect or OVERVIEW)]
        if best.code in self._catalogue.matters and (match.exact or best.p >= ANSWER_AT):
            return [_Topic(best.code, match.aspect_for(best.code))]
        return []

    def _follows_up(self, match: Match, context: Context) -> bool:
        if context.matter not in self._catalogue.matters or match.mentions or match.exact or not match.aspect_cue:
            return False
        length = len(match.normalised.text)
        unsure = match.candidates[0].p < ANSWER_AT
        return length <= HALF_SENTENCE_CHARS or (length <= FOLLOW_UP_CHARS and unsure)

    def _several(self, question: Question, context: Context) -> list[_Topic]:
        """Two topics where two sentences of the message ask, each surely, about different things."""
        if question.channel in _BY_NUMBER or len(question.parts) < 2:
            return []
        topics: list[_Topic] = []
        for part in question.parts:
            found = self._confident(part, context) if part.candidates else []
            if found and found[0] not in topics and self._matter(found[0]).scope == "fund":
                topics.append(found[0])
                context = replace(context, matter=found[0].matter)
        return topics[:2] if len(topics) > 1 else []

    def _options(self, match: Match) -> list[_Topic]:
        """What may be meant; nobody is asked whether he means something that is not the fund's."""
        ours = [c for c in match.candidates if c.scope == "fund" and c.code in self._catalogue.matters]
        likely = [candidate for candidate in ours if candidate.p >= OPTION_AT]
        return [_Topic(c.code, match.aspect_for(c.code)) for c in likely[:MAX_OPTIONS]]

    def _matter(self, topic: _Topic) -> Matter:
        return self._catalogue.matters[topic.matter]

    # --- what is said --------------------------------------------------------------------------------------------

    def _answer(self, question: Question, context: Context, topics: Sequence[_Topic]) -> Decision:
        rendered = [(self._known(topic), self._render(topic, question)) for topic in topics]
        text = wording()["joiner"].join(
            r.text if r else self._sentence("not_in_force", question.channel) for _, r in rendered
        )
        last = rendered[-1][0]
        matter = self._matter(last)
        outside = matter.scope != "fund"
        offers = () if outside else self._next_offers(matter, {topic for topic, _ in rendered})
        others = [] if outside else self._other_matters(question, context, {topic.matter for topic, _ in rendered})
        offers = (*offers[: MAX_OPTIONS - min(len(others), 1)], *others)
        reply, offered = self._after_answer(text, offers, question.channel)
        result = TurnResult(
            replies=(reply,),
            outcome=Outcome.REJECTED if outside else Outcome.ANSWERED,
            intent=question.intent,
            confidence=question.confidence,
            matter=rendered[0][0].matter,
            aspect=rendered[0][0].aspect,
            candidates=_matters([topic.matter for topic, _ in rendered], others),
            sources=tuple(dict.fromkeys(note for _, r in rendered if r for note in _notes(r))),
        )
        kept = Context(matter=last.matter, aspect=last.aspect, offered=offered, last_reply=reply.text)
        return Decision(
            result=result, context=replace(kept, matter=context.matter, aspect=context.aspect) if outside else kept
        )

    def _known(self, topic: _Topic) -> _Topic:
        """The topic itself, or its matter's overview (else its first aspect) where that aspect is not there."""
        aspects = self._matter(topic).aspects
        key = next((key for key in (topic.aspect, OVERVIEW, *aspects) if key in aspects), topic.aspect)
        return _Topic(topic.matter, key)

    def _render(self, topic: _Topic, question: Question) -> Rendered | None:
        topic = self._known(topic)
        try:
            return render(
                self._catalogue,
                self._matter(topic),
                self._matter(topic).aspects[topic.aspect],
                channel=question.channel.value,
                on=question.today,
            )
        except (NotInForce, KeyError):
            return None

    def _next_offers(self, matter: Matter, said: set[_Topic]) -> tuple[Offer, ...]:
        labels: dict[str, str] = wording()["aspect_labels"]
        keys = [key for key in wording()["aspect_order"] if key in matter.aspects]
        left = [key for key in keys if _Topic(matter.code, key) not in said][:MAX_OPTIONS]
        return tuple(
            Offer(label=labels[key], text=f"{matter.name}{labels[key]}", matter=matter.code, aspect=key) for key in left
        )

    def _other_matters(self, question: Question, context: Context, said: set[str]) -> list[Offer]:
        """What else may have been meant, offered beside an answer that is likely but not sure."""
        match = question.match
        if match is None or match.exact or question.channel in _BY_NUMBER or self._follows_up(match, context):
            return []
        if match.candidates[0].p >= SURE_AT:
            return []
        likely = [topic for topic in self._options(match) if topic.matter not in said]
        return [self._offer(topic, question.today) for topic in likely if self._matter(topic).scope == "fund"][:2]

    def _after_answer(
        self, text: str, offers: tuple[Offer, ...], channel: ChannelName
    ) -> tuple[Reply, tuple[Offer, ...]]:
        """Buttons where there are any, numbers where they fit into an SMS, nothing more to listen to on the phone."""
        if channel not in _BY_NUMBER:
            return Reply(text=text, choices=(*map(_choice, offers), _person())), offers
        for count in range(len(offers), 0, -1) if channel is ChannelName.SMS else ():
            longer = wording()["more_by_number"].format(answer=text, options=_numbered(o.label for o in offers[:count]))
            if len(longer) <= SMS_CHARS:
                return Reply(text=longer), offers[:count]
        return Reply(text=text), ()

    def _clarify(self, question: Question, context: Context, options: Sequence[_Topic]) -> Decision:
        offers = [self._offer(topic, question.today) for topic in options]
        return self._offering(question, context, "choose_one", offers)

    def _offer(self, topic: _Topic, today: date) -> Offer:
        topic = self._known(topic)
        try:
            asked = title(self._catalogue, topic.matter, topic.aspect, on=today)
        except NotInForce:
            asked = self._matter(topic).name
        return Offer(label=asked, text=asked, matter=topic.matter, aspect=topic.aspect)

    def _offering(self, question: Question, context: Context, key: str, offers: Sequence[Offer]) -> Decision:
        """``offers`` to choose from: as buttons, or by number in the text."""
        channel = question.channel
        if channel not in _BY_NUMBER:
            reply = Reply(text=self._sentence(key, channel), choices=(*map(_choice, offers), _person()))
        else:
            limit = SMS_CHARS if channel is ChannelName.SMS else VOICE_CHARS
            while True:
                text = self._sentence(key, channel, options=_numbered(offer.label for offer in offers))
                if len(text) <= limit or len(offers) <= 1:
                    break
                offers = offers[:-1]
            reply = Reply(text=text)
        shown = tuple(offers) if reply.choices or key == "choose_one" else ()
        result = TurnResult(
            replies=(reply,),
            outcome=Outcome.CLARIFIED,
            intent=question.intent,
            confidence=question.confidence,
            candidates=_matters([], shown),
        )
        return Decision(result=result, context=replace(context, offered=shown, last_reply=reply.text))

    def _unclear(self, question: Question, context: Context) -> Decision:
        failed = replace(context, failures=context.failures + 1)
        if failed.failures >= 2:
            return self._offer_person(question, failed)
        likely = self._options(question.match) if question.match else []
        current = self._catalogue.matters.get(context.matter or "")
        offers: Sequence[Offer] = [self._offer(topic, question.today) for topic in likely]
        if not offers and current is not None:
            offers = self._next_offers(current, set())
        return self._offering(question, failed, "unclear", offers or self._popular(question.today))

    def _offer_person(self, question: Question, context: Context) -> Decision:
        person, decline = _person(), Choice(**wording()["decline"])
        offer = Offer(label=person.label, text=person.text, matter=PERSON, aspect="")
        choices = () if question.channel in _BY_NUMBER else (person, decline)
        decided = self._say(question, context, "offer_person", outcome=Outcome.CLARIFIED, choices=choices)
        return replace(decided, context=replace(decided.context, offered=(offer,)))

    def _popular(self, today: date) -> list[Offer]:
        return [replace(self._offer(_Topic(m.code, OVERVIEW), today), label=m.name) for m in self._menu[:MAX_OPTIONS]]

    def _menu_reply(self, question: Question, context: Context) -> Decision:
        offers = () if question.channel in _BY_NUMBER else tuple(self._popular(question.today))
        choices = (*map(_choice, offers), _person()) if offers else ()
        fresh = replace(context, offered=offers, failures=0)
        return self._say(question, fresh, question.intent, choices=choices)

    def _human_request(self, question: Question, context: Context) -> Decision:
        return self._hand_over(question, context, "requested", sentence="human")

    def _hand_over(self, question: Question, context: Context, reason: str, *, sentence: str) -> Decision:
        fresh = replace(context, offered=(), failures=0)
        decided = self._say(question, fresh, sentence, outcome=Outcome.HANDOFF)
        return replace(decided, result=replace(decided.result, hand_over=reason))

    def _repeat(self, question: Question, context: Context) -> Decision:
        if not context.last_reply:
            return self._say(question, context, "nothing_said", outcome=Outcome.CLARIFIED)
        choices = () if question.channel in _BY_NUMBER else tuple(map(_choice, context.offered))
        result = TurnResult(
            replies=(Reply(text=context.last_reply, choices=choices),),
            intent=question.intent,
            confidence=question.confidence,
            matter=context.matter,
            aspect=context.aspect,
        )
        return Decision(result=result, context=context)

    def _say(
        self,
        question: Question,
        context: Context,
        key: str,
        *,
        outcome: Outcome = Outcome.ANSWERED,
        choices: tuple[Choice, ...] = (),
        ends_call: bool = False,
    ) -> Decision:
        reply = Reply(text=self._sentence(key, question.channel), choices=choices, ends_call=ends_call)
        result = TurnResult(replies=(reply,), outcome=outcome, intent=question.intent, confidence=question.confidence)
        said = context.last_reply if key in _NOT_REPEATED else reply.text
        return Decision(result=result, context=replace(context, last_reply=said))

    def _sentence(self, key: str, channel: ChannelName, **values: str) -> str:
        variants = wording()["say"][key]
        text = variants if isinstance(variants, str) else variants.get(channel.value, variants["default"])
        centre = self._catalogue.centre
        return str(text).format(centre=centre.name, hotline=centre.hotline, **values)


def _matters(answered: Iterable[str], offered: Iterable[Offer]) -> tuple[str, ...]:
    """Codes of the matters answered, then of those offered, each once."""
    return tuple(dict.fromkeys([*answered, *(offer.matter for offer in offered)]))


def _notes(rendered: Rendered) -> Iterable[SourceNote]:
    for source in rendered.sources:
        issued = source.issued_on.isoformat() if source.issued_on else None
        yield SourceNote(title=source.title, issued_on=issued, url=source.url, strength=source.strength)


def _choice(offer: Offer) -> Choice:
    return Choice(label=offer.label, text=offer.text)


def _person() -> Choice:
    return Choice(**wording()["person"])


def _numbered(labels: Iterable[str]) -> str:
    option, joiner = wording()["option"], wording()["option_joiner"]
    return str(joiner.join(option.format(number=n, title=label) for n, label in enumerate(labels, start=1)))
