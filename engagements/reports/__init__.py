"""What a client is told in writing: the status report, what moved since the last one, frozen as it was sent."""
