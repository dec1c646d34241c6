"""People who look at examples: rounds, queues, answers, agreement, and how disagreements end."""
