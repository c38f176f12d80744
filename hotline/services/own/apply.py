"""Filing an application in a conversation: ask only for what nobody knows, show a summary, file once.

What has been said is kept in a draft of the person (not of the conversation), so that it can be gone on with on any
channel; the conversation's task only says which field is waited for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from hotline.audit_store import Audit
from hotline.domain.fund import OPEN_STATES
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Choice, Outcome
from hotline.fund_system import FundSystem
from hotline.private_store import Draft, Drafts
from hotline.services.offers import bare
from hotline.services.own.businesses.business import Business, Inputs, read_record
from hotline.services.own.eligible import may
from hotline.services.own.fields import WORDS, Field, FieldKind, Unread, fits, is_refused, read, says, shown
from hotline.services.own.filing import Filing
from hotline.services.own.limits import Limits
from hotline.services.own.looks import did
from hotline.services.own.progress import business as name_of
from hotline.services.own.progress import tell
from hotline.services.own.skill import Ask, Task, Told, money, named_business
from hotline.services.speaking import person
from hotline.services.understanding import BY_NUMBER

CONFIRM: Final = "confirm"
WHICH: Final = "which"
RESUME: Final = "resume"
SEEN: Final = "seen"
"""The input of a task that says which version of the draft the summary showed."""
ENDING: Final = 2
"""Characters at the end of a field's name that stand for it beside a word for changing."""


