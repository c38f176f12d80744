"""Every business with a person who may file it, the answers he gives, and the fields that arrive at the core system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from hotline.domain.fund import AccountState
from hotline.domain.messages import TurnResult
from tests.fake_fund import FakeFundSystem, a_person, an_account
from tests.own_kit import Counter
from tests.unit.own.kit import a_clerk, a_fund, said

CONFIRMED = "确认提交"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    begins: str
    code: str
    answers: tuple[str, ...]
    fields: Mapping[str, str]
    record: Mapping[str, Any] = field(default_factory=dict)

    def fund(self) -> FakeFundSystem:
        return a_fund(**self.record)


RENT = Form(
    begins="我要办租房提取",
    code="withdraw-rent",
    answers=("9月", "这个月", "5500块", "确认属实"),
    fields={"first_month": "2026-09-01", "last_month": "2026-11-01", "amount_fen": "550000", "promise": "yes"},
)
RETIRE = Form(
    begins="我要办退休提取",
    code="withdraw-retire",
    answers=("确认属实",),
    fields={"promise": "yes"},
    record={"person": a_person(birth_on=date(1960, 1, 1))},
)
LEAVE = Form(
    begins="我要办离职提取",
    code="withdraw-leave",
    answers=("1月3号", "属实"),
    fields={"left_on": "2026-01-03", "promise": "yes"},
    record={
        "person": a_person(household_city="武汉", insured_elsewhere=False, insurance_stopped_months=9),
        "accounts": [an_account(state=AccountState.SEALED, sealed_on=date(2026, 1, 5))],
        "loans": [],
    },
)
TRANSFER = Form(
    begins="帮我把武汉的公积金转过来",
    code="transfer-other-city",
    answers=("武汉", "武汉光谷科技公司"),
    fields={"from_city": "武汉", "from_unit_name": "武汉光谷科技公司"},
)
IN_FULL = Form(
    begins="我要提前还款",
    code="loan-prepay",
    answers=("全部还清", "下周一"),
    fields={"loan_no": "L000001", "kind": "full", "on": "2026-11-30"},
)
IN_PART = Form(
    begins="我要提前还款",
    code="loan-prepay",
    answers=("还一部分", "五万", "缩短年限", "12月10号"),
    fields={
        "loan_no": "L000001",
        "kind": "partial",
        "amount_fen": "5000000",
        "keep": "instalment",
        "on": "2026-12-10",
    },
)
MAKEUP = Form(
    begins="我要做单位补缴申报",
    code="contribute-makeup",
    answers=("2026年3月", "2026年5月", "三个人", "1万2", "单位漏缴"),
    fields={
        "unit_no": "U1",
        "first_month": "2026-03-01",
        "last_month": "2026-05-01",
        "people": "3",
        "amount_fen": "1200000",
        "reason": "单位漏缴",
    },
    record={"person": a_clerk("广州星河软件有限公司")},
)
FORMS = (RENT, RETIRE, LEAVE, TRANSFER, IN_FULL, IN_PART, MAKEUP)


async def begun(counter: Counter, form: Form) -> TurnResult:
    """The first question of the form."""
    return await counter.says(form.begins, "apply")


async def at_summary(counter: Counter, form: Form = RENT) -> TurnResult:
    """The summary of the whole form."""
    await begun(counter, form)
    return await said(counter, *form.answers)
