"""`kindred identity review`: out to a spreadsheet, decided there, back as decisions that hold."""

from __future__ import annotations

import csv
import io
import stat
from pathlib import Path

from whole_project import WholeProject

SEED = "seeds/stewardship/identity_overrides.csv"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _saved_by_a_spreadsheet(path: Path, rows: list[dict[str, str]]) -> None:
    """With a byte order mark, semicolons and carriage returns, as spreadsheets write."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())


def test_decisions_come_back_and_hold(project_copy: WholeProject) -> None:
    """For stewards: what they decide on people and companies is what the next run does.

    The pairs are not asked about again, and handing in the file twice changes nothing.
    """
    entities = ("person", "account")
    out = project_copy.root / "reports" / "review.csv"
    project_copy.kindred("identity", "review").expect()
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    rows = _rows(out)
    asked = {entity: next(r for r in rows if r["entity"] == entity) for entity in entities}
    are_one = {e: row["reason"] != "just below the threshold" for e, row in asked.items()}
    for entity, row in asked.items():
        row["decision"] = "different" if are_one[entity] else "same"
    _saved_by_a_spreadsheet(out, rows)
    done = project_copy.kindred("identity", "review", "--take", str(out), "--author", "mia")
    assert "kindred build" in done.expect().text
    seed = (project_copy.root / SEED).read_text("utf-8")
    assert all(row["record_id_l"] in seed for row in asked.values())
    assert "mia" in seed
    again = project_copy.kindred("identity", "review", "--take", str(out), "--author", "mia")
    again.expect()
    assert (project_copy.root / SEED).read_text("utf-8") == seed

    project_copy.dbt("seed", "--select", "identity_overrides").expect()
    chosen = [f"int_{entity}_overrides+,+identity_review_queue" for entity in entities]
    project_copy.dbt("run", "--select", *chosen).expect()
    for entity, row in asked.items():
        pair = f"('{row['record_id_l']}', '{row['record_id_r']}')"
        clusters = project_copy.query(
            f"select count(distinct cluster_label) from identity.int_{entity}_clusters"
            f" where record_id in {pair}"
        )
        assert clusters == [(2 if are_one[entity] else 1,)], entity
        waiting = project_copy.query(
            "select count(*) from kindred.identity_review_queue"
            f" where record_id_l in {pair} and record_id_r in {pair}"
        )
        assert waiting == [(0,)], entity


def test_wrong_files_are_told_and_change_nothing(
    built_project: WholeProject, tmp_path: Path
) -> None:
    """For stewards who slip: the line and the mend are named, and the seed stays as it was."""
    before = (built_project.root / SEED).read_bytes()
    missing = built_project.kindred("identity", "review", "--take", "no.csv", "--author", "mia")
    assert "There is no file no.csv" in missing.expect(2).text
    out = tmp_path / "review.csv"
    built_project.kindred("identity", "review", "--out", str(out), "--limit", "3").expect()
    rows = _rows(out)
    nobody = built_project.kindred("identity", "review", "--take", str(out))
    assert "needs an author" in nobody.expect(2).text
    for column, value in (("decision", "perhaps"), ("record_id_l", "crm:contact:other")):
        broken = [dict(row) for row in rows]
        broken[0]["decision"] = "same"
        broken[0][column] = value
        _saved_by_a_spreadsheet(out, broken)
        told = built_project.kindred("identity", "review", "--take", str(out), "--author", "mia")
        assert "nothing was changed" in told.expect(2).text
        assert "line 2" in told.text
    out.write_bytes(b"\x00\x01\x02\xff")
    built_project.kindred("identity", "review", "--take", str(out), "--author", "mia").expect(2)
    both = built_project.kindred("identity", "review", "--take", str(out), "--limit", "3")
    assert "--limit cannot go with --take" in both.expect(2).text
    assert (built_project.root / SEED).read_bytes() == before