class Apply:
    """Runs for the intent ``apply``."""

    intent = "apply"
    matter = "withdraw-overview"
    own_only = True

    def __init__(
        self,
        fund: FundSystem,
        drafts: Drafts,
        *,
        filing: Filing,
        limits: Limits,
        audit: Audit,
        businesses: Sequence[Business],
    ) -> None:
        self._fund = fund
        self._drafts = drafts
        self._filing = filing
        self._limits = limits
        self._audit = audit
        self._businesses: Mapping[str, Business] = {each.code: each for each in businesses}

    def needs(self, channel: ChannelName) -> Level:
        return Level.PROVEN

    async def answer(self, ask: Ask) -> Told:
        """Goes on with a draft, begins the business that was named, or asks which one is meant."""
        drafts = await self._drafts.of(ask.person_id)
        newest = next((each for each in drafts if each.business in self._businesses), None)
        if says(ask.text, "go_on_words") and newest is not None:
            return await self._begin(ask, self._businesses[newest.business], said=newest.fields)
        business = self._businesses.get(named_business(ask) or ask.matter or "")
        return await self._chosen(ask, business) if business else self._which(ask)

    async def go_on(self, ask: Ask, task: Task) -> Told | None:
        if task.asking == WHICH:
            named = self._named(ask)
            return await self._chosen(ask, named) if named else None
        business = self._businesses[task.about]
        draft = await self._drafts.find(ask.person_id, business.code)
        if draft is None:
            return Told(text=WORDS.say("draft_gone", ask.channel), outcome=Outcome.CLARIFIED)
        if task.asking == RESUME:
            return await self._resumed(ask, business, draft)
        if task.asking == CONFIRM:
            return await self._confirmed(ask, business, draft, task)
        return await self._field(ask, business, draft, task)

    async def ask_again(self, ask: Ask, task: Task) -> Told:
        if task.asking == WHICH:
            return self._which(ask)
        business = self._businesses[task.about]
        draft = await self._drafts.find(ask.person_id, business.code)
        if draft is None:
            return Told(text=WORDS.say("draft_gone", ask.channel), outcome=Outcome.CLARIFIED)
        if task.asking == RESUME:
            return self._found_draft(ask, business)
        asked = next((each for each in business.fields(draft.fields, ask) if each.name == task.asking), None)
        if asked is not None:
            return self._question(ask, business, asked, draft.fields)
        return await self._next(ask, business, draft)

    def leave(self, ask: Ask, task: Task) -> Told:
        """The draft stays for 30 days."""
        key = "left_unasked" if task.asking == WHICH else "left"
        return Told(text=WORDS.say(key, ask.channel, business=name_of(task.about, ask)), matter=task.about or None)

    async def unfinished(self, ask: Ask) -> Told | None:
        """The offer to go on with the application begun last, on whatever channel that was."""
        drafts = await self._drafts.of(ask.person_id)
        codes = [each.business for each in drafts if each.business in self._businesses and _has_answers(each)]
        return self._found_draft(ask, self._businesses[codes[0]]) if codes else None

    # --- beginning -----------------------------------------------------------------------------------------------

    def _which(self, ask: Ask) -> Told:
        names = [name_of(code, ask) for code in self._businesses]
        choices = tuple(Choice(label=name, text=name) for name in names) if ask.channel not in BY_NUMBER else ()
        listed = str(WORDS.find("joiner")).join(names)
        task = Task(skill=self.intent, asking=WHICH)
        return Told(text=WORDS.say("which", ask.channel, listed=listed), choices=choices, task=task)

    def _named(self, ask: Ask) -> Business | None:
        said = bare(ask.text)
        for at, (code, business) in enumerate(self._businesses.items(), start=1):
            if said == str(at) or bare(name_of(code, ask)) in said:
                return business
        return self._businesses.get(named_business(ask) or "")

    async def _chosen(self, ask: Ask, business: Business) -> Told:
        """The business is begun, unless it was begun before."""
        draft = await self._drafts.find(ask.person_id, business.code)
        if draft is not None and _has_answers(draft):
            return self._found_draft(ask, business)
        return await self._begin(ask, business)

    def _found_draft(self, ask: Ask, business: Business) -> Told:
        choices = _offered(("go_on_label", "anew_label"), ask)
        text = WORDS.say("found_draft", ask.channel, business=name_of(business.code, ask))
        task = Task(skill=self.intent, about=business.code, asking=RESUME)
        return Told(text=text, choices=choices, task=task, matter=business.code)

    async def _resumed(self, ask: Ask, business: Business, draft: Draft) -> Told | None:
        if says(ask.text, "anew_words"):
            await self._drafts.drop(ask.person_id, business.code)
            return await self._begin(ask, business)
        if says(ask.text, "go_on_words") or says(ask.text, "yes_words"):
            return await self._begin(ask, business, said=draft.fields)
        return None

    async def _begin(self, ask: Ask, business: Business, *, said: Inputs | None = None) -> Told:
        """The conditions first: nobody fills in a form that cannot be granted. Of what was ``said`` before, what still
        fits is kept."""
        record = await read_record(self._fund, ask.person_no)
        still_open = [e for e in record.applications if e.business == business.code and e.state in OPEN_STATES]
        if still_open:
            text = WORDS.say("open_already", ask.channel, told=tell(still_open[0], ask))
            return Told(text=text, outcome=Outcome.CLARIFIED, matter=business.code)
        refusal = may(business.code, record, ask)
        if refusal is not None:
            return Told(text=refusal, outcome=Outcome.CLARIFIED, matter=business.code)
        answers = {name: value for name, value in (said or {}).items() if not name.startswith("_")}
        inputs = _kept(business, {**answers, **business.known(record, ask)}, ask)
        draft = await self._drafts.save(ask.person_id, business.code, fields=inputs, step="")
        await self._audit.record(did("application.begun", ask, purpose=business.code))
        told = await self._next(ask, business, draft)
        if said:
            return told
        opening = WORDS.say("begin", ask.channel, business=name_of(business.code, ask))
        return replace(told, text=f"{opening}\n{told.text}")

    # --- fields --------------------------------------------------------------------------------------------------

    async def _field(self, ask: Ask, business: Business, draft: Draft, task: Task) -> Told | None:
        field = next((each for each in business.fields(draft.fields, ask) if each.name == task.asking), None)
        if field is None:
            return await self._next(ask, business, draft)
        if is_refused(field, ask):
            text = WORDS.say("not_promised", ask.channel)
            return Told(text=text, choices=_person(ask), outcome=Outcome.CLARIFIED, matter=business.code)
        value = read(field, ask)
        if isinstance(value, Unread):
            if value.problem is None:
                return None
            asked = self._question(ask, business, field, draft.fields)
            return replace(asked, text=f"{value.problem}\n{asked.text}", outcome=Outcome.CLARIFIED)
        inputs = _kept(business, {**draft.fields, field.name: value}, ask)
        changed = await self._drafts.save(ask.person_id, business.code, fields=inputs, step=field.name)
        return await self._next(ask, business, changed)

    async def _next(self, ask: Ask, business: Business, draft: Draft) -> Told:
        """The first field that is not there yet, or the summary."""
        inputs = draft.fields
        missing = next((each for each in business.fields(inputs, ask) if each.name not in inputs), None)
        if missing is not None:
            return self._question(ask, business, missing, inputs)
        return await self._over_limit(ask, business, draft) or self._summary(ask, business, draft)

    async def _over_limit(self, ask: Ask, business: Business, draft: Draft) -> Told | None:
        """That the amount is too much for this channel; it can be changed."""
        refusal = await self._limits.exceeded(business.amount_fen(draft.fields), ask)
        if refusal is None:
            return None
        task = Task(skill=self.intent, about=business.code, asking=CONFIRM, inputs={SEEN: _version(draft)})
        choices = _offered(("change_label", "leave_label"), ask)
        return Told(text=refusal, choices=choices, task=task, outcome=Outcome.CLARIFIED, matter=business.code)

    def _question(self, ask: Ask, business: Business, field: Field, inputs: Inputs) -> Told:
        values = {name.lstrip("_"): value for name, value in _readable(business, inputs, ask).items()}
        is_amount = field.kind is FieldKind.AMOUNT
        least = money(ask.channel, field.least) if is_amount else ""
        most = money(ask.channel, field.most) if is_amount and field.most else ""
        text = WORDS.say(f"{business.code}.ask.{field.name}", ask.channel, least=least, most=most, **values)
        if ask.channel in BY_NUMBER and field.choices:
            text += _numbered(field.choices)
        task = Task(skill=self.intent, about=business.code, asking=field.name)
        return Told(text=text, choices=_choices(field, ask), task=task, matter=business.code)

    def _summary(self, ask: Ask, business: Business, draft: Draft) -> Told:
        """What is confirmed: the draft as it stands, and no other."""
        labels = WORDS.find(f"{business.code}.labels")
        readable = _readable(business, draft.fields, ask)
        lines = [
            WORDS.say("line", ask.channel, label=label, value=readable[name])
            for name, label in labels.items()
            if name in readable
        ]
        values = {name.lstrip("_"): value for name, value in readable.items()}
        text = WORDS.say(
            "summary",
            ask.channel,
            business=name_of(business.code, ask),
            lines="".join(lines),
            note=WORDS.say(f"{business.code}.note", ask.channel, **values),
        )
        choices = _offered(("confirm_label", "change_label", "leave_label"), ask)
        task = Task(skill=self.intent, about=business.code, asking=CONFIRM, inputs={SEEN: _version(draft)})
        return Told(text=text, choices=choices, task=task, matter=business.code)

    # --- filing --------------------------------------------------------------------------------------------------

    async def _confirmed(self, ask: Ask, business: Business, draft: Draft, task: Task) -> Told | None:
        inputs = _kept(business, draft.fields, ask)
        if says(ask.text, "confirm_words"):
            if inputs != draft.fields:  # a day has passed since, and what was said lies outside the bounds now
                draft = await self._drafts.save(ask.person_id, business.code, fields=inputs, step="")
            if task.inputs.get(SEEN) != _version(draft):
                told = await self._next(ask, business, draft)
                return replace(told, text=f"{WORDS.say('look_again', ask.channel)}\n{told.text}")
            return await self._over_limit(ask, business, draft) or await self._filing.file(ask, business, draft)
        changed = self._to_change(ask, business, inputs)
        if changed is not None:
            return self._question(ask, business, changed, inputs)
        if says(ask.text, "change_words"):
            return self._what_to_change(ask, business)
        return None

    def _what_to_change(self, ask: Ask, business: Business) -> Told:
        labels = WORDS.find(f"{business.code}.labels")
        names = [labels[name] for name in labels if not name.startswith("_")]
        change = str(WORDS.find("change_one"))
        choices = tuple(Choice(label=label, text=change.format(label=label)) for label in names)
        choices = choices if ask.channel not in BY_NUMBER else ()
        task = Task(skill=self.intent, about=business.code, asking=CONFIRM)
        text = WORDS.say("what_to_change", ask.channel, names=str(WORDS.find("joiner")).join(names))
        return Told(text=text, choices=choices, task=task, matter=business.code)

    def _to_change(self, ask: Ask, business: Business, inputs: Inputs) -> Field | None:
        """The field whose name stands in the message."""
        labels: Mapping[str, str] = WORDS.find(f"{business.code}.labels")
        said = bare(ask.text)
        named = [each for each in business.fields(inputs, ask) if each.name in labels]
        whole = next((each for each in named if bare(labels[each.name]) in said), None)
        if whole or not any(mark in said for mark in WORDS.find("change_marks")):
            return whole
        return next((each for each in named if bare(labels[each.name])[-ENDING:] in said), None)


