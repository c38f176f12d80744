from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from hotline.learning_store import AskedTurn, CaseState, DecidedCase, Decision, EntryCount
from hotline.services import learning
from hotline.services.learning import Case, HotEntry, Reason, cases, hot_entries, read_cases, undecided, worded_like

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def talk(*turns: tuple[str, str, str], conversation: str = "c", start: int = 1, **changes: object) -> list[AskedTurn]:
    """Turns of one conversation as (text, intent, outcome); answers are of withdraw-rent/overview."""
    return [
        AskedTurn(
            **{
                "inbox_id": start + at,
                "conversation_id": conversation,
                "channel": "web",
                "text": text,
                "asked_at": NOW + timedelta(minutes=at),
                "outcome": outcome,
                "intent": intent,
                "confidence": 0.9,
                "matter": "withdraw-rent" if outcome == "answered" else None,
                "aspect": "overview" if outcome == "answered" else None,
                **changes,
            }
        )
        for at, (text, intent, outcome) in enumerate(turns)
    ]


ASKED = ("租房能提吗", "ask_knowledge", "answered")
UNCLEAR = ("那个咋弄", "fallback", "clarified")
WRONG = ("不对", "wrong", "clarified")
PERSON = ("人工", "human_request", "handoff")
RECORD = ("帮我记下来", "leave_question", "answered")


def reasons(*turns: tuple[str, str, str]) -> list[tuple[str, Reason]]:
    return [(case.text, case.reason) for case in cases(talk(*turns))]


def test_a_good_answer_is_no_case() -> None:
    assert reasons(ASKED, ("谢谢", "thanks", "answered")) == []


@pytest.mark.parametrize("intent", ["ask_knowledge", "fallback", "out_of_scope"])
def test_a_question_the_bot_asked_back_about_is_unanswered(intent: str) -> None:
    assert reasons(("押金能提吗", intent, "clarified")) == [("押金能提吗", Reason.UNANSWERED)]


@pytest.mark.parametrize("intent", ["empty", "unsupported", "choose", "fault", "silence", "held", "wrong"])
def test_asking_back_about_what_is_no_question_is_no_case(intent: str) -> None:
    assert reasons(("1", intent, "clarified")) == []


def test_a_rejected_question_is_a_case_only_where_the_citizen_objects() -> None:
    rejected = ("医保怎么交", "out_of_scope", "rejected")
    assert reasons(rejected) == []
    assert reasons(rejected, WRONG) == [("医保怎么交", Reason.BADLY_RATED)]


def test_an_answer_called_wrong_is_badly_rated_with_what_was_answered() -> None:
    (case,) = cases(talk(ASKED, WRONG))
    assert case == Case(
        inbox_id=1,
        text="租房能提吗",
        asked_at=NOW,
        channel="web",
        outcome="answered",
        matter="withdraw-rent",
        aspect="overview",
        reason=Reason.BADLY_RATED,
    )


@pytest.mark.parametrize("between", ["simpler", "more", "repeat"])
def test_asking_for_the_same_answer_again_puts_the_verdict_off(between: str) -> None:
    again = ("说简单点", between, "answered")
    assert reasons(ASKED, again, WRONG) == [("租房能提吗", Reason.BADLY_RATED)]
    assert reasons(ASKED, again, PERSON) == [("租房能提吗", Reason.BADLY_RATED)]


def test_a_person_wanted_right_after_an_answer_is_a_bad_rating_and_later_is_not() -> None:
    assert reasons(ASKED, PERSON) == [("租房能提吗", Reason.BADLY_RATED)]
    assert reasons(ASKED, ("谢谢", "thanks", "answered"), PERSON) == []
    assert reasons(PERSON) == []


def test_a_person_wanted_after_the_bot_asked_back_leaves_it_unanswered() -> None:
    assert reasons(UNCLEAR, PERSON) == [("那个咋弄", Reason.UNANSWERED)]


def test_a_question_to_be_recorded_counts_most_whatever_was_said_before() -> None:
    assert reasons(UNCLEAR, RECORD) == [("那个咋弄", Reason.TO_RECORD)]
    assert reasons(ASKED, WRONG, RECORD) == [("租房能提吗", Reason.TO_RECORD)]
    assert reasons(ASKED, RECORD, WRONG) == [("租房能提吗", Reason.TO_RECORD)]


def test_a_verdict_is_about_the_latest_question_only() -> None:
    assert reasons(ASKED, ("利率多少", "ask_knowledge", "answered"), WRONG) == [("利率多少", Reason.BADLY_RATED)]


