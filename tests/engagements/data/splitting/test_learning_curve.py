"""What more data would buy, and when nobody can tell."""

import numpy as np

from engagements.phases.data_preparation.records import Record
from engagements.phases.data_preparation.splitting.learning_curve import learning_curve


def labelled(count: int, *, seed: int, classes: int = 6, words: int = 40) -> list[Record]:
    """Each class speaks half of words of its own, of which it takes many examples to see all."""
    rng = np.random.default_rng(seed)
    records = []
    for number in range(count):
        label = int(rng.integers(classes))
        text = " ".join(
            f"c{label}w{rng.integers(words)}" if rng.random() < 0.5 else f"x{rng.integers(300)}" for _ in range(4)
        )
        messages = [{"role": "user", "content": text}, {"role": "assistant", "content": f"class {label}"}]
        records.append(Record(id=f"{seed}-{number}", messages=messages, label=f"class {label}"))
    return records


def test_a_curve_that_rises_says_what_twice_the_examples_buy() -> None:
    curve = learning_curve(labelled(240, seed=1), labelled(300, seed=2), seed=7)
    assert [point.examples for point in curve.points] == [30, 60, 120, 240]
    assert curve.points[-1].accuracy > curve.points[0].accuracy
    assert curve.gain is not None
    assert curve.gain_interval is not None
    assert 0 < curve.gain_interval.low < curve.gain < curve.gain_interval.high
    assert "twice the examples" in curve.said


def test_the_same_seed_draws_the_same_curve() -> None:
    train, validation = labelled(80, seed=1), labelled(60, seed=2)
    assert learning_curve(train, validation, seed=3) == learning_curve(train, validation, seed=3)


def test_too_few_examples_say_nothing() -> None:
    curve = learning_curve(labelled(39, seed=1), labelled(100, seed=2), seed=7)
    assert curve.gain is None
    assert curve.points == ()
    assert "at least 40" in curve.said


def test_one_label_teaches_nothing() -> None:
    curve = learning_curve(labelled(60, seed=1, classes=1), labelled(60, seed=2, classes=1), seed=7)
    assert curve.gain is None


def told_apart(count: int, *, seed: int) -> list[Record]:
    """Two classes that one word tells apart, so that a few examples are enough."""
    said = [("refund please", "refund"), ("parcel lost", "delivery")]
    return [
        Record(
            id=f"{seed}-{number}", label=said[number % 2][1],
            messages=[
                {"role": "user", "content": said[number % 2][0]}, {"role": "assistant", "content": said[number % 2][1]}
            ],
        )
        for number in range(count)
    ]  # fmt: skip


def test_a_flat_curve_is_not_sold_as_certain() -> None:
    curve = learning_curve(told_apart(80, seed=1), told_apart(60, seed=2), seed=7)
    assert [point.accuracy for point in curve.points[1:]] == [1, 1, 1]
    assert curve.gain == 0
    assert curve.gain_interval is not None
    # By hand: sqrt(0.5^2 / 62) / sqrt(62) * 1.96 = 1.96 * 0.5 / 62.
    assert (round(curve.gain_interval.low, 6), round(curve.gain_interval.high, 6)) == (-0.015806, 0.015806)
    assert curve.said.startswith("no difference at this size: 100.0% of 60 validation examples")
    assert "up to 1.6 points" in curve.said
