"""What the assistant answers: a matched question and what was said before → a decision, without any I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from hotline.domain.messages import ChannelName, Choice, Outcome, Reply, TurnResult
from hotline.services.offers import PERSON, Context, Decision, Offer, Question, Topic, is_one_of, picked, wording
from hotline.services.speaking import VOICE_CHARS, Speaker, Told, choice, notes, person
from hotline.services.understanding import ANSWER_AT, BY_NUMBER, MAX_OPTIONS, Understanding
from knowledge_base.model import Catalogue

OFFER_AT: Final = 0.10
"""From this probability of the best matter on the citizen is asked which of the best he means."""
OUTSIDE_AT: Final = 0.45
"""From this probability on a question is not the fund's business, unless one of the fund's matters is likelier than
not."""
SURE_AT: Final = 0.90
"""Below this probability an answer comes with what else may have been meant."""
MAX_ASKED: Final = 2
"""So many questions are put back about one matter at most."""

_NOT_REPEATED = ("thanks", "stay", "goodbye", "human", "nothing_said", "nothing_offered", "recorded")
"""Sentences that nobody means by asking to hear it again."""


class Answering:
    """Answers from one catalogue. Safe for concurrent use: it keeps nothing between calls."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._understanding = Understanding(catalogue)
        self._speaker = Speaker(catalogue)

    @property
    def catalogue(self) -> Catalogue:
        return self._catalogue

    def decide(self, question: Question, context: Context) -> Decision:
        """The answer to ``question`` and the conversation's new state. Raises nothing for any text."""
        if question.match:
            context = replace(context, facts={**context.facts, **question.match.facts.known})
        if context.person_offered and is_one_of(question.text, "agree"):
            return self._human_request(question, context)
        if context.person_offered and is_one_of(question.text, "refuse"):
            return self._say(question, replace(context, offered=(), failures=0, wrong=0), "stay")
        chosen = picked(question.text, context.offered)
        if chosen is not None:
            return self._chosen(question, context, chosen)
        return self._control(question, context) or self._ask(question, context)

    def sorry(self, channel: ChannelName) -> TurnResult:
        """What is said when something broke: an apology and the offer of a person."""
        choices = () if channel in BY_NUMBER else (person(),)
        reply = Reply(text=self._speaker.sentence("sorry", channel), choices=choices)
        return TurnResult(replies=(reply,), outcome=Outcome.CLARIFIED, hand_over=None)

    def _control(self, question: Question, context: Context) -> Decision | None:
        """The answer to what is not a question about the fund, or None."""
        calm = replace(context, failures=0)
        if question.match and question.match.facts.meant:
            return None  # "not this but that" asks for that, whatever else the words resemble
        match question.intent:
            case "greet" | "help":
                return self._menu(question, context)
            case "goodbye":
                return self._say(question, calm, "goodbye", ends_call=True)
            case "thanks":
                return self._say(question, calm, "thanks")
            case "human_request":
                return self._human_request(question, context)
            case "complaint" if not self._understanding.asks_there(question, context):
                return self._hand_over(question, context, "complaint", sentence="complaint")
            case "leave_question":
                return self._say(question, calm, "recorded", outcome=Outcome.CLARIFIED)
            case "choose":
                return self._say(question, context, "nothing_offered", outcome=Outcome.CLARIFIED)
            case "repeat" | "simpler" | "more" | "wrong":
                return self._again(question, context)
        return None

    def _again(self, question: Question, context: Context) -> Decision:
        """What is said about the answer just given."""
        if question.intent == "wrong":
            return self._wrong(question, context)
        if question.intent == "more" and context.matter in self._catalogue.matters:
            return self._more(question, context)
        if not context.last_reply:
            return self._say(question, context, "nothing_said", outcome=Outcome.CLARIFIED)
        return self._repeat(question, context)

    # --- what is asked about -------------------------------------------------------------------------------------

    def _ask(self, question: Question, context: Context) -> Decision:
        match = question.match
        if match is None or not match.candidates:
            return self._unclear(question, context)
        topics = self._understanding.topics(question, context)
        unclear = question.intent == "fallback"
        foreign = match.asks_outside >= OUTSIDE_AT and match.best_p < ANSWER_AT
        not_ours = question.intent == "out_of_scope" or (foreign and not unclear)
        turned_away = not_ours and not self._understanding.follows_up(question, context)
        unwanted = "outside" if unclear else "fund" if turned_away else None
        if self._understanding.only_tells(match):
            told = self._understanding.told_fact(match, context)
            return self._answer(question, context, [told]) if told else self._noted(question, context)
        if topics and self._understanding.matter(topics[0]).scope != unwanted:
            return self._answer(question, context, topics)
        if turned_away:
            return self._say(question, replace(context, failures=0), "rejected", outcome=Outcome.REJECTED)
        options = self._understanding.options(match)
        best = next((candidate.p for candidate in match.candidates if candidate.scope == "fund"), 0.0)
        if options and best >= OFFER_AT and question.intent != "fallback":
            offers = [self._speaker.offer(topic, question.today) for topic in options]
            return self._offering(question, context, "choose_one", offers)
        return self._unclear(question, context)

    def _chosen(self, question: Question, context: Context, offer: Offer) -> Decision:
        name, _, value = offer.fact.partition("=")
        facts = {**context.facts, **({name: value} if value else {})}
        chosen = replace(question, match=None, parts=(), about=None)
        return self._answer(chosen, replace(context, facts=facts), [Topic(offer.matter, offer.aspect)])

    # --- what is said --------------------------------------------------------------------------------------------

    def _answer(self, question: Question, context: Context, topics: Sequence[Topic]) -> Decision:
        """The answers, what they depend on asked back, and what may be asked next."""
        resolved = [self._understanding.resolve(self._speaker.known(topic), context.facts) for topic in topics]
        told = [self._speaker.tell(topic, question.channel, question.today) for topic, _ in resolved]
        open_fact = resolved[-1][1] if told[-1].rendered else None
        lead = self._speaker.lead(question.match.facts, told, question.channel) if question.match else ""
        text = lead + wording()["joiner"].join(each.text for each in told)
        last = told[-1].topic
        outside = self._understanding.matter(last).scope != "fund"
        others = [] if outside else self._others(question, context, told)
        reply, offered, asked = self._with_offers(question, context, told, others, text=text, open_fact=open_fact)
        result = TurnResult(
            replies=(reply,),
            outcome=Outcome.REJECTED if outside else Outcome.ANSWERED if _any_answer(told) else Outcome.CLARIFIED,
            intent=question.intent,
            confidence=_confidence(question),
            matter=told[0].topic.matter,
            aspect=told[0].topic.aspect,
            candidates=_matters([each.topic.matter for each in told], others),
            sources=tuple(dict.fromkeys(note for each in told if each.rendered for note in notes(each.rendered))),
        )
        if outside:
            return Decision(result=result, context=replace(context, offered=offered, last_reply=reply.text))
        others_left = self._understanding.next_best(question.match, [e.topic for e in told]) if question.match else []
        after = _after(question, context, told, offered, reply=reply, asked=asked)
        said = [*after.said, *(str(topic) for topic in topics if topic.matter == last.matter)]
        left = tuple(str(topic) for topic in others_left[:MAX_OPTIONS])
        return Decision(result=result, context=replace(after, said=tuple(dict.fromkeys(said)), others=left))

    def _with_offers(
        self,
        question: Question,
        context: Context,
        told: Sequence[Told],
        others: Sequence[Offer],
        *,
        text: str,
        open_fact: str | None,
    ) -> tuple[Reply, tuple[Offer, ...], bool]:
        """The reply, what it offers, and whether it asks back for a fact."""
        last, channel = told[-1].topic, question.channel
        same = last.matter == context.matter
        if open_fact and not (same and context.asked >= MAX_ASKED):
            ask, answers = self._speaker.ask_for(open_fact, last)
            longer = f"{text}\n{ask}"
            if channel not in BY_NUMBER or (channel is ChannelName.VOICE and len(text + ask) <= VOICE_CHARS):
                reply, offered = self._speaker.after_answer(longer, answers, channel)
                return reply, answers or offered, True
        matter = self._understanding.matter(last)
        if matter.scope != "fund":
            reply, offered = self._speaker.after_answer(text, (), channel)
            return reply, offered, False
        said = {each.topic for each in told} | ({Topic.read(each) for each in context.said} if same else set())
        offers = self._speaker.next_offers(matter, said)
        offers = (*offers[: MAX_OPTIONS - min(len(others), 1)], *others)
        reply, offered = self._speaker.after_answer(text, offers, channel)
        return reply, offered, False

    def _others(self, question: Question, context: Context, told: Sequence[Told]) -> list[Offer]:
        """What else may have been meant, offered beside an answer that is likely but not sure."""
        match = question.match
        if match is None or match.exact or question.channel in BY_NUMBER:
            return []
        if self._understanding.follows_up(question, context) or match.candidates[0].p >= SURE_AT:
            return []
        said = {each.topic.matter for each in told}
        likely = [topic for topic in self._understanding.options(match) if topic.matter not in said]
        return [self._speaker.offer(topic, question.today) for topic in likely][:2]

    def _offering(
        self, question: Question, context: Context, key: str, offers: Sequence[Offer], *, more: Sequence[Choice] = ()
    ) -> Decision:
        """``offers`` to choose from: as buttons, or by number in the text."""
        reply, shown = self._speaker.to_choose(key, offers, question.channel, more=more)
        result = TurnResult(
            replies=(reply,),
            outcome=Outcome.CLARIFIED,
            intent=question.intent,
            confidence=_confidence(question),
            candidates=_matters([], shown),
        )
        return Decision(result=result, context=replace(context, offered=shown, last_reply=reply.text))

    def _unclear(self, question: Question, context: Context) -> Decision:
        failed = replace(context, failures=context.failures + 1)
        if failed.failures >= 2:
            return self._offer_person(question, failed, "offer_person")
        likely = self._understanding.options(question.match) if question.match else []
        offers: Sequence[Offer] = [self._speaker.offer(topic, question.today) for topic in likely]
        current = self._catalogue.matters.get(context.matter or "")
        if not offers and current is not None:
            offers = self._speaker.next_offers(current, ())
        record = Choice(**wording()["record"])
        return self._offering(
            question, failed, "unclear", offers or self._speaker.popular(question.today), more=[record]
        )

    def _noted(self, question: Question, context: Context) -> Decision:
        """The citizen has only told something of himself: what it may be about is offered."""
        likely = self._understanding.options(question.match) if question.match else []
        offers = [self._speaker.offer(topic, question.today) for topic in likely]
        calm = replace(context, failures=0)
        return self._offering(question, calm, "noted", offers or self._speaker.popular(question.today))

    def _wrong(self, question: Question, context: Context) -> Decision:
        """The next best first; a person when that was wrong too."""
        wrong = replace(context, wrong=context.wrong + 1)
        if wrong.wrong >= 2:
            return self._offer_person(question, wrong, "still_wrong")
        others = [Topic.read(each) for each in context.others]
        known = [topic for topic in others if topic.matter in self._catalogue.matters]
        offers: Sequence[Offer] = [self._speaker.offer(topic, question.today) for topic in known[:MAX_OPTIONS]]
        current = self._catalogue.matters.get(context.matter or "")
        if not offers and current is not None:
            offers = self._speaker.next_offers(current, map(Topic.read, context.said))
        return self._offering(question, wrong, "wrong", offers or self._speaker.popular(question.today))

    def _offer_person(self, question: Question, context: Context, sentence: str) -> Decision:
        someone, decline = person(), Choice(**wording()["decline"])
        offer = Offer(label=someone.label, text=someone.text, matter=PERSON, aspect="")
        choices = () if question.channel in BY_NUMBER else (someone, decline)
        decided = self._say(question, context, sentence, outcome=Outcome.CLARIFIED, choices=choices)
        return replace(decided, context=replace(decided.context, offered=(offer,)))

    def _more(self, question: Question, context: Context) -> Decision:
        """The next aspect of the matter that was not told yet."""
        matter = self._catalogue.matters[context.matter or ""]
        left = self._speaker.next_aspects(matter, map(Topic.read, context.said))
        left = [t for t in left if str(self._understanding.resolve(t, context.facts)[0]) not in context.said]
        if not left:
            return self._say(question, context, "told_all", choices=_buttons(question, person()))
        return self._answer(replace(question, match=None, parts=(), about=None), context, left[:1])

    def _menu(self, question: Question, context: Context) -> Decision:
        offers = () if question.channel in BY_NUMBER else self._speaker.popular(question.today)
        choices = (*map(choice, offers), person()) if offers else ()
        fresh = replace(context, offered=offers, failures=0)
        return self._say(question, fresh, question.intent, choices=choices)

    def _human_request(self, question: Question, context: Context) -> Decision:
        return self._hand_over(question, context, "requested", sentence="human")

    def _hand_over(self, question: Question, context: Context, reason: str, *, sentence: str) -> Decision:
        fresh = replace(context, offered=(), failures=0, wrong=0)
        decided = self._say(question, fresh, sentence, outcome=Outcome.HANDOFF)
        return replace(decided, result=replace(decided.result, hand_over=reason))

    def _repeat(self, question: Question, context: Context) -> Decision:
        """The last reply once more, or its entry in plainer words."""
        text = context.last_reply
        if question.intent == "simpler" and context.matter in self._catalogue.matters:
            topic = Topic(context.matter or "", context.aspect or "")
            text = self._speaker.plainly(topic, question.channel, question.today)
        choices = () if question.channel in BY_NUMBER else tuple(map(choice, context.offered))
        result = TurnResult(
            replies=(Reply(text=text, choices=choices),),
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
        text = self._speaker.sentence(key, question.channel)
        reply = Reply(text=text, choices=choices, ends_call=ends_call)
        result = TurnResult(replies=(reply,), outcome=outcome, intent=question.intent, confidence=question.confidence)
        said = context.last_reply if key in _NOT_REPEATED else reply.text
        return Decision(result=result, context=replace(context, last_reply=said))


def _after(
    question: Question,
    context: Context,
    told: Sequence[Told],
    offered: tuple[Offer, ...],
    *,
    reply: Reply,
    asked: bool,
) -> Context:
    """The conversation's state after an answer."""
    last = told[-1].topic
    same = last.matter == context.matter
    said = [*(context.said if same else ()), *(str(each.topic) for each in told)]
    said = [each for each in dict.fromkeys(said) if Topic.read(each).matter == last.matter]
    match = question.match
    return Context(
        matter=last.matter,
        aspect=last.aspect,
        offered=offered,
        last_reply=reply.text,
        facts=context.facts,
        said=tuple(said),
        wrong=context.wrong if match is None or match.facts.denied else 0,
        asked=(context.asked if same else 0) + int(asked),
        task=context.task,
        pending=context.pending,
    )


def _confidence(question: Question) -> float:
    """How probable the best entry is; what is no question about the fund has its intent's confidence."""
    match = question.match
    return match.entries[0].p if match and match.entries else question.confidence


def _any_answer(told: Iterable[Told]) -> bool:
    return any(each.rendered is not None for each in told) or not told


def _buttons(question: Question, *choices: Choice) -> tuple[Choice, ...]:
    return () if question.channel in BY_NUMBER else choices


def _matters(answered: Iterable[str], offered: Iterable[Offer]) -> tuple[str, ...]:
    """Codes of the matters answered, then of those offered, each once."""
    return tuple(dict.fromkeys([*answered, *(offer.matter for offer in offered)]))
