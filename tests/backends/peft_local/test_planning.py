"""Which rows make a step: every row once, nothing over its room, and the same again from anywhere."""

from hypothesis import given
from hypothesis import strategies as st

from backends.peft_local.worker.planning import Plan, evenly, first_fit_decreasing
from backends.spec import Batching

LENGTHS = st.lists(st.integers(1, 300), min_size=1, max_size=60)


def plans():
    return st.builds(
        Plan, lengths=LENGTHS, batch_size=st.integers(1, 16), micro_batch_size=st.integers(1, 8),
        batching=st.sampled_from(Batching), seed=st.integers(0, 5),
    )  # fmt: skip


@given(LENGTHS, st.integers(300, 900))
def test_packing_lays_every_row_into_one_pack_and_none_over_its_room(lengths, capacity):
    ordered = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    packs = first_fit_decreasing(ordered, lengths, capacity)
    assert sorted(row for pack in packs for row in pack) == list(range(len(lengths)))
    assert all(sum(lengths[row] for row in pack) <= capacity for pack in packs)


def test_packing_a_known_case_by_hand():
    lengths = [7, 5, 5, 4, 2, 2, 1]
    assert first_fit_decreasing(range(7), lengths, 10) == [[0, 4, 6], [1, 2], [3, 5]]


@given(plans())
def test_an_epoch_holds_every_row_once_in_full_batches_but_the_last(plan):
    batches = plan.epoch(3)
    assert sorted(row for batch in batches for row in batch) == list(range(len(plan.lengths)))
    assert sorted(map(len, batches))[1:] == [plan.batch_size] * (len(batches) - 1)


@given(plans())
def test_a_step_s_micro_batches_hold_its_rows_within_their_room(plan):
    for batch in plan.epoch(0):
        micro = plan.micro_batches(batch)
        assert sorted(row for rows in micro for row in rows) == sorted(batch)
        if plan.batching is Batching.PACKED:
            assert all(sum(plan.lengths[row] for row in rows) <= plan.capacity for rows in micro)
        else:
            assert all(len(rows) <= plan.micro_batch_size for rows in micro)


@given(plans(), st.integers(0, 20))
def test_going_on_after_a_step_gives_what_would_have_come(plan, after):
    whole = list(plan.steps(after=0, until=after + 7))
    assert list(plan.steps(after=after, until=after + 7)) == whole[after:]


@given(LENGTHS, st.integers(1, 16), st.integers(1, 8), st.integers(0, 5))
def test_packed_and_padded_steps_take_the_same_rows_in_the_same_order(lengths, batch_size, micro_batch_size, seed):
    told = {"lengths": lengths, "batch_size": batch_size, "micro_batch_size": micro_batch_size, "seed": seed}
    assert Plan(batching=Batching.PACKED, **told).epoch(1) == Plan(batching=Batching.PADDED, **told).epoch(1)


def test_grouping_by_length_puts_rows_of_like_length_into_a_batch():
    lengths = [10, 200] * 40
    plan = Plan(lengths=lengths, batch_size=8, micro_batch_size=8, batching=Batching.LENGTH_GROUPED, seed=1)
    assert all(len({lengths[row] for row in batch}) == 1 for batch in plan.epoch(0))


@given(st.integers(1, 300), st.integers(1, 40))
def test_evenly_ends_with_the_last_step(total, count):
    steps = evenly(min(count, total), total=total)
    assert len(steps) == min(count, total)
    assert max(steps) == total
    assert min(steps) >= 1
