"""The faults that are tried: what is done, and what must hold afterwards.

docs/faults.md is made from this list (fault_page.py). Each fault is tried on a ground of its own,
where the first batch is published.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from fault_ground import (
    GAIN_ROWS,
    OF_THE_RUN,
    SOURCES,
    Ground,
    Hashes,
    differing,
    on_own_server,
)
from kindred.privacy.suppression import identifier_hash
from postgres_server import crash
from whole_project import PRIVACY_KEY

JOURNAL = "after:kindred.warehouse.journal:add_done"
KILLED = -9
# What an engine's column says of a fault: that it is tried, or why not.
TRIED = "tried"
NOT_YET = "not tried yet"
HELD, FELL = "held", "did not hold"
NO_SERVER = "cannot happen: a file has no server"


@dataclass(frozen=True)
class Told:
    """What a run without a fault makes of the second batch.

    history: run_history, but for the fingerprint of the raw tables.
    clean: the ground of that run, to ask and not to change.
    """

    second: Hashes
    history: tuple[str, ...]
    clean: Ground


HISTORY = "kindred.run_history"
OF_THE_INPUT = (*OF_THE_RUN, "input_fingerprint")


def told_by(clean: Ground) -> Told:
    """What the run on this ground made of the second batch."""
    return Told(clean.marts(), clean.rows_of(HISTORY, OF_THE_INPUT), clean)


@dataclass(frozen=True)
class Fault:
    """A fault, as the table in docs/faults.md tells it, and the trial of it."""

    done: str
    rule: str
    trial: Callable[[Ground, Told], None]
    duckdb: str = TRIED
    postgres: str = TRIED
    is_quick: bool = False

    @property
    def name(self) -> str:
        """The name of its trial, in words."""
        return self.trial.__name__


FAULTS: list[Fault] = []
Trial = Callable[[Ground, Told], None]


def fault(
    done: str, rule: str, *, duckdb: str = TRIED, postgres: str = TRIED, quick: bool = False
) -> Callable[[Trial], Trial]:
    """Put a trial on the list. Where an engine is not tried, its word says why."""

    def listed(trial: Trial) -> Trial:
        FAULTS.append(Fault(done, rule, trial, duckdb, postgres, quick))
        return trial

    return listed


def ends_as_told(ground: Ground, told: Told, *options: str) -> None:
    """The next run publishes what a run that never met the fault would."""
    before = ground.published()
    ground.build(*options).expect()
    assert differing(ground.marts(), told.second) == []
    assert differing(ground.published(), before)


def ends_as_told_of_other_columns(ground: Ground, told: Told) -> None:
    """The same of raw tables with the same values in other columns: the fingerprint tells them."""
    before = ground.published()
    ground.build().expect()
    assert differing(ground.marts(), told.second) == [HISTORY]
    assert ground.rows_of(HISTORY, OF_THE_INPUT) == told.history
    assert differing(ground.published(), before)


def struck_in_a_build(
    ground: Ground, moment: str, deed: str = "kill_all", code: int = KILLED
) -> str:
    """Load the second batch, strike the build, and see that nothing that is published changed."""
    before = ground.published()
    ground.load().expect()
    ended = ground.struck(moment, deed, *ground.build_arguments()).expect(code)
    assert differing(ground.published(), before) == []
    assert "Traceback" not in ended.text
    return ended.text


def refused(ground: Ground, *arguments: str, code: int = 2) -> str:
    """What a command says that refuses, and leaves what is published as it was."""
    before = ground.published()
    ended = ground.project.kindred(*arguments).expect(code)
    assert "Traceback" not in ended.text
    assert "What to do:" in ended.text
    assert differing(ground.published(), before) == []
    return ended.text


def rewritten(ground: Ground, table: str, query: str) -> None:
    """Change a file of the second batch: a query over `raw`."""
    path = ground.folder("second") / f"{table}.parquet"
    new = path.with_suffix(".new")
    with duckdb.connect() as connection:
        connection.execute(f"create view raw as from read_parquet('{path}')")
        connection.execute(f"copy ({query}) to '{new}' (format parquet)")
    new.replace(path)


NEXT = "the next run publishes what a run without the fault would"
STAYS = "What is published stays as it was."
SAME = f"What is published stays as it was; {NEXT}."


@fault("SIGKILL while `kindred load` writes a table", SAME)
def killed_in_load(ground: Ground, told: Told) -> None:
    before = ground.published()
    module = "loading" if ground.engine == "duckdb" else "loading_postgres"
    made = "create_table" if ground.engine == "duckdb" else "_replace"
    moment = f"after:kindred.warehouse.{module}:{made}:charge"
    arguments = ("load", "second", "--sources", SOURCES, "--target", ground.engine)
    ground.struck(moment, "kill_all", *arguments).expect(KILLED)
    assert differing(ground.published(), before) == []
    ground.load().expect()
    ends_as_told(ground, told)


@fault("SIGKILL while sources are staged", SAME)
def killed_early(ground: Ground, told: Told) -> None:
    struck_in_a_build(ground, f"{JOURNAL}:stg_stripe__charges")
    assert "did not finish" in refused(ground, "publish", "--target", ground.engine)
    ends_as_told(ground, told)


@fault("SIGKILL once ids are given, then `kindred build --resume`", SAME, quick=True)
def killed_in_identity(ground: Ground, told: Told) -> None:
    struck_in_a_build(ground, f"{JOURNAL}:model.kindred.int_person_id_ledger'")
    assert "did not finish" in refused(ground, "publish", "--target", ground.engine)
    ends_as_told(ground, told, "--resume")


@fault("SIGKILL while marts are built", SAME)
def killed_in_marts(ground: Ground, told: Told) -> None:
    struck_in_a_build(ground, f"{JOURNAL}:model.kindred.customers'")
    ends_as_told(ground, told)


@fault(
    "SIGKILL while marts are built, `--resume`, SIGKILL again, `--resume`",
    SAME,
)
def killed_twice(ground: Ground, told: Told) -> None:
    struck_in_a_build(ground, f"{JOURNAL}:model.kindred.customers'")
    again = ground.build_arguments("--resume")
    moment = f"{JOURNAL}:model.kindred.segment_members'"
    ground.struck(moment, "kill_all", *again).expect(KILLED)
    ends_as_told(ground, told, "--resume")


@fault(
    "SIGKILL in a build, then new rows and `--resume`",
    "It says that the raw tables changed, builds everything, and ends as a clean run.",
)
def killed_then_new_rows(ground: Ground, told: Told) -> None:
    ground.load("first").expect()
    moment = f"{JOURNAL}:model.kindred.customers'"
    ground.struck(moment, "kill_all", *ground.build_arguments()).expect(KILLED)
    ground.load().expect()
    assert "the raw tables changed" in ground.build("--resume").expect().text
    assert differing(ground.marts(), told.second) == []


@fault("SIGKILL after dbt's last node, then `--resume`", SAME)
def killed_after_the_last_node(ground: Ground, told: Told) -> None:
    struck_in_a_build(ground, f"{JOURNAL}:model.kindred.run_history'")
    ends_as_told(ground, told, "--resume")


@fault("SIGKILL while the results of the checks are written, then `--resume`", SAME)
def killed_in_check(ground: Ground, told: Told) -> None:
    struck_in_a_build(ground, "before:kindred.quality.results:_row")
    ends_as_told(ground, told, "--resume")


@fault(
    "SIGKILL of the command alone: dbt goes on",
    f"No second run until dbt has ended. {SAME}",
)
def killed_command(ground: Ground, told: Told) -> None:
    struck_in_a_build(ground, f"{JOURNAL}:model.kindred.generation'", "kill_command")
    refused(ground, *ground.build_arguments(), code=3)
    for _ in range(600):
        if ground.kindred("check").code != 3:
            break
        time.sleep(1)
    ends_as_told(ground, told, "--resume")


@fault(
    "SIGKILL of dbt alone, as by a kernel out of memory; results of an older run lie in target/",
    f"Exit code 2, never a success. {SAME}",
)
def killed_dbt(ground: Ground, told: Told) -> None:
    results = ground.project.root / "target" / "run_results.json"
    assert results.exists()
    text = struck_in_a_build(ground, f"{JOURNAL}:model.kindred.customers'", "kill_dbt", code=2)
    assert "dbt was killed" in text
    ends_as_told(ground, told, "--resume")


def struck_in_publish(ground: Ground, moment: str) -> None:
    """Kill a publication of what is built already, at a moment; then publish."""
    before = ground.published()
    arguments = ("publish", "--target", ground.engine)
    ground.struck(moment, "kill_all", *arguments).expect(KILLED)
    publishes_at_last(ground, before)


def publishes_at_last(ground: Ground, before: Hashes) -> None:
    """After a publication that failed: readers have what they had; the next one succeeds."""
    assert differing(ground.published(), before) == []
    ground.kindred("publish").expect()
    if ground.engine == "postgres":
        # That table alone is new: since then the run is one that was published.
        homes = ("published", "published_restricted")
        assert differing(ground.published(), before) == [f"{home}.run_history" for home in homes]
        left = ground.query("select count(*) from pg_namespace where nspname like 'published_run%'")
    else:
        assert differing(ground.published(), before)
        runs = (ground.project.root / "published").iterdir()
        left = [(sum(path.is_dir() and not path.is_symlink() for path in runs),)]
    assert left == [(2,)]


PUBLISHED = "Readers see the run before, whole; the next publication succeeds and cleans up."


@fault("SIGKILL while the tables of a publication are written", PUBLISHED)
def killed_while_publishing_tables(ground: Ground, told: Told) -> None:
    moment = {
        "duckdb": "after:kindred.warehouse.publication:_write_file:kindred.duckdb",
        "postgres": "after:kindred.warehouse.publication_postgres:_copy:customers",
    }
    struck_in_publish(ground, moment[ground.engine])


@fault(
    "SIGKILL just before the one step that makes a publication visible",
    PUBLISHED,
    quick=True,
)
def killed_before_the_swap(ground: Ground, told: Told) -> None:
    if ground.engine == "postgres":
        struck_in_publish(ground, "before:kindred.warehouse.publication_postgres:_point")
        return
    before = ground.published()
    moment = "before:kindred.warehouse.publication:_point_current"
    ground.struck(moment, "kill_all", "publish", "--target", "duckdb").expect(KILLED)
    assert differing(ground.published(), before) == []
    ground.kindred("publish").expect()
    assert differing(ground.published(), before)


@fault(
    "The same batch twice",
    "No row of any mart changes, and no id.",
)
def same_batch_twice(ground: Ground, told: Told) -> None:
    before = ground.marts()
    assert "unchanged" in ground.load("first").expect().text
    ground.build().expect()
    assert differing(ground.marts(), before, GAIN_ROWS) == []


@fault(
    "Rows of the batch in another order",
    "Every mart has the same rows.",
)
def shuffled_batch(ground: Ground, told: Told) -> None:
    for path in sorted(ground.folder("second").glob("*/*.parquet")):
        table = f"{path.parent.name}/{path.stem}"
        rewritten(ground, table, "select * from raw order by hash(cast(raw as text), 7)")
    ground.load().expect()
    ends_as_told(ground, told)


GROUPS = (
    "select md5(string_agg(members, '|' order by members)), count(*) from (select"
    " string_agg(record_id, ',' order by record_id) as members"
    " from kindred.customer_source_records group by customer_id) as t"
)
ROWS = ("kindred.activities", "kindred.transactions")
IDS = ("customer_id", "account_id", "activity_occurrence", "activity_repeated_at")


@fault(
    "A batch split in two runs, one source after the other",
    "The same people, activities and transactions as in one run.",
)
def split_batch(ground: Ground, told: Told) -> None:
    ground.load("second", "--sources", "stripe").expect()
    ground.build().expect()
    ground.load("second", "--sources", "salesforce").expect()
    ground.build().expect()
    assert ground.query(GROUPS) == told.clean.query(GROUPS)
    for table in ROWS:
        assert ground.rows_of(table, IDS) == told.clean.rows_of(table, IDS)


@fault(
    "Events that come 40 days late, behind later ones",
    "They count under their own date, for their own customer, and nothing else moves.",
)
def late_events(ground: Ground, told: Told) -> None:
    late = (
        f"cast('{ground.as_of}' as timestamp) - interval 40 day"
        if ground.engine == "duckdb"
        else f"cast('{ground.as_of}' as timestamp) - interval '40 day'"
    )
    count = f"select count(*) from kindred.transactions where occurred_at < {late}"
    # The second batch brings such events; what a run makes of it is known.
    ((before,),) = ground.query(count)
    ((after,),) = told.clean.query(count)
    ((lost,),) = told.clean.query(
        "select count(*) from kindred.transactions where customer_id is null"
    )
    assert after > before
    assert lost == 0


@fault(
    "A second run while one is at work",
    "It ends at once with exit code 3; the first ends as if alone.",
)
def two_runs(ground: Ground, told: Told) -> None:
    ground.load().expect()
    entry = "from kindred.cli import main; main()"
    first = subprocess.Popen(
        [sys.executable, "-c", entry, *ground.build_arguments()],
        cwd=ground.project.root,
        env=dict(ground.project.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    journals = ground.project.root.glob
    while first.poll() is None and not list(journals("*.run-journal")):
        time.sleep(0.1)
    for command in (("build",), ("check",), ("publish",), ("load", "second")):
        ended = ground.kindred(*command).expect(3)
        assert "in use" in ended.text
    assert first.wait() == 0
    assert differing(ground.marts(), told.second) == []


@fault(
    "A column that keys hang on is gone upstream",
    f"Refused before dbt starts, with source, table and column. {STAYS}",
    quick=True,
)
def required_column_dropped(ground: Ground, told: Told) -> None:
    _column_dropped(ground, "id")


@fault(
    "A column that staging can do without is gone upstream",
    f"Refused before dbt starts, with the way to allow it. {STAYS}",
)
def optional_column_dropped(ground: Ground, told: Told) -> None:
    assert "--accept-loss stripe" in _column_dropped(ground, "email")


def _column_dropped(ground: Ground, column: str) -> str:
    kept = (ground.folder("second") / "stripe/customer.parquet").read_bytes()
    rewritten(ground, "stripe/customer", f"select * exclude ({column}) from raw")
    ground.load().expect()
    text = refused(ground, *ground.build_arguments())
    assert "stripe" in text
    assert column in text
    (ground.folder("second") / "stripe/customer.parquet").write_bytes(kept)
    return text


@fault(
    "Columns have another type upstream: numbers come as text",
    SAME,
)
def column_retyped(ground: Ground, told: Told) -> None:
    rewritten(ground, "stripe/charge", "select * replace (cast(amount as text) as amount) from raw")
    ground.load().expect()
    ends_as_told_of_other_columns(ground, told)


@fault("A column that nobody knows comes up upstream", SAME)
def column_added(ground: Ground, told: Told) -> None:
    rewritten(ground, "stripe/customer", "select *, 'x' as brand_new, 1 as \"order\" from raw")
    ground.load().expect()
    ends_as_told_of_other_columns(ground, told)


def _broken_file(ground: Ground, path: Path, content: bytes, words: str) -> None:
    """A broken file is named, its table keeps its rows, and the mended file loads."""
    table = f"{path.parent.name}.{path.stem}"
    before = ground.query(f"select count(*) from {table}")
    whole = ground.folder("second") / path
    parquet = whole.with_suffix(".parquet")
    kept = parquet.read_bytes()
    parquet.unlink()
    whole.write_bytes(content)
    text = refused(ground, "load", "second", "--sources", SOURCES, "--target", ground.engine)
    assert f"{path.parent.name}/{path.name}" in text
    assert words in text
    assert ground.query(f"select count(*) from {table}") == before
    whole.unlink()
    parquet.write_bytes(kept)
    assert "replaced" in ground.load().expect().text


BROKEN = "The file is named with the place; its table keeps its rows; mended, it loads."


@fault("A file cut off on the way", BROKEN, quick=True)
def truncated_file(ground: Ground, told: Told) -> None:
    whole = (ground.folder("second") / "stripe/customer.parquet").read_bytes()
    _broken_file(ground, Path("stripe/customer.parquet"), whole[:-30], "cut off")


@fault("A file that is not UTF-8", BROKEN, quick=True)
def bad_utf8(ground: Ground, told: Told) -> None:
    _broken_file(
        ground, Path("stripe/customer.csv"), b"id,email\n1,x\n2,\xe4@example.com\n", "UTF-8"
    )


@fault(
    "Line breaks inside quoted values",
    "They are values: no row more, no row less.",
    quick=True,
)
def embedded_newlines(ground: Ground, told: Told) -> None:
    folder = ground.folder("lines") / "stripe"
    folder.mkdir(parents=True)
    (folder / "customer.csv").write_text(
        'id,name\n1,"Jo\nDoe"\n2,"Al\r\nRoe"\n', "utf-8", newline=""
    )
    ground.load("lines").expect()
    found = ground.query("select id, name from stripe.customer order by id")
    assert found == [("1", "Jo\nDoe"), ("2", "Al\r\nRoe")]


@fault(
    "A source is suddenly empty",
    f"Refused before dbt starts, with the counts: nobody is retired. {STAYS}",
    quick=True,
)
def empty_source(ground: Ground, told: Told) -> None:
    for path in (ground.folder("second") / "salesforce").glob("*.parquet"):
        kept = path.with_suffix(".kept")
        kept.write_bytes(path.read_bytes())
        rewritten(ground, f"salesforce/{path.stem}", "select * from raw limit 1")
    ground.load().expect()
    text = refused(ground, *ground.build_arguments())
    assert "holds 1 of" in text
    assert "--accept-loss salesforce" in text


@fault("The disk is full while dbt builds", SAME)
def disk_full_in_build(ground: Ground, told: Told) -> None:
    text = struck_in_a_build(ground, f"{JOURNAL}:model.kindred.generation'", "fill_disk", code=2)
    assert "nobody foresaw" not in text
    ends_as_told(ground, told, "--resume")


# What the server says when its disk is full, said while the table of the customers is copied.
FULL_DISK = (
    "create function public.full_disk() returns event_trigger language plpgsql as $$ begin"
    " if exists (select 1 from pg_event_trigger_ddl_commands()"
    " where object_identity like 'published_run%.customers') then"
    " raise exception 'could not extend file: No space left on device' using errcode = '53100';"
    " end if; end $$",
    "create event trigger full_disk on ddl_command_end when tag in ('CREATE TABLE AS')"
    " execute function public.full_disk()",
)


@fault("The disk is full while a publication is written", PUBLISHED)
def disk_full_in_publish(ground: Ground, told: Told) -> None:
    before = ground.published()
    arguments = ("publish", "--target", ground.engine)
    if ground.engine == "postgres":
        ground.execute(*FULL_DISK)
        ended = ground.project.kindred(*arguments).expect(2)
        ground.execute("drop event trigger full_disk")
    else:
        moment = "before:kindred.warehouse.publication:_write_file"
        ended = ground.struck(moment, "fill_disk", *arguments).expect(2)
    assert "The disk is full" in ended.text
    publishes_at_last(ground, before)


@fault(
    "Records and events dated in the future",
    "The run ends; counts of the last days leave them out; they are kept under their own date.",
)
def future_timestamps(ground: Ground, told: Told) -> None:
    rewritten(
        ground,
        "stripe/charge",
        "select * replace (created + interval 10 year as created) from raw",
    )
    ground.load().expect()
    ground.build().expect()
    future = f"where occurred_at > cast('{ground.as_of}' as timestamp)"
    ((kept,),) = ground.query(f"select count(*) from kindred.transactions {future}")
    assert kept > 0
    ((wrong,),) = ground.query(
        "select count(*) from kindred.customers"
        f" where last_activity_at > cast('{ground.as_of}' as timestamp)"
    )
    assert wrong == 0


@fault(
    "The clock goes back: a run for a moment before the last one",
    f"It ends, ids stay; {NEXT}.",
)
def clock_goes_back(ground: Ground, told: Told) -> None:
    ids = ground.query(
        "select record_id, customer_id from kindred.customer_source_records order by 1"
    )
    ground.build("--as-of", "2026-05-01").expect()
    assert (
        ground.query(
            "select record_id, customer_id from kindred.customer_source_records order by 1"
        )
        == ids
    )
    ground.load().expect()
    ground.build().expect()
    known = {str(one): str(other) for one, other in ids}
    found = ground.query("select record_id, customer_id from kindred.customer_source_records")
    assert {one: other for one, other in found if one in known} == known


@fault(
    "All connections to the database are cut in mid-run",
    f"Exit code 2, in words; without its lock the run goes on no further. {SAME}",
    duckdb=NO_SERVER,
)
def lost_connection(ground: Ground, told: Told) -> None:
    moment = f"{JOURNAL}:model.kindred.int_person_ids'"
    text = struck_in_a_build(ground, moment, "cut_connections", code=2)
    assert "The connection to the database was lost" in text
    ends_as_told(ground, told, "--resume")


WITHOUT_LOCK = (
    "Exit code 2, in words: without the lock another run may begin, so that this one writes and"
    f" publishes nothing more. {SAME}"
)


@fault(
    "The connection that holds the run lock is cut during the checks",
    WITHOUT_LOCK,
    duckdb=NO_SERVER,
)
def lost_lock_in_check(ground: Ground, told: Told) -> None:
    moment = "before:kindred.quality.evaluate:_check_batch"
    text = struck_in_a_build(ground, moment, "cut_lock", code=2)
    assert "The connection to the database was lost" in text
    checked = "select count(*) from kindred.data_quality_results where generation = 2"
    assert ground.query(checked) == [(0,)]
    ends_as_told(ground, told, "--resume")


@fault(
    "The connection that holds the run lock is cut just before a publication becomes visible",
    WITHOUT_LOCK,
    duckdb=NO_SERVER,
)
def lost_lock_in_publish(ground: Ground, told: Told) -> None:
    moment = "before:kindred.warehouse.publication_postgres:_point"
    text = struck_in_a_build(ground, moment, "cut_lock", code=2)
    assert "The connection to the database was lost" in text
    ends_as_told(ground, told, "--resume")


@fault(
    "The database server crashes in mid-run, and is started again",
    f"Exit code 2, in words, while it is down too. {SAME}",
    duckdb=NO_SERVER,
)
def server_crashed_in_a_run(ground: Ground, told: Told) -> None:
    with on_own_server(ground) as (moved, server):
        before = moved.published()
        moved.load().expect()
        moment = f"{JOURNAL}:model.kindred.customers'"
        ended = moved.struck(moment, "crash_server", *moved.build_arguments()).expect(2)
        down = moved.build("--resume").expect(2)
        server.start_again()
        for text in (ended.text, down.text):
            assert "What to do:" in text
            assert "Traceback" not in text
            assert "nobody foresaw" not in text
        assert differing(moved.published(), before) == []
        assert "did not finish" in refused(moved, "publish", "--target", moved.engine)
        ends_as_told(moved, told, "--resume")


@fault(
    "A process of the database server is killed in mid-run; the server recovers by itself",
    f"Exit code 2, in words. {SAME}",
    duckdb=NO_SERVER,
)
def server_recovered_in_a_run(ground: Ground, told: Told) -> None:
    with on_own_server(ground) as (moved, _):
        moment = f"{JOURNAL}:model.kindred.int_person_ids'"
        text = struck_in_a_build(moved, moment, "kill_backend", code=2)
        assert "nobody foresaw" not in text
        assert "did not finish" in refused(moved, "publish", "--target", moved.engine)
        ends_as_told(moved, told, "--resume")


@fault(
    "The database server crashes between two runs, and empties the tables that it keeps no log of",
    f"A publication of what is left is refused, in words. {SAME}",
    duckdb=NO_SERVER,
)
def server_crashed_between_runs(ground: Ground, told: Told) -> None:
    with on_own_server(ground) as (moved, server):
        before = moved.published()
        crash(server.address["host"])
        server.start_again()
        assert differing(moved.published(), before) == []
        for command in ("check", "publish"):
            assert "crash of the server" in refused(moved, command, "--target", moved.engine)
        moved.load().expect()
        ends_as_told(moved, told)


def _suppress(ground: Ground) -> None:
    ((email,),) = ground.query("select min(lower(trim(email))) from stripe.customer")
    hashed = identifier_hash(PRIVACY_KEY.encode(), "email", str(email))
    ground.execute(
        "create schema privacy",
        "create table privacy.suppression"
        " (identifier_type text, identifier_hash text, suppressed_at timestamp)",
        f"insert into privacy.suppression values ('email', '{hashed}', '2026-01-01')",
    )


@fault(
    "The privacy key is missing, and somebody is suppressed",
    f"Exit code 2. {STAYS}",
)
def missing_key(ground: Ground, told: Told) -> None:
    _suppress(ground)
    before = ground.published()
    ended = ground.build(KINDRED_PRIVACY_KEY="").expect(2)
    assert "privacy key is not set" in ended.text
    assert differing(ground.published(), before) == []


@fault(
    "The privacy key is another one than the suppressions were made with",
    f"Exit code 2: nobody who is suppressed comes back. {STAYS}",
)
def wrong_key(ground: Ground, told: Told) -> None:
    _suppress(ground)
    ground.build().expect()
    before = ground.published()
    ended = ground.build(KINDRED_PRIVACY_KEY="not that key").expect(2)
    assert "not the one" in ended.text
    assert "not that key" not in ended.text
    assert differing(ground.published(), before) == []
