"""The report: one page on the quality of the data and on who is who, for people who read no SQL."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cli_project import SmallProject, make_project
from cli_warehouse import PLANTED_EMAIL, PLANTED_NAME, build_warehouse
from kindred.identity import health_history, model_chart, model_files
from kindred.identity.health_history import Health, Run
from kindred.identity.person import PERSON
from whole_project import WholeProject


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> SmallProject:
    return make_project(tmp_path, monkeypatch, capsys)


class _Page(HTMLParser):
    """What a browser would load for the page, and the text that people read."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.words: list[str] = []
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style")
        for name, value in attrs:
            if name in ("src", "srcset", "data", "poster") or (name == "href" and tag != "a"):
                self.loaded.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


HEALTH = """
create table kindred.run_history as
    select * from (values (1, timestamp '2026-06-29'), (2, timestamp '2026-06-30'))
        as t(generation, as_of);
create table kindred.identity_health as
    select g.generation, 'person' as entity, m.* replace (
        case when m.metric_name = 'match_rate' and g.generation = 1 then 0.95 else m.value end
        as value)
    from (values (1), (2)) as g(generation)
    cross join (values
        ('records', '', 20.0), ('match_rate', 'all sources', 0.75), ('match_rate', 'stripe', 0.75),
        ('match_rate_by_rule', 'same user id', 0.5), ('entities_by_size', '1', 5.0),
        ('entities_by_size', '3', 5.0), ('entities_by_weakest_link', 'certain', 4.0),
        ('entities_by_weakest_link', '0 to 5', 1.0), ('bridges', '3', 1.0),
        ('weak_bridges', '', 1.0),
        ('deterministic_share', '', 0.8), ('id_churn', '', 0.05), ('representatives', '', 18.0),
        ('field_fill', 'email', 0.5), ('drift_of_fill', 'email', -0.4),
        ('drift_of_levels', 'email', 0.05), ('field_fill', 'phone', 0.9),
        ('drift_of_fill', 'phone', 0.0), ('drift_of_levels', 'phone', 0.0)
    ) as m(metric_name, dimension, value);
update identity.generation set generation = 2;
"""


def test_nothing_to_report_is_told_in_words(project: SmallProject) -> None:
    """For a beginner: without a database, a build or a sensible name, one message says what to
    run, and the exit code is 2."""
    outcome = project.run("report")
    assert (outcome.code, "kindred load DIR" in outcome.text) == (2, True)
    project.execute("create schema kindred")
    outcome = project.run("report")
    assert (outcome.code, "no finished build yet" in outcome.text) == (2, True)
    project.execute("drop schema kindred")
    build_warehouse(project)
    for name in ("report.pdf", "."):
        outcome = project.run("report", "--out", name)
        assert (outcome.code, "report.html" in outcome.text) == (2, True), outcome.text
    assert project.run("report", "--target", "postgres").code == 2


def test_a_run_that_did_not_finish_has_no_report(project: SmallProject) -> None:
    """For a data engineer: tables of two runs are never told as one."""
    build_warehouse(project)
    project.execute(HEALTH, "delete from kindred.run_history where generation = 2")
    outcome = project.run("report")
    assert (outcome.code, "did not finish" in outcome.text) == (2, True)


def test_check_and_report_write_one_page(project: SmallProject) -> None:
    """For a steward: there is one report, whoever writes it; before a check it says so."""
    build_warehouse(project)
    project.execute(HEALTH)
    page = project.root / "reports" / "report.html"
    assert project.run("report").code == 0
    before = _Page(page.read_text("utf-8")).text
    assert "Not checked yet" in before
    assert project.run("check").code == 0
    checked = page.read_text("utf-8")
    assert "Fit for use" in checked
    other = project.root / "elsewhere" / "report.html"
    assert project.run("report", "--out", str(other)).code == 0
    told, again = _Page(checked).text, _Page(other.read_text("utf-8")).text
    # Only who has just checked knows what was left out.
    assert "Not looked at" in told
    assert re.sub("Not looked at .*? The same checks as", "The same checks as", told) == again
    assert not (project.root / "reports" / "quality.html").exists()


def test_what_stands_out_is_said_first(project: SmallProject) -> None:
    """For a marketer: a fall of the match rate, moved ids and a field the model does not know are
    told at the top in sentences."""
    build_warehouse(project)
    project.execute(HEALTH)
    assert project.run("report").code == 0
    text = _Page((project.root / "reports" / "report.html").read_text("utf-8")).text
    top = text.split("People: who is who")[-1]
    assert "75.0% after 95.0%" in text
    assert "5.0% of the records went to another customer" in text
    assert "The field email is filled, or agrees, otherwise" in text
    assert "The field phone" not in text
    assert "20 records turned out to be 10 customers" in top
    assert "1 weighed link alone holds" in top


def test_a_broken_check_is_told_with_counts_only(project: SmallProject) -> None:
    """For the privacy officer: the report of broken data tells what failed and no value."""
    build_warehouse(project)
    project.execute(HEALTH, "insert into kindred.customers select * from kindred.customers limit 1")
    assert project.run("check").code == 1
    assert project.run("report").code == 0
    html = (project.root / "reports" / "report.html").read_text("utf-8")
    assert "Not fit for use" in html and "critical check" in _Page(html).text
    assert PLANTED_EMAIL not in html and PLANTED_NAME not in html


def _run(generation: int, **values: dict[str, float]) -> Run:
    return Run(generation, "2026-06-30", values)


