"""Who looks after runs: one step at a time, by whichever process holds the lease."""
