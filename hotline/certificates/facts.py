"""The facts of a certificate in words: whole for its owner's PDF, masked for whoever verifies it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from hotline.certificates.amounts import figures
from hotline.certificates.wording import of_kind, value, wording
from hotline.domain.fund import Certificate
from hotline.domain.masking import mask_name, mask_number

VERIFY_PATH = "/certificates/verify"


def facts(certificate: Certificate) -> Mapping[str, str]:
    """Every fact by its key, name and ID number whole: for the PDF of the proven person, and nothing else."""
    return _common(certificate) | {"name": certificate.name, "id_number": certificate.id_number}


def masked_facts(certificate: Certificate) -> Mapping[str, str]:
    """Every fact by its key, of the name the first character, of the ID number the last four."""
    return _common(certificate) | {
        "name": mask_name(certificate.name),
        "id_number": mask_number(certificate.id_number),
    }


def rows(certificate: Certificate) -> Sequence[Sequence[str]]:
    """Keys of the facts this kind of certificate states, in rows of one or two."""
    found: Sequence[Sequence[str]] = of_kind(certificate.kind)["rows"]
    return found


def day(on: date) -> str:
    """A date in words."""
    return value("day", year=on.year, month=on.month, day=on.day)


def verify_address(certificate: Certificate, *, public_url: str) -> str:
    """The address of the page that verifies this certificate, with both fields filled in."""
    query = urlencode({"number": certificate.number, "code": certificate.check_code})
    return f"{public_url.rstrip('/')}{VERIFY_PATH}?{query}"


def _common(certificate: Certificate) -> dict[str, str]:
    paid_to = certificate.paid_to
    return {
        "kind": str(of_kind(certificate.kind)["name"]),
        "number": certificate.number,
        "unit": certificate.unit_name or value("none"),
        "state": str(wording()["values"]["states"][certificate.state.value]),
        "opened_on": day(certificate.opened_on),
        "base": _money(certificate.base_fen),
        "monthly": _money(certificate.monthly_fen),
        "unit_percent": _percent(certificate.unit_percent),
        "personal_percent": _percent(certificate.personal_percent),
        "paid_to": value("month", year=paid_to.year, month=paid_to.month) if paid_to else value("unpaid"),
        "paid_months": value("months", count=certificate.paid_months),
        "consecutive_months": value("months", count=certificate.consecutive_months),
        "loans_used": value("loans", count=certificate.loans_used),
        "unsettled_loan": value("some" if certificate.unsettled_loan else "none"),
        "balance": _money(certificate.balance_fen),
        "issued_on": day(certificate.issued_on),
        "valid_until": day(certificate.valid_until),
    }


def _money(fen: int) -> str:
    return value("money", yuan=figures(fen))


def _percent(percent: Decimal) -> str:
    plain = format(percent, "f")
    return value("percent", number=plain.rstrip("0").rstrip(".") if "." in plain else plain)
