"""Certificates for tests: true in themselves, any field may be changed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from hotline.domain.fund import AccountState, Certificate, CertificateKind
from knowledge_base.model import Centre

CENTRE = Centre(code="guangzhou", name="广州住房公积金管理中心", city="广州", sms_signature="广州公积金")
PUBLIC_URL = "https://fund.test"
ID_NUMBER = "440106199003072015"
DEPOSIT = Certificate(
    number="GZ202611240000123",
    check_code="7KQ2M9XD",
    kind=CertificateKind.DEPOSIT,
    name="陈家明",
    id_number=ID_NUMBER,
    unit_name="广州星河软件有限公司",
    state=AccountState.NORMAL,
    opened_on=date(2016, 7, 1),
    paid_to=date(2026, 10, 1),
    base_fen=10_000_00,
    personal_percent=Decimal("12.00"),
    unit_percent=Decimal("7.5"),
    monthly_fen=1_950_00,
    balance_fen=86_520_35,
    paid_months=124,
    consecutive_months=63,
    loans_used=1,
    unsettled_loan=True,
    issued_on=date(2026, 11, 24),
    valid_until=date(2027, 2, 24),
)


def a_certificate(**changes: object) -> Certificate:
    """`DEPOSIT` with some fields changed."""
    return replace(DEPOSIT, **changes)  # type: ignore[arg-type]


@dataclass
class Guard:
    """A ReplayGuard in memory."""

    seen: dict[tuple[str, str], int] = field(default_factory=dict)

    async def uses(self, scope: str, nonce: str, fingerprint: str, *, ttl_s: int) -> int | None:
        before = self.seen.get((scope, nonce), 0)
        self.seen[scope, nonce] = before + 1
        return before
