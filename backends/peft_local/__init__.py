"""Training on this machine: LoRA and full fine-tuning in a child process that outlives us, and answers by its result.

backend      what the contract asks, on the parent's side; loads no PyTorch
refusals     all that speaks against a run, found before it starts
models       what lies in a model's folder, read without loading it
rows         rows of a file of examples
defaults     what a run takes where nobody said otherwise, with sources
folder       a run's folder: the only thing parent and worker share
children     processes: started, known again, ended
machine      the processor that a run computes on, by its name
log          a child's output, cut at a length
answering    the parent's side of a process that answers
exporting    what a run left, made ready for other servers
worker/      the process that trains (`python -m backends.peft_local.worker spec.json`), and the one that answers
"""
