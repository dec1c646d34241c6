"""A provider of our own: a real server on a real socket that speaks the OpenAI protocol, for rehearsals without a cent
and for every fault that a provider can have.

    server         HTTP: routes, forms, faults on the way
    provider       what it does: files, jobs, events, checkpoints, models
    ledger         what it knows, in its folder; its truth survives a restart
    training       where a job's losses come from: a script that says so, or a backend that really trains
    requests       what it takes; all else is refused
    specification  every request and answer against OpenAI's own description
    faults         what goes wrong on purpose
    serving        on a free port of this machine, until the context ends

    python -m backends.stand_in --folder FOLDER --port 8124 [--specification FILE] [--train-with peft --base-model DIR]
"""
