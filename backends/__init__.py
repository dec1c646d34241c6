"""Where models are trained: one contract, and behind it providers, this machine, and clusters.

    protocol     what every backend answers: problems, start, poll, cancel, predict; plain values in and out
    spec         one training run, as JSON on disk and as a value: model, data with digests, hyperparameters, seed
    graders      what gives an answer its points in reinforcement, typed
    events       what a run tells while it works: messages, metrics, checkpoints; and where it stands
    memory       what a start must not forget, whatever dies: steps kept durably, one at a time
    errors       one class a fact
    registry     backends by name, found through entry points
    checks       what a backend asks of every spec before it begins
    fake         a backend that trains nothing and keeps the contract, for tests and rehearsals
    openai_api/  the OpenAI protocol: OpenAI itself, Azure, Together, Fireworks, Mistral, or any server that speaks it
    bedrock/     Amazon Bedrock: Nova and Claude 3 Haiku
    vertex/      Vertex AI: Gemini
    fireworks/   Fireworks AI: open models, by its own tuning API
    peft_local/  LoRA and full fine-tuning in a child process on this machine
    ray_jobs/    the same worker on a Ray cluster
    stand_in/    a provider of our own that speaks the OpenAI protocol on a socket, for rehearsals without a cent

A library of its own: it knows no database, no pages and no prices, and reads no environment.
"""
