"""What was agreed and how it goes: the record of delivery that phases, actuals, changes and reports share.

models        baseline, phases, milestones, deliverables, criteria, the register of risks, reasons for new dates
gate_models   evidence, gate decisions, conditions, checklist marks
evidence      what can be measured, as types: dataset version, evaluation run, comparison, training run, ...
opening       an accepted plan becomes six phases with dates, deliverables, criteria and milestones
standing      one row per engagement of what lists show of it, kept with each change
"""
