"""Encodings: told, found and proposed, and never guessed in silence."""

import json
from typing import Any

import pytest

from engagements.phases.data_preparation.collecting.encodings import likely_encoding
from engagements.phases.data_preparation.collecting.findings import FileUnreadable

ROWS = "text,label\nÉté à Zürich – déjà vu,a\nNaïve café “öl”,b\n" + "Plain words,a\n" * 5


def texts(read: Any) -> list[str]:
    return [record.question for record in read.records]


def refusal(read: Any, *arguments: Any, **options: Any) -> FileUnreadable:
    with pytest.raises(FileUnreadable) as refused:
        read(*arguments, **options)
    return refused.value


@pytest.mark.shared_data
def test_samples_in_known_encodings_are_found_or_refused_with_the_likely_one(read_path, shared_data) -> None:
    folder = shared_data / "sets/26_charset_samples"
    expected = json.loads((folder / "expected_encoding.json").read_bytes())
    assert len(expected) == 18
    for name, encoding in expected.items():
        written = [line for line in (folder / name).read_bytes().decode(encoding).splitlines() if line.strip()]
        if encoding.startswith("utf_8"):
            assert texts(read_path(folder / name)) == written, name
            continue
        refused = refusal(read_path, folder / name)
        assert [each.code for each in refused.problems] == ["not_utf8"]
        assert encoding in refused.problems[0].remedy, name
        found = read_path(folder / name, encoding="detect")
        assert (texts(found), found.reading.table.encoding) == (written, encoding), name


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig", "utf-8"])
@pytest.mark.parametrize("name", ["raw.csv", "raw.txt", "raw.jsonl"])
def test_a_byte_order_mark_tells_the_encoding(read, encoding, name) -> None:
    rows = "".join(f'{{"text": "{line.partition(",")[0]}", "label": "a"}}\n' for line in ROWS.splitlines()[1:])
    found = read((rows if name.endswith("jsonl") else ROWS).encode(encoding), name)
    assert any("Zürich" in text for text in texts(found))
    assert not found.account.dropped


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le"])
def test_what_is_no_utf8_is_refused_with_a_proposal_and_read_where_it_is_named(read, encoding) -> None:
    refused = refusal(read, ROWS.encode(encoding))
    assert [each.code for each in refused.problems] == ["not_utf8"]
    assert encoding in refused.problems[0].remedy
    for named in (encoding, "detect"):
        assert texts(read(ROWS.encode(encoding), encoding=named))[:2] == ["Été à Zürich – déjà vu", "Naïve café “öl”"]


def test_rows_in_another_encoding_than_the_file_are_dropped_by_their_line(read) -> None:
    mixed = ROWS.encode() + "Größe,a\n".encode("latin-1") + "Größe,b\n".encode()
    found = read(mixed)
    assert (found.account.kept, found.dropped) == (8, [(9, "row.malformed_utf8")])
    assert texts(found)[-1] == "Größe"


def test_bytes_that_the_named_encoding_does_not_know_drop_their_row(read) -> None:
    found = read(b"text,label\nfine,a\nodd \x81,a\nfine too,a\n", encoding="cp1252")
    assert (found.account.kept, found.dropped) == (2, [(3, "row.malformed_utf8")])


def test_an_encoding_that_nobody_knows_is_refused(read) -> None:
    for name in ("klingon", "rot13", "base64", ""):
        if name:
            assert "no encoding" in str(refusal(read, ROWS.encode(), encoding=name))


def test_of_encodings_with_the_same_text_the_usual_one_is_proposed() -> None:
    assert likely_encoding("J’ai été débité deux fois, Müller".encode("cp1252")) == "cp1252"
