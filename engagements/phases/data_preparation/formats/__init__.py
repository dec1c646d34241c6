"""Providers' formats: each read into records, written from them, and judged in its provider's own words.

registry       every format by its name; `detecting` finds the one that rows are in
format         what a format is: read, write, losses, predict
exporting      a file of records in a format, whole or not at all, with its account
sameness       what is lost between a record and what comes back
prediction     what a provider would say; the sentences stand in the modules named `*_rules`
cookbook       the checks of OpenAI's notebook, over very many rows

The formats themselves: openai_chat, chat_dialects (Together, Fireworks, Mistral), preference_pairs, openai_rft
(reinforcement), gemini, bedrock (Nova and Anthropic), trl (with KTO), llama_factory (ShareGPT and Alpaca), pairs
(prompt and completion, tables).
"""
