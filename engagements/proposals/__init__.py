"""Before phase 1: from an estimate to a proposal that may be sent.

writing/    an estimate becomes a `ProposalView`: what the client reads, and nothing else
lint        refuses a proposal with a hole in it
letters     which letters it can be set in, and how long words break
document    the view as HTML and PDF, and the snapshot that is kept beside it
"""
