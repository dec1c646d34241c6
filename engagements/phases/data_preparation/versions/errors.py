"""What sealing, opening and erasing can be refused for; every refusal leaves all as it was."""

from collections.abc import Iterable

from engagements.core.errors import Conflict, EngagementError
from estimator.errors import Problem


class DatasetEmpty(EngagementError):
    """No example has been accepted."""

    code, status = "dataset_empty", 422


class TooFewExamples(EngagementError):
    """A split that is asked for would have nothing in it."""

    code, status = "too_few_examples", 422


class HoldoutLeak(EngagementError):
    """Examples of the test split stand in another split too, or nearly; `problems` names the pairs."""

    code, status = "holdout_leak", 422

    @classmethod
    def of(cls, message: str, pairs: Iterable[Problem]) -> "HoldoutLeak":
        remedy = "exclude one of each pair, or give both the same group, then seal again"
        return cls(message, remedy=remedy, problems=tuple(pairs))


class SealUnderWay(Conflict):
    """Somebody is sealing this very dataset; one at a time."""

    code = "job_running"


class ExamplesChanged(Conflict):
    code = "examples_changed"


class NameTaken(Conflict):
    code = "already_exists"


class SplitSealed(Conflict):
    """The test split is no download: it is opened for an evaluation, which is written down."""

    code = "split_sealed"


class NoSuchSplit(Conflict):
    code = "artifact_missing"


class ErasureOpen(Conflict):
    """A release still serves what was trained on erased examples."""

    code = "erasure_open"
