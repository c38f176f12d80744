"""Conditions of a matter that can be checked against a person's own data: their form, and how files become them.

What a check means is code elsewhere (a *predicate*); here stand its name and the arguments it takes, so that content
which names an unknown one is found before it is published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

FIGURE, QUESTION, CITIES, STATE = "figure", "question", "cities", "state"
"""Kinds of arguments: a parameter's name, one of QUESTIONS, a list of cities, a state of an account."""

STATES = ("normal", "sealed")

PREDICATES: Mapping[str, Mapping[str, str]] = {
    "account_state": {"state": STATE},
    "balance_positive": {},
    "not_frozen": {},
    "has_card": {},
    "no_open_application": {},
    "sealed_months_at_least": {"months": FIGURE},
    "consecutive_months_at_least": {"months": FIGURE},
    "household_not_local": {},
    "no_home_in_city": {},
    "not_paying_elsewhere": {},
    "insurance_stopped_months_at_least": {"months": FIGURE},
    "reached_retirement_age": {},
    "age_below": {"years": FIGURE},
    "no_unsettled_fund_loan": {},
    "has_unsettled_fund_loan": {},
    "has_home_loan": {},
    "fund_loans_used_below": {"times": FIGURE},
    "no_overdue": {},
    "repaid_months_at_least": {"months": FIGURE},
    "repaid_years_at_least": {"years": FIGURE},
    "monthly_repayment_agreed": {"year": FIGURE},
    "house_place_allowed": {"neighbours": CITIES},
    "said_yes": {"question": QUESTION},
    "said_no": {"question": QUESTION},
}
"""Every check there is, with its arguments and their kinds."""

YES_NO = ("yes", "no")

QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "renting": YES_NO,  # 现在在本市租房住
    "home_in_city": YES_NO,  # 家庭在本市有自有住房
    "local_household": YES_NO,  # 本市户籍
    "retired": YES_NO,  # 已经办了退休
    "post": ("worker", "staff"),  # 女职工: 工人岗位/管理技术岗位
    "left_job": YES_NO,  # 已和单位终止劳动关系
    "paying_elsewhere": YES_NO,  # 在别处缴社保或公积金
    "buyer": YES_NO,  # 本人或配偶是购房人
    "residential": YES_NO,  # 房屋用途是居住
    "house_city": (),  # 房子在哪个城市
    "spouse_city": (),  # 配偶户籍所在城市
    "home_loan": YES_NO,  # 有没还清的购房贷款
    "down_payment_paid": YES_NO,  # 首付已付够
    "transfer_direction": ("in", "out"),  # 转入/转出
    "old_account_sealed": YES_NO,  # 原城市的账户已封存
    "old_loan_unsettled": YES_NO,  # 原城市有没还清的公积金贷款
    "paid_there": YES_NO,  # 在新城市已缴满规定月数
}
"""What a citizen may be asked, with the values the answer can have; none: the name of a city."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition: a plain sentence, and how it is checked. ``{parameter}`` in texts is the figure in force."""

    id: str
    text: str
    check: str
    arguments: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    unmet: str = ""
    """What to do when it is not met."""
    unknown: str = ""
    """What shows it where the data does not: a paper, or where to look."""
    only_if: Mapping[str, str] = field(default_factory=dict)
    """It counts only where each of these questions was answered so."""
    source_id: str
    """One of the matter's sources."""
    effective_from: date | None = None
    effective_to: date | None = None

    def in_force(self, day: date) -> bool:
        return _holds(day, self.effective_from, self.effective_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """All conditions of one matter, as one centre sets them. ``centre``: who wrote last, ``national`` or a centre."""

    code: str
    conditions: tuple[Condition, ...]
    centre: str
    name: str = ""
    """What is done, where the matter's own name does not stand after "you can"."""
    effective_from: date | None = None
    effective_to: date | None = None

    def on(self, day: date) -> tuple[Condition, ...]:
        """The conditions in force on ``day``; none where the whole is not."""
        if not _holds(day, self.effective_from, self.effective_to):
            return ()
        return tuple(condition for condition in self.conditions if condition.in_force(day))

    def figures(self) -> set[str]:
        """Names of the parameters that any check takes."""
        return {
            str(value)
            for condition in self.conditions
            for name, value in condition.arguments.items()
            if PREDICATES.get(condition.check, {}).get(name) == FIGURE
        }


def _holds(day: date, first: date | None, last: date | None) -> bool:
    return (first is None or first <= day) and (last is None or day <= last)


def laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """A centre's file over the national one: fields are replaced, conditions merged by id, new ones at the end."""
    conditions = dict(below.get("conditions", {}))
    for key, condition in above.get("conditions", {}).items():
        conditions[key] = {**conditions.get(key, {}), **condition}
    return {**below, **above, "conditions": conditions}


def missing(data: Mapping[str, Any]) -> list[str]:
    """Fields that a condition lacks once all files are laid over each other, as ``conditions.<id>.<field>``."""
    wanted = ("text", "check", "source")
    return [
        f"conditions.{key}.{name}"
        for key, condition in data["conditions"].items()
        for name in wanted
        if name not in condition
    ]


def built(data: Mapping[str, Any]) -> Eligibility:
    """From a file's data. Raises: ValueError for a date that does not exist."""
    return Eligibility(
        code=data["code"],
        conditions=tuple(_condition(key, condition) for key, condition in data["conditions"].items()),
        centre=data["centre"],
        name=data.get("name", ""),
        **_days(data),
    )


def _condition(key: str, data: Mapping[str, Any]) -> Condition:
    return Condition(
        id=key,
        text=data["text"],
        check=data["check"],
        arguments=_arguments(data.get("with", {})),
        unmet=data.get("unmet", ""),
        unknown=data.get("unknown", ""),
        only_if=dict(data.get("only_if", {})),
        source_id=data["source"],
        **_days(data),
    )


def from_json(data: Mapping[str, Any]) -> Eligibility:
    """What `snapshot.to_json` wrote."""
    conditions = (
        Condition(**{**each, **_days(each), "arguments": _arguments(each["arguments"])}) for each in data["conditions"]
    )
    return Eligibility(**{**data, **_days(data), "conditions": tuple(conditions)})


def _arguments(data: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}


def _days(data: Mapping[str, Any]) -> dict[str, date | None]:
    names = ("effective_from", "effective_to")
    return {name: date.fromisoformat(data[name]) if data.get(name) else None for name in names}
