"""What a measurement says and what it cannot. Pure: no session, no clock, no framework.

intervals   Wilson, exact McNemar, paired differences, the rule of three
verdicts    a criterion decided by intervals: pass, fail or inconclusive
samples     what so many items can show, and how many a gain needs
"""