def test_a_verdict_without_a_question_before_it_is_nothing() -> None:
    assert reasons(WRONG, RECORD, ("更多", "more", "answered")) == []


def test_verdicts_of_other_conversations_do_not_count() -> None:
    assert cases([*talk(ASKED), *talk(WRONG, conversation="d", start=2)]) == []


def test_little_confidence_makes_a_case_of_an_answer() -> None:
    (case,) = cases(talk(ASKED, confidence=0.49))
    assert case.reason == Reason.UNSURE
    assert cases(talk(ASKED, confidence=0.5)) == []


def test_what_is_picked_from_the_offer_is_noted_and_rated_as_the_answer() -> None:
    turns = talk(UNCLEAR, ("1", "choose", "answered"), PERSON)
    (case,) = cases(turns)
    assert (case.text, case.matter, case.aspect) == ("那个咋弄", "withdraw-rent", "overview")
    assert case.reason == Reason.BADLY_RATED


def test_a_question_without_a_letter_is_left_out() -> None:
    assert reasons(("？？？", "fallback", "clarified")) == []


def test_turns_may_come_in_any_order() -> None:
    assert cases(reversed(talk(ASKED, WRONG))) == cases(talk(ASKED, WRONG))


def test_decided_cases_and_the_words_of_dismissed_ones_are_not_shown_again() -> None:
    found = [
        *cases(talk(("哈哈", "fallback", "clarified"), state=CaseState.DISMISSED)),
        *cases(talk(("哈哈！", "fallback", "clarified"), start=2, conversation="d")),
        *cases(talk(("押金", "fallback", "clarified"), start=3, conversation="e", state=CaseState.ADDED)),
        *cases(talk(("押金", "fallback", "clarified"), start=4, conversation="f")),
    ]
    assert [case.inbox_id for case in undecided(found)] == [4]


def test_only_the_newest_cases_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "MAX_CASES", 2)
    found = cases(talk(UNCLEAR, UNCLEAR, UNCLEAR))
    assert [case.inbox_id for case in undecided(found)] == [2, 3]


def test_words_are_found_again_whatever_their_punctuation() -> None:
    found = cases(talk(("押金，能提吗？", "fallback", "clarified"), ("押金", "fallback", "clarified")))
    assert [case.inbox_id for case in worded_like(found, "押金能提吗")] == [1]


class FakeLearning:
    def __init__(
        self, turns: Iterable[AskedTurn] = (), counts: Mapping[datetime, list[EntryCount]] | None = None
    ) -> None:
        self.turns = list(turns)
        self.counts = counts or {}
        self.asked: list[datetime] = []

    async def suspect_turns(self, *, since: datetime, limit: int) -> list[AskedTurn]:
        self.asked.append(since)
        return self.turns

    async def decide(self, inbox_ids: Iterable[int], decision: Decision) -> int:
        raise NotImplementedError

    async def decisions(self, inbox_ids: Iterable[int]) -> list[DecidedCase]:
        raise NotImplementedError

    async def texts(self, inbox_ids: Iterable[int]) -> Mapping[int, str]:
        raise NotImplementedError

    async def entry_counts(self, *, since: datetime, until: datetime) -> list[EntryCount]:
        return self.counts.get(since, [])


@pytest.mark.anyio
async def test_cases_are_read_for_the_days_asked_for() -> None:
    store = FakeLearning(talk(UNCLEAR))
    assert [case.text for case in await read_cases(store, now=NOW, days=7)] == ["那个咋弄"]
    assert store.asked == [NOW - timedelta(days=7)]


@pytest.mark.anyio
async def test_demand_is_set_against_the_same_time_before() -> None:
    week, two_weeks = NOW - timedelta(days=7), NOW - timedelta(days=14)
    counts = {
        week: [
            EntryCount(code="a", aspect="overview", asked=30, badly_rated=3),
            EntryCount(code="b", aspect="fee", asked=5, badly_rated=0),
        ],
        two_weeks: [EntryCount(code="a", aspect="overview", asked=20, badly_rated=1)],
    }
    first, second = await hot_entries(FakeLearning(counts=counts), now=NOW, days=7)
    assert first == HotEntry(code="a", aspect="overview", asked=30, badly_rated=3, before=20)
    assert first.bad_share == pytest.approx(0.1)
    assert first.trend == pytest.approx(0.5)
    assert second.trend is None