def _health(*runs: Run) -> Health:
    return Health("person", runs)


CALM = {
    "entities_by_size": {"1": 10.0},
    "match_rate": {"all sources": 0.90},
    "id_churn": {"": 0.001},
}


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({}, ""),
        ({"match_rate": {"all sources": 0.879}}, "Fewer records"),
        ({"match_rate": {"all sources": 0.885}}, ""),
        ({"id_churn": {"": 0.02}}, "went to another customer"),
        ({"clusters_held_back": {"": 2.0}}, "2 groups are too large"),
        (
            {"field_fill": {"email": 0.5}, "drift_of_fill": {"email": 0.2}},
            "The field email is filled",
        ),
        ({"field_fill": {"email": 0.5}, "drift_of_fill": {"email": 0.1}}, ""),
        (
            {"field_fill": {"email": 0.5}, "drift_of_levels": {"email": 0.2}},
            "The field email is filled",
        ),
    ],
)
def test_each_thing_that_stands_out_has_its_limit(
    now: dict[str, dict[str, float]], told: str
) -> None:
    """Whoever reads the top of the page is bothered only by what exceeds its limit."""
    found = health_history.standing_out(
        _health(_run(1, **CALM), _run(2, **{**CALM, **now})), "customer"
    )
    assert len(found) == bool(told)
    assert told in "".join(found)


def test_a_first_run_has_no_trend_and_nothing_to_fall() -> None:
    """Whoever builds for the first time is not told that everything has changed."""
    first = _health(_run(1, **{**CALM, "id_churn": {"": 1.0}}))
    assert health_history.standing_out(first, "customer") == []
    assert [trend.line for trend in health_history.trends(first, "customer")] == ["", "", ""]


def test_a_trend_is_drawn_in_its_box() -> None:
    """Whoever looks at a line sees every run in order, inside the box, rising where it rose."""
    rates = (0.90, 0.80, 0.95)
    runs = [
        _run(i, **{**CALM, "match_rate": {"all sources": rate}}) for i, rate in enumerate(rates, 1)
    ]
    trend = health_history.trends(_health(*runs), "customer")[0]
    points = [tuple(map(float, point.split(","))) for point in trend.line.split()]
    assert [x for x, _ in points] == [0, 50, 100]
    assert points[2][1] < points[0][1] < points[1][1]
    assert all(0 <= y <= 30 for _, y in points)
    assert (trend.now, trend.before) == ("95.0%", "80.0%")


def test_the_chart_shows_the_weights_of_the_model() -> None:
    """Whoever reads Splink's chart reads what our model says: log2 of m over u, in our words."""
    model = model_files.shipped(PERSON)
    assert model is not None
    specs = model_chart.charts("person", model_files.to_dict(model, PERSON), 1000.0)
    shown = {
        (row["comparison_name"], row["label_for_charts"]): row["log2_bayes_factor"]
        for row in specs["match_weights"]["data"]["values"]
    }
    email = model.fields.index("email")
    expected = math.log2(model.m[email][-1] / model.u[email][-1])
    assert shown["email", "same"] == pytest.approx(expected)
    labels = {c.label for c in PERSON.comparisons if not c.holders_of and c.field in model.fields}
    assert {name for name, _ in shown} - {"probability_two_random_records_match"} == labels
    told = json.dumps(specs)
    assert "sql_condition" not in told and "levenshtein" not in told


def test_a_chart_cannot_end_its_script() -> None:
    """Whoever writes a label cannot break out of the page's script, nor can a library."""
    text = model_chart.as_script({"label": "</script><script>alert(1)</script> & more"})
    assert "<" not in text and "&" not in text
    assert json.loads(text) == {"label": "</script><script>alert(1)</script> & more"}
    assert not any("</script" in library.lower() for library in model_chart.libraries())


def test_the_built_warehouse_is_reported_without_its_values(
    built_project: WholeProject, tmp_path: Path
) -> None:
    """On real tables: the page draws both models, agrees with identity_health, loads nothing from
    outside and holds no value of any record."""
    page = tmp_path / "report.html"
    built_project.kindred("report", "--out", str(page)).expect()
    html = page.read_text("utf-8")
    parsed = _Page(html)
    assert parsed.loaded == []
    assert not re.search(r"""(fetch|import)\(["']https?:""", html)
    assert html.count("data-chart=") == 4 and '"person-match-weights": {' in html
    ((customers, rate),) = built_project.query(
        "select sum(value) filter (where metric_name = 'entities_by_size'),"
        " max(value) filter (where metric_name = 'match_rate' and dimension = 'all sources')"
        " from kindred.identity_health where entity = 'person'"
    )
    assert f"{float(str(customers)):,.0f} customers" in parsed.text
    assert f"{float(str(rate)):.1%}" in parsed.text
    assert (built_project.root / "reports" / "report.html").is_file()
    rows = built_project.query(
        "select first_name, last_name, email, phone, street, birth_date, record_id"
        " from streams.person_records"
    )
    script = " ".join(re.findall(r"const charts = .*", html))
    shown = set(re.findall(r"[\w.@+'-]+", parsed.text + script))
    values = {str(value) for row in rows for value in row if value and len(str(value)) > 4}
    assert len(values) > 1000
    held = {value for value in values if "@" in value or ":" in value}
    assert [value for value in held if value in html] == []
    assert {value for value in values if value in shown} == set()