def _has_answers(draft: Draft) -> bool:
    """Whether anything was told, not only looked up."""
    return any(not name.startswith("_") for name in draft.fields)


def _version(draft: Draft) -> str:
    """Changes with every change of the draft, and says nothing of it."""
    return draft.updated_at.isoformat()


def _kept(business: Business, inputs: Inputs, ask: Ask) -> Inputs:
    """Without answers that no longer fit what was changed before them."""
    kept = {name: value for name, value in inputs.items() if name.startswith("_")}
    for _ in range(len(inputs)):
        for field in business.fields(kept, ask):
            value = inputs.get(field.name)
            if field.name not in kept and value is not None and fits(field, value):
                kept[field.name] = value
                break
        else:
            break
    return kept


def _readable(business: Business, inputs: Inputs, ask: Ask) -> Mapping[str, str]:
    """Every answer and every known fact as the citizen reads it, by its name."""
    fields = {each.name: each for each in business.fields(inputs, ask)}
    found = {name: shown(fields[name], value, ask) for name, value in inputs.items() if name in fields}
    for name in ("_free", "_limit", "_balance"):
        if name in inputs:
            found[name] = money(ask.channel, int(inputs[name]))
    return {**found, **{name: inputs[name] for name in ("_card", "_unit") if name in inputs}}


def _choices(field: Field, ask: Ask) -> tuple[Choice, ...]:
    if ask.channel in BY_NUMBER:
        return ()
    if field.kind is FieldKind.PROMISE:
        label = str(WORDS.find("promise_label"))
        return (Choice(label=label, text=label),)
    if field.kind is FieldKind.AMOUNT and field.most is not None and field.may_be_all:
        label = WORDS.say("all_label", ask.channel, most=shown(field, str(field.most), ask))
        return (Choice(label=label, text=str(WORDS.find("all_words")[0])),)
    return tuple(Choice(label=label, text=label) for label in (field.choices or {}).values())


def _numbered(choices: Mapping[str, str]) -> str:
    option = str(WORDS.find("option"))
    return "".join(option.format(number=at, label=label) for at, label in enumerate(choices.values(), start=1))


def _person(ask: Ask) -> tuple[Choice, ...]:
    return () if ask.channel in BY_NUMBER else (person(),)


def _offered(keys: Sequence[str], ask: Ask) -> tuple[Choice, ...]:
    """Choices that say their own label, where there are buttons."""
    labels = [str(WORDS.find(key)) for key in keys] if ask.channel not in BY_NUMBER else []
    return tuple(Choice(label=label, text=label) for label in labels)
