"""The printed certificate: what it says, and that it is the same whenever it is printed."""

from __future__ import annotations

import io
import logging
import re
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from fpdf import FPDF
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from hotline.certificates.facts import facts, masked_facts, rows, verify_address
from hotline.certificates.pdf import certificate_pdf
from hotline.certificates.typeface import FONT_FILE, add_typeface, printable
from hotline.domain.fund import AccountState, Certificate, CertificateKind
from hotline.errors import ConfigError
from tests.unit.certificates.made import CENTRE, DEPOSIT, ID_NUMBER, PUBLIC_URL, a_certificate

LOAN = a_certificate(kind=CertificateKind.OTHER_CITY_LOAN)
SAMPLE_WORDS = ("演示样本", "没有证明效力")


@cache
def printed(certificate: Certificate, *, sample: bool = False) -> bytes:
    return certificate_pdf(certificate, centre=CENTRE, public_url=PUBLIC_URL, sample=sample)


def text_of(pdf: bytes) -> str:
    """The words of the only page, without breaks and blanks."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    assert len(pages) == 1
    return re.sub(r"\s", "", pages[0].extract_text())


@pytest.mark.parametrize("certificate", [DEPOSIT, LOAN], ids=["deposit", "other-city-loan"])
def test_every_fact_is_on_the_page(certificate: Certificate) -> None:
    text = text_of(printed(certificate))
    stated = facts(certificate)
    for key in (key for row in rows(certificate) for key in row):
        assert re.sub(r"\s", "", stated[key]) in text, key
    for words in (
        "编号：GZ202611240000123",
        "校验码：7KQ2M9XD",
        CENTRE.name,
        "2026年11月24日",
        "有效期至2027年2月24日",
    ):
        assert words in text


def test_facts_are_those_of_the_certificate() -> None:
    text = text_of(printed(LOAN))
    for words in (
        "异地贷款职工住房公积金缴存使用证明",
        f"证件号码{ID_NUMBER}",
        "单位缴存比例7.5%",
        "个人缴存比例12%",
        "月缴存基数10,000.00元",
        "月缴存额1,950.00元",
        "缴至年月2026年10月",
        "累计缴存124个月",
        "连续缴存63个月",
        "使用公积金贷款1次",
        "未结清公积金贷款有",
        "86,520.35元（大写）人民币捌万陆仟伍佰贰拾元叁角伍分",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("state", "words"),
    [(AccountState.NORMAL, "正常缴存"), (AccountState.SEALED, "封存"), (AccountState.CLOSED, "销户")],
)
def test_state_of_the_account_is_said(state: AccountState, words: str) -> None:
    assert f"账户状态{words}" in text_of(printed(a_certificate(state=state)))


def test_account_nothing_was_paid_into_says_so() -> None:
    text = text_of(printed(a_certificate(paid_to=None, unit_name="", balance_fen=0)))
    assert "缴至年月尚未缴存" in text
    assert "缴存单位无" in text
    assert "零元整" in text


def test_same_certificate_is_the_same_file() -> None:
    again = certificate_pdf(DEPOSIT, centre=CENTRE, public_url=PUBLIC_URL, sample=True)
    assert again == printed(DEPOSIT, sample=True)
    assert printed(DEPOSIT) != printed(a_certificate(balance_fen=86_520_36))


def test_file_is_dated_as_the_certificate_and_names_nobody() -> None:
    data = PdfReader(io.BytesIO(printed(DEPOSIT))).metadata
    assert data is not None
    assert data.creation_date is not None
    assert data.creation_date.date() == date(2026, 11, 24)
    assert data.title == "住房公积金缴存证明"
    assert not {DEPOSIT.name, ID_NUMBER} & {str(found) for found in data.values()}


def test_sample_says_that_it_proves_nothing_and_a_real_one_does_not() -> None:
    sample, real = text_of(printed(DEPOSIT, sample=True)), text_of(printed(DEPOSIT))
    for words in SAMPLE_WORDS:
        assert words in sample
        assert words not in real


def test_file_is_small_and_brings_its_letters_along() -> None:
    pdf = printed(a_certificate(unit_name="中华人民共和国住房公积金" * 8), sample=True)
    assert len(pdf) < 200_000
    fonts = PdfReader(io.BytesIO(pdf)).pages[0]["/Resources"]["/Font"]  # type: ignore[index]
    descendants = [font.get_object()["/DescendantFonts"][0].get_object() for font in fonts.values()]
    assert [("/FontFile2" in found["/FontDescriptor"].get_object()) for found in descendants] == [True]


def test_rare_character_is_a_box_and_a_note(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        text = text_of(printed(a_certificate(name="王\U00020bb7", unit_name="\u3401记商行")))
    assert "姓名王□" in text
    assert "姓名中有生僻字（□），以证件为准" in text
    assert "单位名称中有生僻字" in text
    assert caplog.text == ""


def test_characters_names_are_registered_in_are_no_rare_ones() -> None:
    text = text_of(printed(a_certificate(name="堃喆玥璟昇𬭎", unit_name="阿依古丽·买买提（个体）")))
    assert "姓名堃喆玥璟昇𬭎" in text
    assert "生僻字" not in text


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.text(min_size=1, max_size=30), unit=st.text(max_size=150))
def test_no_name_breaks_the_page(name: str, unit: str) -> None:
    pdf = printed(a_certificate(name=name, unit_name=unit), sample=True)
    assert len(PdfReader(io.BytesIO(pdf)).pages) == 1


def test_nothing_runs_over_the_lower_edge_with_the_longest_names() -> None:
    certificate = a_certificate(
        kind=CertificateKind.OTHER_CITY_LOAN, name="阿卜杜热合曼·买买提吐尔逊\U00020bb7", unit_name="广州\u3401" * 60
    )
    lowest: list[float] = []
    page = PdfReader(io.BytesIO(printed(certificate))).pages[0]
    page.extract_text(visitor_text=lambda text, cm, tm, *_: lowest.append(cm[5] + tm[5]) if text.strip() else None)
    assert min(lowest) > 28  # points: a printer leaves a centimetre blank


def test_code_leads_to_the_page_that_verifies_it() -> None:
    assert verify_address(DEPOSIT, public_url="https://fund.test/") == (
        "https://fund.test/certificates/verify?number=GZ202611240000123&code=7KQ2M9XD"
    )
    other = verify_address(a_certificate(number="穗〔2026〕1号", check_code="a&b"), public_url=PUBLIC_URL)
    assert other.endswith("number=%E7%A9%97%E3%80%942026%E3%80%951%E5%8F%B7&code=a%26b")


def test_masked_facts_hold_neither_the_name_nor_the_id_number() -> None:
    masked = masked_facts(DEPOSIT)
    assert masked["name"] == "陈**"
    assert masked["id_number"] == "****2015"
    assert not any(DEPOSIT.name in text or ID_NUMBER[:14] in text for text in masked.values())


def test_missing_typeface_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"typeface.*missing\.woff"):
        add_typeface(FPDF(), tmp_path / "missing.woff")


def test_typeface_is_the_one_its_readme_names() -> None:
    readme = (FONT_FILE.parent / "README.md").read_text(encoding="utf-8")
    assert f"| {FONT_FILE.name} |" in readme
    assert sha256(FONT_FILE.read_bytes()).hexdigest() in readme


def test_unknown_characters_become_boxes() -> None:
    assert printable("ab\nc", {ord("a"), ord("b")}) == "ab□□"
