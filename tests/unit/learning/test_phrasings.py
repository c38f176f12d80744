from __future__ import annotations

from pathlib import Path

import pytest

from hotline.services.files import FileChanged, replace_text
from hotline.services.phrasings import Added, EntryName, Refused, add_phrasing, presentable
from knowledge_base.loader import load
from tests.unit.knowledge_base.conftest import edit

RENT = "catalogue/national/withdraw-rent.yml"
RENT_GZ = "catalogue/guangzhou/withdraw-rent.yml"
RETIRE = "catalogue/national/withdraw-retire.yml"


def add(content: Path, text: str, entry: str = "withdraw-rent/overview") -> Added:
    return add_phrasing(content, centre="guangzhou", entry=EntryName.parse(entry), text=text)


def everything(content: Path) -> dict[str, bytes]:
    return {file.relative_to(content).as_posix(): file.read_bytes() for file in content.rglob("*") if file.is_file()}


def test_a_phrasing_goes_into_the_national_file_and_is_loaded_from_there(content: Path) -> None:
    before = (content / RENT).read_text(encoding="utf-8")
    added = add(content, " 租房子的钱\n可以从公积金里出吗？ ")
    assert added == Added(file=RENT, line=19, text="租房子的钱 可以从公积金里出吗？")
    lines = (content / RENT).read_text(encoding="utf-8").splitlines()
    assert lines.pop(18) == "      - 租房子的钱 可以从公积金里出吗？"
    assert lines == before.splitlines()
    questions = load(content, centre="guangzhou").matters["withdraw-rent"].aspects["overview"].questions
    assert added.text in questions


def test_a_phrasing_that_names_the_centres_place_goes_into_its_file(content: Path) -> None:
    (content / "centres/guangzhou.yml").write_text(
        'code: guangzhou\nname: 中心\ncity: 广州\nsms_signature: 【广州】\nhotline: "12329"\nhere: [天河, 穗]\n',
        encoding="utf-8",
    )
    assert add(content, "在天河租房能提不").file == RENT_GZ
    assert add(content, "广州这边租房能提不").file == RENT_GZ


def test_an_aspect_only_the_centre_has_is_edited_in_its_file(content: Path) -> None:
    assert add(content, "每月房租最多给几块钱", "withdraw-rent/amount").file == RENT_GZ


def test_a_centres_file_gets_the_aspect_it_had_not(content: Path) -> None:
    assert add(content, "广州租房提取要哪些证件", "withdraw-rent/materials").file == RENT_GZ
    assert (
        "广州租房提取要哪些证件"
        in load(content, centre="guangzhou").matters["withdraw-rent"].aspects["materials"].questions
    )


def test_a_centre_that_has_no_file_of_the_matter_gets_one(content: Path) -> None:
    added = add(content, "在广州退休了怎么提", "withdraw-retire/overview")
    assert added == Added(file="catalogue/guangzhou/withdraw-retire.yml", line=5, text="在广州退休了怎么提")
    assert load(content, centre="guangzhou").matters["withdraw-retire"].aspects["overview"].questions[-1] == added.text


@pytest.mark.parametrize(
    ("text", "entry", "why"),
    [
        ("租房可以提公积金吗？", "withdraw-retire/overview", f"stands already at {RENT}:14 (withdraw-rent/overview)"),
        ("租房一个月，能取多少", "withdraw-rent/amount", f"stands already at {RENT_GZ}:18 (withdraw-rent/amount)"),
        ("怎么租", "withdraw-rents/overview", "no matter withdraw-rents; near to it are withdraw-rent,"),
        ("怎么租", "withdraw-rent/fee", "has no aspect fee; it has overview, materials, amount"),
        ("怎么租", "withdraw-rent", "does not name an entry"),
        ("怎么租", "withdraw-rent/", "does not name an entry"),
        ("怎么租", "a/b/c", "does not name an entry"),
        ("怎么租", "../national/withdraw-rent/overview", "does not name an entry"),
        ("我的电话是13800138000，租房能提吗", "withdraw-rent/overview", "personal data (phone)"),
        ("电话一三八零零一三八零零零", "withdraw-rent/overview", "personal data (phone)"),
        ("身份证44010619900101123X能提吗", "withdraw-rent/overview", "personal data (id_number)"),
        ("卡6222021234567890123", "withdraw-rent/overview", "personal data"),
        ("我是[电话已隐去]，能提吗", "withdraw-rent/overview", "masked"),
        ("账号１２３４５６７８９０１２能提吗", "withdraw-rent/overview", "a number of 12 digits"),
        ("？？？", "withdraw-rent/overview", "no letter"),
        ("", "withdraw-rent/overview", "no letter"),
        ("租" * 121, "withdraw-rent/overview", "121 characters, 120 at most"),
    ],
)
def test_what_may_not_be_added_is_refused_and_nothing_changes(content: Path, text: str, entry: str, why: str) -> None:
    before = everything(content)
    with pytest.raises(Refused) as refused:
        add(content, text, entry)
    assert why in str(refused.value)
    assert everything(content) == before


def test_amounts_and_years_are_no_personal_data() -> None:
    assert presentable("2024年房租3500元，余额1200000能提多少") == "2024年房租3500元，余额1200000能提多少"


def test_control_characters_are_dropped() -> None:
    assert presentable("租房\x00能\x1b提吗") == "租房能提吗"


def test_faulty_content_is_mended_first(content: Path) -> None:
    edit(content / RENT, "popularity: 90", "popularity: 900")
    with pytest.raises(Refused, match="mend it first") as refused:
        add(content, "怎么租")
    assert f"{RENT}:5" in str(refused.value)


def test_a_question_of_another_centre_is_not_taken_from_it(content: Path) -> None:
    source = (content / "centres/guangzhou.yml").read_text(encoding="utf-8").replace("code: guangzhou", "code: wuhu")
    (content / "centres/wuhu.yml").write_text(source, encoding="utf-8")
    (content / "catalogue/wuhu").mkdir()
    (content / "catalogue/wuhu/loan-rate.yml").write_text(
        "code: loan-rate\naspects:\n  overview:\n    questions:\n      - 怎么租\n", encoding="utf-8"
    )
    with pytest.raises(Refused, match=r"怎么租 stands already at catalogue/"):
        add(content, "怎么租")


def test_a_layout_that_cannot_be_edited_is_left_to_the_editor(content: Path) -> None:
    source = (content / RETIRE).read_text(encoding="utf-8")
    start = source.rindex("    questions:\n")
    (content / RETIRE).write_text(source[:start] + "    questions: [几天到卡 # soon\n      ]\n", encoding="utf-8")
    with pytest.raises(Refused, match=f"{RETIRE} has to be edited by hand"):
        add(content, "退休的钱几号到", "withdraw-retire/time_limit")


def test_a_file_somebody_else_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_text("theirs", encoding="utf-8")
    with pytest.raises(FileChanged, match="somebody else"):
        replace_text(file, "ours", expected="as it was")
    with pytest.raises(FileChanged, match="somebody else"):
        replace_text(file, "ours", expected=None)
    assert file.read_text(encoding="utf-8") == "theirs"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_keeps_its_permissions(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_text("before", encoding="utf-8")
    file.chmod(0o640)
    replace_text(file, "after", expected="before")
    assert file.read_text(encoding="utf-8") == "after"
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_disk_that_refuses_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(FileChanged, match="cannot be written"):
        replace_text(tmp_path / "folder" / "a.yml", "text", expected=None)
