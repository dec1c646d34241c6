"""One engagement record, from the first brief to the twelfth retraining.

cli         the `sixfold` command
proposals   before phase 1: an estimate becomes a proposal that may be sent
documents   a page of HTML and its files become a PDF, in a process of its own
rendering   where the templates are; how numbers and days are written
settings    whose installation this is
files       files that are whole or not there
demo        what `make demo` runs
"""

__version__ = "0.1.0"
