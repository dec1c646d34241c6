"""The six phases: what each gate asks for, as pure rules over measured evidence, and the sitting that decides.

A later phase may look back; an earlier one never looks ahead.

<phase>/rules   what the gate of a phase asks for: pure functions over `facts`
facts           what the rules read; `gathering` fetches it
requirements    one thing asked for, met or not, and the blockers that follow; `gates` has all six in order
deciding        the sitting; `passing` what follows from it, `cosigning` the client's half
upkeep          conditions met and checklists marked between sittings
reading, views  what is shown of all that, to the agency and to the client
"""
