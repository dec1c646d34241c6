"""What was agreed and how it goes: the record of delivery that phases, actuals, changes and reports share.

models        baseline, phases, milestones, deliverables, criteria, the register of risks, reasons for new dates
gate_models   evidence, gate decisions, conditions, checklist marks
evidence      what can be measured, as types: dataset version, evaluation run, comparison, training run, ...
opening       an accepted plan becomes six phases with dates, deliverables, criteria and milestones
standing      one row per engagement of what lists show of it, kept with each change
steps         what can be done with a phase in each of its states; phases does it, and sets owners
cascade       new days for a phase and what follows from them, purely; moves writes them with their reason
milestones    days that count: our own, what the client owes, payments by gates and months
deliverables  what is handed over, reviewed by a second person and decided by the client over its bytes
board         the plan on one page: agreed, planned and actual; lines says it, drawing draws it, export writes CSV
under_way     only an active engagement takes work; who changes its plan holds its row
"""
