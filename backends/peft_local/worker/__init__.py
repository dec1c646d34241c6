"""The process that trains, and the one that answers. PyTorch, transformers and PEFT are loaded here and nowhere else.

__main__      `python -m backends.peft_local.worker spec.json`: locks, heartbeat, signals, and how a run ends
telling       events and where the run stands, written so that going on tells nothing twice
encoding      rows as tokens with labels on what the assistant says
planning      which rows make a step, and how they share batches
model         the base model, its adapter, precision and attention
batches       tensors, and the loss of trained tokens alone
audit         what must hold before the first step
training      the loop
checkpoints   saved whole, checked when read
artefact      what came out: adapter or model, its card, and whether it may be loaded
ranks         several processes that train one run
devices       the devices that they train on, one trainer on each
answering     `python -m backends.peft_local.worker.answering`: conversations in, answers out
export        adapters alone or merged into their base, for other servers
"""
