"""From raw files to a prepared dataset in one go, and how it describes itself."""
