"""From a file that was sent to examples in the pool, every row accounted for, once and not twice."""

import pytest

from engagements.core.audit import verify
from engagements.tables import RECORDS

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_spreadsheet_becomes_examples_and_every_row_is_accounted_for(house, desk, tickets):
    source = desk.fill(tickets(40) + b'40,"only one cell\r\n')
    assert (source["state"], source["kept"]) == ("imported", 40)
    assert source["rows_in"] == source["kept"] + sum(source["dropped"].values()) == 41
    assert [problem["line"] for problem in source["problems"]] == [42]
    first = desk.examples()[0]
    assert (first["label"], first["state"], first["score"]) == ("refund", "pending", None)
    assert first["record"]["origin"] == {"kind": "historical", "source": "tickets.csv", "row": 2,
                                         "licence": "the client's own"}  # fmt: skip
    with house.wiring.store.read() as session:
        assert not list(verify(session, house.organisation_id, RECORDS))


@only_sqlite
def test_ids_that_another_source_has_used_are_kept_apart(desk, tickets):
    first, second = desk.fill(tickets(3)), desk.fill(tickets(3), name="again.csv")
    ids = [example["record_id"] for example in desk.examples()]
    assert ids == ["0", "1", "2", *(f"{number}#{second['id'][-6:]}" for number in range(3))]
    assert first["kept"] == second["kept"] == 3


@only_sqlite
def test_what_is_missing_of_the_provenance_is_named_at_once(house, desk, tickets):
    upload_id = desk.upload(tickets())
    answer = desk.api.post(f"{desk.home}/sources", {"kind": "expert", "upload_id": upload_id})
    assert answer.status_code == 422
    assert {each["pointer"] for each in answer.json()["errors"]} == {"/author", "/licence"}
    answer = desk.api.post(f"{desk.home}/sources", {"kind": "production", "licence": "theirs"})
    assert {each["pointer"] for each in answer.json()["errors"]} == {"/upload_id", "/consent"}
    assert desk.api.get(f"{desk.home}/sources").json()["items"] == []


@only_sqlite
def test_the_mapping_is_seen_before_it_is_used(desk):
    source = desk.add(b"frage,antwort,kategorie\nWo ist mein Paket?,Unterwegs.,delivery\n", name="fragen.csv")
    path = f"/api/v1/data-sources/{source['id']}"
    chosen = {"mapping": {"input": ["frage"], "target": "antwort", "task": "generation"}}
    changed = desk.api.patch(path, chosen, version=source["version"])
    assert changed.status_code == 200, changed.text
    shown = desk.api.get(f"{path}/preview").json()
    assert shown["columns"] == ["frage", "antwort", "kategorie"]
    assert shown["rows"] == [{"frage": "Wo ist mein Paket?", "antwort": "Unterwegs.", "kategorie": "delivery"}]
    assert [each["content"] for each in shown["records"][0]["messages"]] == ["Wo ist mein Paket?", "Unterwegs."]
    assert shown["records"][0]["meta"] == {"kategorie": "delivery"}


@only_sqlite
def test_a_mapping_to_a_column_that_is_not_there_says_so_in_the_preview_and_fails_the_import(desk, tickets):
    source = desk.add(tickets(), mapping={"input": ["txet"]})
    shown = desk.api.get(f"/api/v1/data-sources/{source['id']}/preview").json()
    assert shown["records"] == []
    assert [each["code"] for each in shown["problems"]] == ["csv.missing_column"]
    job_id = desk.ask_import(source["id"])
    desk.house.wiring.workshop.do_due()
    job = desk.job(job_id)
    assert (job["state"], job["result"]["code"]) == ("failed", "mapping_invalid")
    assert (desk.source(source["id"])["state"], desk.examples()) == ("failed", [])


@only_sqlite
def test_a_failed_import_may_be_put_right_and_tried_again(desk, tickets):
    source = desk.add(tickets(3), mapping={"input": ["txet"]})
    desk.ask_import(source["id"])
    desk.house.wiring.workshop.do_due()
    version = desk.source(source["id"])["version"]
    desk.api.patch(f"/api/v1/data-sources/{source['id']}", {"mapping": {"input": ["text"]}}, version=version)
    desk.ask_import(source["id"])
    desk.house.wiring.workshop.do_due()
    assert (desk.source(source["id"])["state"], len(desk.examples())) == ("imported", 3)


@only_sqlite
def test_what_is_imported_stays_as_it_was_described(desk, tickets):
    source = desk.fill(tickets(3))
    path = f"/api/v1/data-sources/{source['id']}"
    answer = desk.api.patch(path, {"licence": "another"}, version=source["version"])
    assert (answer.status_code, answer.json()["code"]) == (409, "source_imported")
    assert desk.api.post(f"{path}/import").json()["code"] == "source_imported"
    assert desk.source(source["id"]) == source


@only_sqlite
def test_a_cancelled_import_leaves_nothing(desk, tickets):
    source = desk.add(tickets())
    job_id = desk.ask_import(source["id"])
    assert desk.api.post(f"/api/v1/data-jobs/{job_id}/cancel").json()["cancel_asked"] is True
    desk.house.wiring.workshop.do_due()
    assert (desk.job(job_id)["state"], desk.source(source["id"])["state"]) == ("cancelled", "cancelled")
    assert desk.examples() == []
    assert desk.api.post(f"/api/v1/data-jobs/{job_id}/cancel").json()["code"] == "job_terminal"


@only_sqlite
def test_a_source_goes_with_its_examples_and_its_file(house, desk, tickets):
    kept, gone = desk.fill(tickets(3)), desk.fill(tickets(5), name="gone.csv")
    answer = desk.api.delete(f"/api/v1/data-sources/{gone['id']}", version=gone["version"])
    assert answer.status_code == 204, answer.text
    assert {example["source_id"] for example in desk.examples()} == {kept["id"]}
    assert [each["id"] for each in desk.api.get(f"{desk.home}/sources").json()["items"]] == [kept["id"]]
    assert house.wiring.storage.has(kept["sha256"])
    assert not house.wiring.storage.has(gone["sha256"])


@only_sqlite
def test_the_rows_left_out_can_be_read_in_a_spreadsheet(desk, tickets):
    source = desk.fill(tickets(2) + b'=2,"only one cell\r\n')
    lines = desk.api.get(f"/api/v1/data-sources/{source['id']}/problems.csv").text.splitlines()
    assert lines[0] == "code,line,where,message,remedy"
    assert len(lines) == 1 + len(source["dropped"]) + len(source["problems"])


@only_sqlite
def test_nothing_is_fetched_from_a_place_that_the_installation_does_not_name(desk, tmp_path):
    for place in ("/etc", "http://169.254.169.254/latest", "s3://theirs/data", "postgresql://db/crm"):
        told = {"kind": "historical", "licence": "theirs", "place": place}
        answer = desk.api.post(f"{desk.home}/sources", told)
        assert (answer.status_code, answer.json()["code"]) == (422, "base_url.not_allowed")
    assert desk.api.get(f"{desk.home}/jobs").json()["items"] == []
