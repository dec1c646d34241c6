"""What an experiment will be: its runs, their data, what they are predicted to take, and what holds them."""
