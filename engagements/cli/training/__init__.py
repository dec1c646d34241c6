"""One run in a folder, without a database: what `sixfold train` and `sixfold runs` share.

asked       what is to be trained, read from a file, a record and options, with all its problems
places      where it trains: a backend that the settings name, or one that is installed
dataset     a prepared dataset, in the format that the backend takes
folder      the folder of a run: all that is known of it, readable after a kill at any moment
following   beginning a run and looking after it until it ends
finishing   its verdict, its checkpoints scored, one chosen, its record
showing     tables, a progress bar and JSON
"""
