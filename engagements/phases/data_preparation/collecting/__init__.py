"""Files, folders, buckets, hubs and databases, read row by row into records, with every dropped row accounted for."""
