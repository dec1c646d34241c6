import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from engagements.settings import Agency, Settings, SettingsInvalid, read_settings
from estimator.errors import Problem

Read = Callable[..., Settings]
Refused = Callable[..., list[Problem]]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """The settings of a folder with this sixfold.toml, and of these variables alone."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("SIXFOLD_")]:
        monkeypatch.delenv(name)

    def settings(toml: str | bytes = "", variables: Mapping[str, str] | None = None) -> Settings:
        (tmp_path / "sixfold.toml").write_bytes(toml if isinstance(toml, bytes) else toml.encode())
        for name, value in (variables or {}).items():
            monkeypatch.setenv(name, value)
        return read_settings()

    return settings


@pytest.fixture
def refused(read: Read) -> Refused:
    """The problems of settings that cannot be meant."""

    def problems(toml: str | bytes = "", variables: Mapping[str, str] | None = None) -> list[Problem]:
        with pytest.raises(SettingsInvalid) as refusal:
            read(toml, variables)
        assert all(problem.message and problem.remedy for problem in refusal.value.problems)
        return list(refusal.value.problems)

    return problems


# Every setting of an agency, a value and how it is read.
AGENCY: dict[str, tuple[str, object]] = {
    "name": ("Halden & Roth", "Halden & Roth"),
    "legal_name": ("Halden & Roth GmbH", "Halden & Roth GmbH"),
    "address": ("Am Kai 1\nHamburg", "Am Kai 1\nHamburg"),
    "registration": ("HRB 1", "HRB 1"),
    "vat_id": ("DE000000000", "DE000000000"),
    "email": ("hello@halden.example", "hello@halden.example"),
    "website": ("halden.example", "halden.example"),
    "signatory": ("Marte Halden", "Marte Halden"),
    "signatory_role": ("Managing director", "Managing director"),
    "prepared_by": ("A", "A"),
    "reviewed_by": ("B", "B"),
    "accent": ("#0F5C63", "#0f5c63"),
    "logo": ("logo.svg", Path("logo.svg")),
    "terms": ("terms.txt", Path("terms.txt")),
    "paper": ("letter", "letter"),
    "locale": ("en_US", "en_US"),
    "time_zone": ("Europe/Berlin", "Europe/Berlin"),
}


def test_without_a_word_the_house_is_unnamed_and_every_setting_has_its_default(read: Read) -> None:
    assert read() == Settings()
    assert read().agency == Agency()
    assert (read().agency.is_named, read().prices) == (False, ())


def test_every_setting_is_read_from_the_file_and_from_the_environment(read: Read) -> None:
    assert AGENCY.keys() == Agency.model_fields.keys()
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, (value, _) in AGENCY.items())
    from_file = read(f'prices = ["a.toml", "b.toml"]\n[agency]\n{lines}\n')
    variables = {f"SIXFOLD_AGENCY__{name.upper()}": value for name, (value, _) in AGENCY.items()}
    from_environment = read("", variables | {"SIXFOLD_PRICES": '["a.toml", "b.toml"]'})
    assert from_file == from_environment
    assert from_file.prices == (Path("a.toml"), Path("b.toml"))
    assert {name: getattr(from_file.agency, name) for name in AGENCY} == {
        name: read for name, (_, read) in AGENCY.items()
    }
    assert from_file.agency.is_named


def test_the_environment_wins_and_leaves_the_rest_of_the_file(read: Read) -> None:
    settings = read('[agency]\nname = "File"\npaper = "letter"\n', {"SIXFOLD_AGENCY__NAME": "Environment"})
    assert (settings.agency.name, settings.agency.paper) == ("Environment", "letter")


def test_an_empty_variable_is_none(read: Read) -> None:
    assert read('[agency]\nname = "File"\n', {"SIXFOLD_AGENCY__NAME": ""}).agency.name == "File"


def test_everything_wrong_is_said_at_once(refused: Refused) -> None:
    toml = """
    agenci = 1
    prices = [7]
    [agency]
    name = " "
    legal_name = "two\\nlines"
    signatory = 7
    accent = "red"
    logo = ""
    terms = "a\\u0000b"
    paper = "A5"
    locale = "de_DE"
    time_zone = "localtime"
    nmae = "x"
    """
    found = {problem.where: problem.code for problem in refused(toml, {"SIXFOLD_PRICE": "[]"})}
    assert found == {
        "SIXFOLD_PRICE": "unknown_field",
        "agenci": "unknown_field",
        "prices[1]": "setting_invalid",
        "agency.name": "text.blank",
        "agency.legal_name": "text.control_char",
        "agency.signatory": "text.bad_format",
        "agency.accent": "colour.bad_format",
        "agency.logo": "file.bad_name",
        "agency.terms": "file.bad_name",
        "agency.paper": "setting_invalid",
        "agency.locale": "locale.unknown",
        "agency.time_zone": "timezone.unknown",
        "agency.nmae": "unknown_field",
    }


@pytest.mark.parametrize(
    ("toml", "variables", "where", "near"),
    [
        ('[agency]\nnmae = "x"\n', {}, "agency.nmae", "name"),
        ('[agency]\nlogoo = "x"\n', {}, "agency.logoo", "logo"),
        ("[agencies]\n", {}, "agencies", "agency"),
        ("price = []\n", {}, "price", "prices"),
        ("", {"SIXFOLD_AGENCY__NMAE": "x"}, "agency.nmae", "name"),
        ("", {"SIXFOLD_AGENCI__NAME": "x"}, "SIXFOLD_AGENCI__NAME", "SIXFOLD_AGENCY"),
        ("", {"SIXFOLD_PRICE": "[]"}, "SIXFOLD_PRICE", "SIXFOLD_PRICES"),
    ],
)
def test_an_unknown_setting_is_named_with_the_one_it_nearly_is(
    refused: Refused, toml: str, variables: Mapping[str, str], where: str, near: str
) -> None:
    (problem,) = refused(toml, variables)
    assert (problem.where, problem.code) == (where, "unknown_field")
    assert problem.remedy.startswith(f"did you mean {near}? ")


def test_a_variable_of_somebody_elses_is_none_of_ours(read: Read) -> None:
    assert read("", {"SIXFOLD_TEST_DATA": "/data", "SIXFOLD": "x", "HEXFOLD_AGENCY": "x"}) == Settings()


@pytest.mark.parametrize("accent", ["#fff", "0f5c63", "#0f5c6g", "#0f5c63 ", "#0f5c63\n", "#０f5c63", "red;}"])
def test_a_colour_is_six_hexadecimal_digits(refused: Refused, accent: str) -> None:
    (problem,) = refused(f"[agency]\naccent = {json.dumps(accent)}\n")
    assert (problem.where, problem.code) == ("agency.accent", "colour.bad_format")


@pytest.mark.parametrize("content", [b"[agency\n", b"\xff", b"x = ", b"x = " + b"[" * 100_000, b"x = 1" + b"0" * 9_999])
def test_a_file_that_is_no_toml_is_said_by_its_name(refused: Refused, content: bytes) -> None:
    (problem,) = refused(content)
    assert (problem.where, problem.code) == ("sixfold.toml", "setting_invalid")


@pytest.mark.parametrize("value", ["ours.toml", "[1", "{}", '"ours.toml"'])
def test_a_list_in_the_environment_is_json(refused: Refused, value: str) -> None:
    (problem,) = refused("", {"SIXFOLD_PRICES": value})
    assert problem.code == "setting_invalid"
    assert "prices" in f"{problem.where} {problem.message}"
    assert '["prices/contract.toml"]' in problem.remedy


@pytest.mark.parametrize("toml", ["agency = 7", 'agency = "Halden"', "agency = []", "prices = 7"])
def test_a_value_of_another_kind_is_said_in_plain_words(refused: Refused, toml: str) -> None:
    (problem,) = refused(toml)
    assert problem.where == toml.partition(" ")[0]
    assert problem.message in {"this is no table", "this is no list"}


def test_settings_are_frozen(read: Read) -> None:
    with pytest.raises(ValueError, match="frozen"):
        read().prices = ()  # type: ignore[misc]
