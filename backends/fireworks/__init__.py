"""Fireworks AI, through its own SDK: datasets of the account, and tuning jobs under names of ours.

backend      the contract: what is wrong, start, poll, cancel, answers
account      whose account, which key; the client, and what its errors mean
refusals     what speaks against a run, found without a network
datasets     files to datasets, each used only once it is ready
jobs         a job as Fireworks describes it, and the two kinds of it: answers and preferences
submitting   at most one job for each run: its name is made of the run's id, and a name is given once
progress     a job, told in our words
curve        the metrics of a job, from the file that it leaves

Answers come over the OpenAI protocol (`openai_api`); a tuned model gives them once somebody has deployed it.
"""
