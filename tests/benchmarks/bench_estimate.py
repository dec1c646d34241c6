"""An estimate of the packaged example with 10,000 draws, beside the bare numpy draws of the same size; and start-up.

The estimate is warm: one process, the price book read, calendars and closed models looked up once before. The peer
draws as many normal numbers as the estimate needs (one row for each uncertain quantity, and the common factor) and
does nothing with them. A sample is the faster of two runs in a row, for cores are shared; the figure is the median of
the samples. Start-up is measured in fresh processes, the fastest of several, beside `python -c pass`.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from statistics import median

import numpy as np
from measurement import Measurement, best_seconds

from estimator import SEED, PriceBook, estimate, read_brief
from estimator.brief.example import example_brief
from estimator.effort import EffortModel, plan_effort
from estimator.plan import Chances
from estimator.simulation import DRAWS

TODAY = date(2026, 11, 22)
SAMPLES, WARM_UP = 15, 3
ESTIMATE_BAR_MS = 50
HELP_BAR_S = 0.3
HEAVY = ("pandas", "torch")
WHOLE = "from estimator import estimate"
LOADED = f"import sys; {WHOLE}; sys.stdout.write(' '.join(m for m in {HEAVY} if m in sys.modules))"


def measure() -> Iterator[Measurement]:
    yield from measure_estimate()
    yield from measure_start()


def measure_estimate() -> Iterator[Measurement]:
    brief, prices = read_brief(example_brief(TODAY)), PriceBook.load()
    rows = len(Chances.of(plan_effort(brief, EffortModel.default()), seed=SEED, draws=1).by_name) + 1
    ours_ms = warm_median_ms(lambda: estimate(brief, prices, on=TODAY, draws=DRAWS))
    draws_ms = warm_median_ms(lambda: np.random.default_rng(SEED).standard_normal((rows, DRAWS)))
    yield Measurement(
        name=f"estimate of the example, {DRAWS:,} draws, warm median", measured=ours_ms, unit="ms",
        bar=f"<= {ESTIMATE_BAR_MS}", holds=ours_ms <= ESTIMATE_BAR_MS,
        beside=f"bare numpy draws of {rows} x {DRAWS:,}: {draws_ms:.1f} ms",
    )  # fmt: skip


def measure_start() -> Iterator[Measurement]:
    bare_s = best_seconds(lambda: fresh("-c", "pass"), repeats=7)
    help_s = best_seconds(lambda: fresh("-m", "engagements", "--help"), repeats=7)
    yield Measurement(
        name="sixfold --help, fresh process", measured=help_s, unit="s", bar=f"<= {HELP_BAR_S}",
        holds=help_s <= HELP_BAR_S, beside=f"python -c pass: {bare_s:.3f} s",
    )  # fmt: skip
    loaded = fresh("-c", LOADED)
    import_s = best_seconds(lambda: fresh("-c", "import estimator"), repeats=7)
    whole_s = best_seconds(lambda: fresh("-c", WHOLE), repeats=7)
    floor_s = best_seconds(lambda: fresh("-c", "import numpy, pydantic, holidays"), repeats=7)
    yield Measurement(
        name="import estimator, fresh process", measured=import_s, unit="s", bar="loads neither pandas nor torch",
        holds=not loaded, beside=f"{WHOLE}: {whole_s:.3f} s; import numpy, pydantic, holidays alone: {floor_s:.3f} s",
    )  # fmt: skip


def warm_median_ms(work: Callable[[], object]) -> float:
    for _ in range(WARM_UP):
        work()
    return 1_000 * median(best_seconds(work, repeats=2) for _ in range(SAMPLES))


def fresh(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
    return done.stdout
