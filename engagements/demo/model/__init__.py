"""A small model of our own for the demo: SmolLM2-135M-Instruct behind an OpenAI-compatible server on this machine.

weights    the file that `make` lays down, turned once into what PyTorch trains and serves
filling    JSON of a given schema, with a model's words in it
writing    prompts in, text out, every token counted
serving    POST /v1/chat/completions, in a process of its own
process    starts that process and ends it
"""
