"""What a measurement says and what it cannot. Pure: no session, no clock, no framework.

intervals   Wilson, exact McNemar, paired differences, the rule of three
verdicts    a criterion decided by intervals: pass, fail or inconclusive
bootstrap   the interval of a mean of scores, drawn from its items
scores      scores of items as one number with its interval
paired      two systems on the same items: difference, interval, p
metrics/    how one answer is scored against the expected one, a file a metric
samples     what so many items can show, and how many a gain needs
agreement   how far raters agree: raw, Cohen, Fleiss, Krippendorff, and what the number allows
"""
