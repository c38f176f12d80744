from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hotline import cli, kb_cli
from tests.unit.importing.conftest import changed, xlsx

RENT = "catalogue/national/withdraw-rent.yml"


def run(*arguments: Any, content: Path) -> Result:
    return CliRunner().invoke(kb_cli.app, [*map(str, arguments), "--content", str(content)])


def breaks(content: Path) -> None:
    text = (content / RENT).read_text(encoding="utf-8")
    (content / RENT).write_text(text.replace("topic: 提取-租房", "topic: 租房"), encoding="utf-8")


def test_the_commands_are_part_of_hotline() -> None:
    shown = CliRunner().invoke(cli.app, ["kb", "--help"]).output
    assert "check" in shown
    assert "import" in shown


def test_findings_alone_end_well_and_are_grouped_with_their_number(content: Path) -> None:
    done = run("check", "--as-of", "2026-11-25", content=content)
    assert done.exit_code == 0
    assert "figure-review" not in done.output
    assert (
        "weak-source: answers that rest on a weak source (2)\n  catalogue/national/withdraw-retire.yml:" in done.output
    )
    assert "the content of guangzhou can be published" in done.output
    assert (
        "figure-review: figures past their review date (1)"
        in run("check", "--as-of", "2027-07-01", content=content).output
    )


def test_a_long_list_is_cut_unless_all_is_wanted(content: Path) -> None:
    cut = run("check", "--limit", "1", content=content).output
    assert "more (--limit 0 shows all)" in cut
    assert "more (--limit 0 shows all)" not in run("check", "--limit", "0", content=content).output


def test_problems_come_with_their_place_and_exit_code_1(content: Path) -> None:
    breaks(content)
    done = run("check", content=content)
    assert done.exit_code == 1
    assert f"{RENT}:3: topic: 租房 is not one of the topics\n" in done.output
    assert "1 problem: the content of guangzhou cannot be published" in done.output


def test_json_has_problems_findings_and_counts(content: Path) -> None:
    found = json.loads(run("check", "--json", content=content).stdout)
    assert found["problems"] == []
    assert found["counts"]["weak-source"] == 2
    finding = next(each for each in found["findings"] if each["kind"] == "weak-source")
    assert finding["file"] == "catalogue/national/withdraw-retire.yml"
    assert finding["line"] > 1
    breaks(content)
    done = run("check", "--json", content=content)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["problems"][0]["field"] == "topic"


def test_an_unknown_centre_is_a_problem(content: Path) -> None:
    done = run("check", "--centre", "atlantis", content=content)
    assert done.exit_code == 1
    assert "centres/atlantis.yml:1: -: does not exist" in done.output


def test_an_import_is_shown_and_written_only_when_accepted(content: Path, tmp_path: Path) -> None:
    file = xlsx(tmp_path / "a.xlsx", [changed(text="不收费，每年1次。")])
    target = content / "catalogue/guangzhou/withdraw-rent.yml"
    before = target.read_text(encoding="utf-8")
    shown = run("import", file, content=content)
    assert shown.exit_code == 0
    assert "withdraw-rent  fee  added\n" in shown.output
    assert "      + 不收费，每年1次。\n" in shown.output
    assert "has the figure 1次 that stands as no parameter (warning)" in shown.output
    assert "1 added · 0 changed · 0 untouched" in shown.output
    assert "nothing is written yet: --accept writes it" in shown.output
    assert target.read_text(encoding="utf-8") == before
    done = run("import", file, "--accept", content=content)
    assert done.exit_code == 0
    assert "written: catalogue/guangzhou/withdraw-rent.yml" in done.output
    assert "不收费，每年1次。" in target.read_text(encoding="utf-8")
    assert "nothing would change" in run("import", file, "--accept", content=content).output


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"source": ""}, "a.xlsx, sheet 目录, row 2: unsourced: 来源 is empty"),
        ({"text": "要{fee}。", "short": "要钱。"}, "a.xlsx, sheet 目录, row 2: 答复: {fee} is not a known figure"),
    ],
)
def test_a_refused_import_says_file_sheet_row_and_reason(
    content: Path, tmp_path: Path, fields: dict[str, str], said: str
) -> None:
    done = run("import", xlsx(tmp_path / "a.xlsx", [changed(**fields)]), "--accept", content=content)
    assert done.exit_code == 1
    assert said in done.output
    assert "hotline: nothing is written: 1 problem" in done.output
    assert "Traceback" not in done.output


def test_a_file_that_is_no_spreadsheet_is_one_sentence(content: Path, tmp_path: Path) -> None:
    (tmp_path / "a.doc").write_text("x")
    done = run("import", tmp_path / "a.doc", content=content)
    assert done.exit_code == 1
    assert done.output.strip() == "hotline: a.doc is neither .xlsx nor .csv; save it as one of them"
