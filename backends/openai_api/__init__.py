"""The OpenAI protocol: OpenAI itself, Azure, Together, Mistral, or any server that speaks it.

backend      `OpenAIBackend`, `make`
profiles     how providers differ, each difference with its source
wire         the one place that builds a client: deadlines, what a refusal means, no repetition of its own
answers      what an answer must be before it is believed
requests     a run as the body that creates its job
problems     what speaks against a run, found without a network; `reinforcement`: against its rows
submitting   at most one live job a run, whatever is lost on the way
polling      where a job stands, and what is new
results      the results file, and losses that nobody told
flagged      where in the user's own file the other side found fault
predicting   answers of a model
sweeping     jobs and files that belong to no run
webhooks     whether a webhook is really the provider's
"""
