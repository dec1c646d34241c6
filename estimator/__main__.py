"""`python -m estimator BRIEF.toml YYYY-MM-DD [SEED]`: the estimate as JSON, without the rest of Sixfold."""

import json
import sys
from datetime import date
from pathlib import Path

from estimator import SEED, EstimatorError, PriceBook, estimate, load_brief
from estimator.plain import estimate_as_plain


def main(arguments: list[str]) -> int:
    """0: the estimate stands on standard output. 2: the problems stand on standard error."""
    if not 2 <= len(arguments) <= 3:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        on, seed = date.fromisoformat(arguments[1]), int(arguments[2]) if len(arguments) == 3 else SEED
        result = estimate(load_brief(Path(arguments[0])), PriceBook.load(), on=on, seed=seed)
    except ValueError as error:
        sys.stderr.write(f"{error}\n{__doc__}\n")
        return 2
    except EstimatorError as error:
        sys.stderr.writelines(f"{problem}\n" for problem in error.problems)
        return 2
    sys.stdout.write(json.dumps(estimate_as_plain(result), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
