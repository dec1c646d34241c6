"""Tokens counted in a process of its own: what a tokeniser holds, 60 to 80 MB, the application would never give back.

The process gets the spec as JSON on its standard input, and answers with the count or with what is wrong with a file.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

from backends.spec import TrainingSpec
from engagements.phases.training.plans.data_tokens import DataTokens, count_tokens
from estimator.errors import DatasetUnreadable, Problem, Severity

_HOME: Final = Path(__file__).resolve().parents[4]
_COUNTED, _REFUSED = "counted", "refused"


def count_apart(spec: TrainingSpec) -> DataTokens:
    """As `count_tokens`; unknown, and said so, where the process ends without an answer.

    Raises `DatasetUnreadable` for a file that cannot be read.
    """
    done = subprocess.run(  # noqa: S603 (our own module)
        [sys.executable, "-P", "-m", __name__], input=spec.model_dump_json(by_alias=True), text=True,
        stdout=subprocess.PIPE, check=False,
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": str(_HOME), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    if done.returncode != 0:
        note = f"counting ended with {done.returncode}; it is tried again with the next look"
        return DataTokens(per_epoch=None, examples=spec.train.rows, note=note)
    told = json.loads(done.stdout)
    if _REFUSED in told:
        problems = (each | {"severity": Severity(each["severity"])} for each in told[_REFUSED])
        raise DatasetUnreadable(*(Problem(**each) for each in problems))
    return DataTokens(**told[_COUNTED])


def _answer() -> None:
    """In the other process."""
    spec = TrainingSpec.model_validate_json(sys.stdin.read())
    try:
        told: dict[str, object] = {_COUNTED: asdict(count_tokens(spec))}
    except DatasetUnreadable as error:
        told = {_REFUSED: [asdict(each) for each in error.problems]}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    _answer()
