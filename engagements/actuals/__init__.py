"""What an engagement has cost so far and where it will end: time, other costs, budget, earned value, forecast."""
