"""The wheel holds everything the packages need at run time and nothing else, and works from another folder."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("sixfold-*.whl"))


def test_it_holds_our_packages_whole_and_nothing_else(wheel: Path):
    held = set(zipfile.ZipFile(wheel).namelist())
    ours = {
        path.relative_to(PROJECT).as_posix()
        for package in ("backends", "engagements", "estimator", "templates")
        for path in (PROJECT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours <= held
    assert {name for name in held - ours if ".dist-info/" not in name} == set()


def test_it_brings_the_fonts_the_ranks_and_their_licences(wheel: Path):
    held = set(zipfile.ZipFile(wheel).namelist())
    table = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["tool"]["sixfold"]["assets"]
    for asset in table:
        if asset["into"].startswith(("tests/", ".venv/")):  # for tests and the demo alone
            continue
        assert {f"{asset['into']}/{member['name']}" for member in asset["members"]} <= held
    assert any(name.endswith("licenses/LICENSE") for name in held)
    assert any(name.endswith("licenses/engagements/NOTICE") for name in held)


def test_a_proposal_is_written_from_the_wheel_alone(wheel: Path, tmp_path: Path):
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    # -S keeps the editable install out; the libraries come by their folder, ours by the unpacked wheel.
    libraries = next(path for path in sys.path if path.endswith("site-packages"))
    code = (
        f"import sys; sys.path[:0] = [{str(site)!r}, {libraries!r}]; "
        f"import engagements; assert engagements.__file__.startswith({str(site)!r}); "
        "from engagements.cli import main; sys.argv[0] = 'sixfold'; main()"
    )

    def sixfold(*arguments: str) -> str:
        command = [sys.executable, "-S", "-c", code, *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (tmp_path / "brief.toml").write_text(sixfold("brief", "new", "--on", "2026-11-22"), "utf-8")
    sixfold("propose", "brief.toml", "--on", "2026-11-22", "-o", "proposal.pdf")
    assert (tmp_path / "proposal.pdf").read_bytes().startswith(b"%PDF-")
