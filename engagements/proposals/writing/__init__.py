"""An estimate becomes a proposal: what the client reads, and nothing else."""

from engagements.proposals.writing.proposal import Issue, write_proposal

__all__ = ["Issue", "write_proposal"]
