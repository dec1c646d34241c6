"""The public names of the package, and what importing it does not load."""

import subprocess
import sys

import pytest

import estimator


def test_every_name_of_the_package_is_there() -> None:
    assert [name for name in estimator.__all__ if not hasattr(estimator, name)] == []


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'guess'"):
        estimator.guess  # noqa: B018 - the access is what is tested


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import estimator", {"numpy", "pydantic", "holidays", "pandas", "torch"}),
        ("import estimator.hardware", {"holidays", "pandas", "torch"}),
        ("from estimator import estimate", {"genai_prices", "tiktoken", "pandas", "torch"}),
    ],
)
def test_importing_loads_only_what_is_used(code: str, heavy: set[str]) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(sorted({heavy} & sys.modules.keys()))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert loaded.stdout == "[]\n"
