"""Before phase 1: from an estimate to a proposal that may be sent.

writing/    an estimate becomes a `ProposalView`: what the client reads, and nothing else
lint        refuses a proposal with a hole in it
document    the view as HTML and PDF, and the snapshot that is kept beside it
"""
