"""Vertex AI, through Google's own SDK: Gemini models are tuned from files in Cloud Storage.

backend      the contract: what is wrong, start, poll, cancel, answers
project      whose project, which location, which bucket; the clients, and what their errors mean
storage      files to Cloud Storage, under names that their content gives them
submitting   at most one job for each run, though Vertex takes no key that would make a create safe to repeat
progress     a job as Vertex tells it, told in our words
curve        the metrics of a job, from the TensorBoard behind its experiment
answers      asking a model, tuned or not
"""
