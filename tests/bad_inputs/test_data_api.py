"""The rows of the list of bad inputs that speak of data, as the server answers them, on both databases."""

import hashlib
import json
import runpy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import func, select

from engagements.core.roles import Role
from engagements.phases.data_preparation.models import DataSource, Example, ExampleState, Upload, UploadPart
from engagements.phases.data_preparation.versions.models import DatasetVersion

SENT = runpy.run_path(str(Path(__file__).with_name("test_data_imports.py")))["SENT"]
"""The same files as at the terminal."""
BYTES = {"Content-Type": "application/octet-stream"}
ROWS = [
    json.dumps({"messages": [{"role": "user", "content": f"And then, for number {number}?"},
                             {"role": "assistant", "content": "Nothing."}]}).encode()
    for number in range(12)
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Desk:
    house: Any
    api: Any
    home: str

    def declare(self, content: bytes, name: str = "raw.jsonl", sha256: str = "") -> httpx.Response:
        digest = sha256 or hashlib.sha256(content).hexdigest()
        return self.api.post(f"{self.home}/uploads", {"name": name, "size_bytes": len(content), "sha256": digest})

    def sent(self, content: bytes, name: str = "raw.jsonl", sha256: str = "") -> tuple[str, httpx.Response]:
        declared = self.declare(content, name, sha256)
        assert declared.status_code == 201, declared.text
        upload = f"/api/v1/uploads/{declared.json()['id']}"
        self.api.ask("PUT", f"{upload}/content", content=content, headers=BYTES)
        return declared.json()["id"], self.api.post(f"{upload}/complete")

    def imported(self, content: bytes, name: str = "raw.jsonl") -> tuple[dict[str, Any], dict[str, Any]]:
        """The source and its job, when it has ended."""
        upload_id, complete = self.sent(content, name)
        assert complete.status_code == 200, complete.text
        told = {"kind": "historical", "licence": "theirs", "upload_id": upload_id}
        source_id = self.api.post(f"{self.home}/sources", told).json()["id"]
        job_id = self.api.post(f"/api/v1/data-sources/{source_id}/import").json()["id"]
        self.house.wiring.workshop.do_due()
        return (
            self.api.get(f"/api/v1/data-sources/{source_id}").json(),
            self.api.get(f"/api/v1/data-jobs/{job_id}").json(),
        )

    def count(self, kind: Any) -> int:
        with self.house.wiring.store.read() as session:
            return int(session.exec(select(func.count()).select_from(kind)).one())

    def files(self) -> Sequence[Path]:
        folder = self.house.wiring.settings.home_folder / "storage"
        return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def desk(house, sign) -> Desk:
    home = f"/api/v1/engagements/{sign(house.wiring, house.organisation_id).engagement_id}/data"
    return Desk(house=house, api=house.api(Role.DELIVERY_LEAD), home=home)


def refused(answer: httpx.Response) -> tuple[int, str]:
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, answer.json()["code"]


def test_a_file_is_imported_without_the_row_or_fails_with_its_code(desk, subtests) -> None:
    for name, case in SENT.items():
        content = case.build(ROWS)
        with subtests.test(name):
            if not content:
                assert refused(desk.declare(content, case.name))[0] == 422
                assert (desk.count(Upload), desk.count(DataSource)) == (0, 0)
                continue
            before = desk.count(Example)
            source, job = desk.imported(content, case.name)
            found = [(each["line"], each["code"]) for each in source["problems"] if each["severity"] == "error"]
            if case.refused:
                assert (job["state"], source["state"], source["kept"]) == ("failed", "failed", 0)
                assert case.refused in {code for _, code in found}
                assert desk.count(Example) == before
            else:
                assert (job["state"], source["state"], source["kept"]) == ("done", "imported", 12)
                assert found == ([case.dropped] if case.dropped else [])
                assert source["rows_in"] == 12 + sum(source["dropped"].values())
                assert desk.count(Example) == before + 12


def test_j38_bytes_other_than_declared_are_not_kept(desk) -> None:
    _, answer = desk.sent(ROWS[0], sha256="0" * 64)
    assert refused(answer) == (422, "digest_mismatch")
    assert (desk.files(), desk.count(UploadPart), desk.count(DataSource)) == ([], 0, 0)


NAMES = {
    "F02 parent": ("..\\..\\x.jsonl", "x.jsonl"), "F02 drive": ("C:\\x.jsonl", "x.jsonl"),
    "F02 absolute": ("/abs.jsonl", "abs.jsonl"), "F07 dot": (".", "upload.jsonl"), "F07 dots": ("..", "upload.jsonl"),
    "F07 device": ("CON", "upload.jsonl"), "F07 hidden": (".ssh", "upload.jsonl"),
    "F04 line": ('a\r\nSet-Cookie: x".jsonl', None), "F06 backwards": ("\u202egpj.lnosj", None),
}  # fmt: skip


def test_the_name_of_a_file_is_a_label_and_never_a_path(desk, subtests) -> None:
    for number, (case, (given, label)) in enumerate(NAMES.items()):
        with subtests.test(case):
            answer = desk.declare(ROWS[number], given)
            if label is None:
                assert refused(answer) in {(422, "filename.invalid"), (422, "text.control_char")}
            else:
                assert (answer.status_code, answer.json()["name"]) == (201, label)
    assert desk.count(Upload) == sum(label is not None for _, label in NAMES.values())


def test_f09_no_path_leads_out_of_the_routes(desk) -> None:
    for path in ("..%2f..%2fetc%2fpasswd", "%252e%252e%252fetc", "..%5c..%5cetc"):
        assert desk.api.get(f"/static/{path}").status_code == 404
        assert refused(desk.api.get(f"/api/v1/dataset-versions/{path}/files/train"))[0] == 404


def test_h15_h16_multipart_is_no_way_in(desk) -> None:
    upload = f"/api/v1/uploads/{desk.declare(ROWS[0]).json()['id']}/content"
    multipart = {"Content-Type": "multipart/form-data; boundary=x"}
    for content in (b"--x\r\n\r\n" * 1_500, b"no boundary", b"--x\r\nContent-Dis"):
        assert refused(desk.api.ask("PUT", upload, content=content, headers=multipart)) == (
            415,
            "unsupported_media_type",
        )
    assert desk.count(UploadPart) == 0


@pytest.fixture
def sealed(desk) -> tuple[str, str]:
    """The ids of a source and of the job that sealed it."""
    rows = [
        json.dumps({"id": f"r{number}", "messages": [
            {"role": "user", "content": f"{hashlib.sha256(str(number).encode()).hexdigest()} and then?"},
            {"role": "assistant", "content": "Nothing."},
        ]}).encode()
        for number in range(60)
    ]  # fmt: skip
    source, _ = desk.imported(b"\n".join(rows))
    with desk.house.wiring.store.write() as session:
        session.execute(update(Example).values(state=ExampleState.ACCEPTED))
    job = desk.api.post(desk.home.removesuffix("/data") + "/dataset-versions", {})
    assert job.status_code == 201, job.text
    desk.house.wiring.workshop.do_due()
    assert desk.count(DatasetVersion) == 1
    return source["id"], job.json()["id"]


def test_s04_what_is_sealed_stays_and_s12_what_has_ended_is_not_cancelled(desk, sealed) -> None:
    source_id, job_id = sealed
    version = desk.api.get(f"/api/v1/data-sources/{source_id}").json()["version"]
    assert refused(desk.api.delete(f"/api/v1/data-sources/{source_id}", version=version)) == (409, "dataset_frozen")
    assert refused(desk.api.post(f"/api/v1/data-jobs/{job_id}/cancel")) == (409, "job_terminal")
    assert (desk.count(Example), desk.count(DatasetVersion)) == (60, 1)


def test_s13_a_source_is_not_removed_under_a_job(desk) -> None:
    upload_id, _ = desk.sent(b"\n".join(ROWS))
    told = {"kind": "historical", "licence": "theirs", "upload_id": upload_id}
    source = desk.api.post(f"{desk.home}/sources", told).json()
    desk.api.post(f"/api/v1/data-sources/{source['id']}/import")
    version = desk.api.get(f"/api/v1/data-sources/{source['id']}").json()["version"]
    answer = desk.api.delete(f"/api/v1/data-sources/{source['id']}", version=version)
    assert refused(answer) == (409, "job_running")
    desk.house.wiring.workshop.do_due()
    assert desk.count(Example) == 12


@pytest.mark.shared_data
def test_the_answers_are_those_of_the_list(shared_data: Path) -> None:
    rows = map(json.loads, (shared_data / "bad_inputs/bad_inputs.jsonl").read_text("utf-8").splitlines())
    owed = {row["id"]: (row["status"], row["code"]) for row in rows}
    assert owed["J38"] == (422, "digest_mismatch")
    assert {owed[name][1] for name in ("S04", "S12", "S13")} == {"dataset_frozen", "job_terminal", "job_running"}
    for case, (_, label) in NAMES.items():
        assert owed[case[:3]] == ((201, "ok") if label else (422, "filename.invalid"))
