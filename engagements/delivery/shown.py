"""What a rescheduling does, as it is told to programs and pages."""

from engagements.delivery.moves import Rescheduled
from engagements.delivery.schemas import AlongOut, PhaseMoveOut, RescheduleOut


def reschedule_out(done: Rescheduled) -> RescheduleOut:
    moves = done.moves
    return RescheduleOut(
        change_id=done.change_id,
        phases=[
            PhaseMoveOut(
                phase=phase, begin=shift.before.begin, work_end=shift.before.work_end, gate=shift.before.gate,
                new_begin=shift.after.begin, new_work_end=shift.after.work_end, new_gate=shift.after.gate,
            )
            for phase, shift in moves.shifts.items()
        ],
        along=[
            AlongOut(code=each.row.code, name=each.row.name, day=each.day, new_day=each.new_day)
            for each in moves.along
        ],
        end=moves.end, new_end=moves.new_end, agreed_end=moves.agreed_end, agreed_late_end=moves.agreed_late_end,
        float_days=moves.float_days,
    )  # fmt: skip
