"""More than anybody sends on purpose: a line of two gigabytes, ten thousand labels. What is shown stays as small."""

import hashlib
import json
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from engagements.core.roles import Role
from engagements.phases.data_preparation.models import Example, ExampleState

GIGABYTE = 1024**3
LABELS = 10_000
PAGE_MAX_BYTES = 1_000_000
"""What a browser takes in at a glance; ten thousand labels in full would be several times as much."""


@pytest.mark.slow
@pytest.mark.parametrize("command", [("import", "-o", "records.jsonl"), ("prepare", "-o", "out", "--processes", "0")])
def test_a_line_of_two_gigabytes_is_dropped_by_its_number_in_bounded_memory(
    start: Callable[..., Any], tmp_path: Path, command: tuple[str, ...]
) -> None:
    row = '{"id":"r%d","messages":[{"role":"user","content":"%s?"},{"role":"assistant","content":"%s"}]}\n'
    texts = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(12_000)]
    sound = "".join(row % (number, text, text[:9]) for number, text in enumerate(texts)).encode()
    with (tmp_path / "rows.jsonl").open("wb") as file:
        file.write(sound + b'{"messages":[{"role":"user","content":"')
        # A hole in the file: two gigabytes to whoever reads it, and nothing on the disk.
        file.seek(2 * GIGABYTE, 1)
        file.write(b'"}]}\n' + (row % (12_001, "And then", "Nothing.")).encode())
    process = start(
        "data", command[0], "rows.jsonl", *command[1:], "--json",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (3 * GIGABYTE // 2,) * 2),
    )  # fmt: skip
    out, error = process.communicate(timeout=500)
    (tmp_path / "rows.jsonl").unlink()

    assert process.code == 0, (out[-2000:], error[-2000:])
    said = json.loads(out)
    assert (said["rows_in"], said["kept"], said["dropped"]) == (12_002, 12_001, {"row.too_large": 1})
    assert [(each["line"], each["code"]) for each in said["problems"] if each["severity"] == "error"] == [
        (12_001, "row.too_large")
    ]


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_ten_thousand_labels_are_checked_divided_and_shown_in_pages_of_a_usual_size(house, sign) -> None:
    engagement = sign(house.wiring, house.organisation_id).engagement_id
    api = house.api(Role.DELIVERY_LEAD)
    home = f"/api/v1/engagements/{engagement}"
    lines = [
        f"{hashlib.sha256(f'{label} {turn}'.encode()).hexdigest()},category {label:05d}"
        for label in range(LABELS)
        for turn in range(2)
    ]
    content = "\n".join(["text,label", *lines, ""]).encode()
    declared = {"name": "a.csv", "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    upload = api.post(f"{home}/data/uploads", declared).json()["id"]
    api.ask(
        "PUT", f"/api/v1/uploads/{upload}/content", content=content,
        headers={"Content-Type": "application/octet-stream"},
    )  # fmt: skip
    api.post(f"/api/v1/uploads/{upload}/complete")
    source = api.post(f"{home}/data/sources", {"kind": "historical", "licence": "theirs", "upload_id": upload}).json()
    jobs = [api.post(f"/api/v1/data-sources/{source['id']}/import").json()["id"]]
    house.wiring.workshop.do_due()
    jobs.append(api.post(f"{home}/data/checks", {"task": "classification"}).json()["id"])
    house.wiring.workshop.do_due()
    with house.wiring.store.write() as session:
        session.execute(update(Example).values(state=ExampleState.ACCEPTED))
    jobs.append(api.post(f"{home}/dataset-versions", {"task": "classification"}).json()["id"])
    house.wiring.workshop.do_due()

    done = [api.get(f"/api/v1/data-jobs/{job}").json() for job in jobs]
    assert [job["state"] for job in done] == ["done"] * 3, [job["error"] for job in done]
    version = done[2]["result"]["version"]
    pages = {
        path: api.get(path)
        for path in (
            f"/engagements/{engagement}/data", f"/engagements/{engagement}/data/checks",
            f"/engagements/{engagement}/data/examples", f"/engagements/{engagement}/datasets",
            f"/dataset-versions/{version}", f"/dataset-versions/{version}/card", f"/data-sources/{source['id']}",
            f"{home}/data/checks/newest", f"{home}/data", f"/api/v1/dataset-versions/{version}/card",
        )
    }  # fmt: skip
    assert {path: answer.status_code for path, answer in pages.items()} == dict.fromkeys(pages, 200)
    assert {path: len(answer.content) for path, answer in pages.items() if len(answer.content) > PAGE_MAX_BYTES} == {}


@pytest.mark.slow
def test_ten_thousand_labels_are_prepared_with_a_card_that_can_be_read(
    sixfold: Callable[..., Any], tmp_path: Path
) -> None:
    lines = (f"{hashlib.sha256(str(number).encode()).hexdigest()},c{number % LABELS}" for number in range(2 * LABELS))
    (tmp_path / "rows.csv").write_text("\n".join(["text,label", *lines, ""]))
    answer = sixfold("data", "prepare", "rows.csv", "--task", "classification", "-o", "out", "--json")
    assert answer.code == 0, answer.err
    assert (answer.json["kept"], sum(answer.json["leaks"].values())) == (2 * LABELS, 0)
    assert all(split["examples"] for split in answer.json["splits"].values())
    assert (tmp_path / "out" / "card.html").stat().st_size < PAGE_MAX_BYTES
