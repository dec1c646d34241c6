"""Vector charts for documents: numbers in, geometry out, placed by `templates/documents/charts/_drawing.svg`.

    ranges      cost or effort with its P10-P90 range
    stacks      effort by phase, stacked by role
    lines       cost a month of serving options over volume, with the crossing
    gantt       phases, gates and what the client owes, over calendar weeks
    cash        cumulative cash of the low, the expected and the high case
    tornado     which assumption moves the result most

Each is drawn at its final size, in points, with labels that keep clear of one another for any name and number.
"""
