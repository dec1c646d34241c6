"""The SDK of scoping: from a client's brief to what it costs, what it takes and what it is worth."""
