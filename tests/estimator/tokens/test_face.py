import subprocess
import sys

import pytest

from estimator import tokens


def test_every_name_of_the_package_is_there() -> None:
    assert [name for name in tokens.__all__ if not hasattr(tokens, name)] == []


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'guess'"):
        tokens.guess  # noqa: B018 - the access is what is tested


def test_importing_the_package_loads_no_tokeniser() -> None:
    heavy = "{'tiktoken', 'tokenizers', 'torch', 'pandas'}"
    code = f"import sys, estimator.tokens; print(sorted({heavy} & sys.modules.keys()))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"
