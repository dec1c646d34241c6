"""The six phases: what each gate asks for, as pure rules over measured evidence, and the sitting that decides.

A later phase may look back; an earlier one never looks ahead.
"""
