"""How a decision is said: approved texts and the assistant's own sentences in the form of a channel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from hotline.domain.messages import ChannelName, Choice, Reply, SourceNote
from hotline.services.offers import Offer, Topic, wording
from hotline.services.understanding import BY_NUMBER, MAX_OPTIONS
from knowledge_base.errors import NotInForce
from knowledge_base.facts import Facts
from knowledge_base.match import OVERVIEW
from knowledge_base.model import Catalogue, Matter
from knowledge_base.render import Rendered, fill, render, title

SMS_CHARS: Final = 120
"""Two SMS parts hold 134 characters with the signature; more choices are not worth a third."""
VOICE_CHARS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An entry as it is said. Without ``rendered`` there is nothing approved to say on that day."""

    topic: Topic
    text: str
    rendered: Rendered | None


class Speaker:
    """Says things from one catalogue. Safe for concurrent use."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        in_menu = [matter for matter in catalogue.matters.values() if matter.scope == "fund" and matter.aspects]
        self._menu = tuple(sorted(in_menu, key=lambda matter: (-matter.popularity, matter.code)))

    def sentence(self, key: str, channel: ChannelName, **values: str) -> str:
        """One of the assistant's own sentences, in the channel's form."""
        variants = wording()["say"][key]
        text = variants if isinstance(variants, str) else variants.get(channel.value, variants["default"])
        centre = self._catalogue.centre
        return str(text).format(centre=centre.name, city=centre.city, hotline=centre.hotline, **values)

    def known(self, topic: Topic) -> Topic:
        """The topic itself, or its matter's overview (else its first aspect) where that aspect is not there."""
        aspects = self._matter(topic).aspects
        key = next((key for key in (topic.aspect, OVERVIEW, *aspects) if key in aspects), topic.aspect)
        return Topic(topic.matter, key)

    def tell(self, topic: Topic, channel: ChannelName, today: date) -> Told:
        """The entry's approved answer, or the sentence that there is none."""
        topic = self.known(topic)
        aspect = self._matter(topic).aspects[topic.aspect]
        if not aspect.answered:
            return Told(topic=topic, text=self.sentence("no_answer_yet", channel), rendered=None)
        try:
            rendered = render(self._catalogue, self._matter(topic), aspect, channel=channel.value, on=today)
        except NotInForce:
            return Told(topic=topic, text=self.sentence("not_in_force", channel), rendered=None)
        return Told(topic=topic, text=rendered.text, rendered=rendered)

    def plainly(self, topic: Topic, channel: ChannelName, today: date) -> str:
        """The same answer in everyday words, or short where nobody has written those."""
        topic = self.known(topic)
        aspect = self._matter(topic).aspects[topic.aspect]
        if not aspect.answered:
            return self.sentence("no_answer_yet", channel)
        try:
            return fill(self._catalogue, aspect.plain or aspect.short, on=today).text
        except NotInForce:
            return self.sentence("not_in_force", channel)

    def lead(self, facts: Facts, told: Sequence[Told], channel: ChannelName) -> str:
        """What must be said first where another city was named and the answer does not speak of other places."""
        words = wording()["elsewhere"]
        place = facts.fund_place or next((name for name in facts.places if name != facts.house_place), None)
        fund_matters = [each for each in told if self._matter(each.topic).scope == "fund" and each.rendered]
        if place is None or not fund_matters or facts.known.get("hukou") == "outside":
            return ""
        if any(word in each.text for each in fund_matters for word in (*words["speaks_of_it"], place)):
            return ""
        city = self._catalogue.centre.city
        if channel in BY_NUMBER:
            short, limit = (
                str(words["short"]).format(city=city),
                SMS_CHARS if channel is ChannelName.SMS else VOICE_CHARS,
            )
            return short if len(short) + sum(len(each.text) for each in told) <= limit else ""
        return str(words["fund_there" if facts.fund_place else "named"]).format(place=place, city=city) + "\n"

    def ask_for(self, fact: str, topic: Topic) -> tuple[str, tuple[Offer, ...]]:
        """The question put back for ``fact``, and its answers as offers."""
        words = wording()["facts"][fact]
        branch = self._matter(topic).aspects[topic.aspect].branch
        offers = tuple(
            Offer(
                label=words["values"][value],
                text=words["values"][value],
                matter=topic.matter,
                aspect=key,
                fact=f"{fact}={value}",
            )
            for value, key in (branch.to.items() if branch else ())
        )
        return str(words["ask"]).format(city=self._catalogue.centre.city), offers

    def offer(self, topic: Topic, today: date) -> Offer:
        """The entry as a choice, worded as the question it answers."""
        topic = self.known(topic)
        try:
            asked = title(self._catalogue, topic.matter, topic.aspect, on=today)
        except NotInForce:
            asked = self._matter(topic).name
        return Offer(label=asked, text=asked, matter=topic.matter, aspect=topic.aspect)

    def next_aspects(self, matter: Matter, said: Iterable[Topic]) -> list[Topic]:
        """Answered aspects of the matter that were not told yet, most wanted first."""
        told = set(said)
        order = [key for key in wording()["aspect_order"] if key in matter.aspects]
        order += [key for key in matter.aspects if key not in order]
        found = [Topic(matter.code, key) for key in order if matter.aspects[key].answered]
        return [topic for topic in found if topic not in told]

    def next_offers(self, matter: Matter, said: Iterable[Topic]) -> tuple[Offer, ...]:
        """The next aspects as short choices."""
        labels: dict[str, str] = wording()["aspect_labels"]
        left = [topic for topic in self.next_aspects(matter, said) if topic.aspect in labels]
        return tuple(
            Offer(
                label=labels[topic.aspect],
                text=f"{matter.name}{labels[topic.aspect]}",
                matter=matter.code,
                aspect=topic.aspect,
            )
            for topic in left[:MAX_OPTIONS]
        )

    def popular(self, today: date) -> tuple[Offer, ...]:
        """What most people come for."""
        found = []
        for matter in self._menu[:MAX_OPTIONS]:
            offer = self.offer(Topic(matter.code, OVERVIEW), today)
            found.append(Offer(label=matter.name, text=offer.text, matter=offer.matter, aspect=offer.aspect))
        return tuple(found)

    def after_answer(
        self, text: str, offers: tuple[Offer, ...], channel: ChannelName
    ) -> tuple[Reply, tuple[Offer, ...]]:
        """Buttons where there are any, numbers where they fit into an SMS, nothing more to listen to on the phone."""
        if channel not in BY_NUMBER:
            return Reply(text=text, choices=(*map(choice, offers), person())), offers
        for count in range(len(offers), 0, -1) if channel is ChannelName.SMS else ():
            longer = wording()["more_by_number"].format(answer=text, options=numbered(o.label for o in offers[:count]))
            if len(longer) <= SMS_CHARS:
                return Reply(text=longer), offers[:count]
        return Reply(text=text), ()

    def to_choose(
        self, key: str, offers: Sequence[Offer], channel: ChannelName, *, more: Sequence[Choice] = ()
    ) -> tuple[Reply, tuple[Offer, ...]]:
        """``offers`` to choose from, as buttons or by number in the text, and those of them that were really made."""
        if channel not in BY_NUMBER:
            text = self.sentence(key, channel)
            return Reply(text=text, choices=(*map(choice, offers), *more, person())), tuple(offers)
        limit = SMS_CHARS if channel is ChannelName.SMS else VOICE_CHARS
        while True:
            options = numbered(offer.label for offer in offers)
            text = self.sentence(key, channel, options=options)
            if len(text) <= limit or len(offers) <= 1:
                break
            offers = offers[:-1]
        return Reply(text=text), tuple(offers) if offers and options in text else ()

    def _matter(self, topic: Topic) -> Matter:
        return self._catalogue.matters[topic.matter]


def notes(rendered: Rendered) -> Iterable[SourceNote]:
    """The sources of an answer as the record keeps them."""
    for source in rendered.sources:
        issued = source.issued_on.isoformat() if source.issued_on else None
        yield SourceNote(title=source.title, issued_on=issued, url=source.url, strength=source.strength)


def choice(offer: Offer) -> Choice:
    return Choice(label=offer.label, text=offer.text)


def person() -> Choice:
    return Choice(**wording()["person"])


def numbered(labels: Iterable[str]) -> str:
    option, joiner = wording()["option"], wording()["option_joiner"]
    return str(joiner.join(option.format(number=n, title=label) for n, label in enumerate(labels, start=1)))
