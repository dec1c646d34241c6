"""A provider of our own: a real server on a real socket that speaks the OpenAI protocol, for rehearsals without a cent
and for every fault that a provider can have.

    server         HTTP: requests, streams, faults on the way
    routes         which operation does what; `dialects/`: the same for Together and Mistral
    provider       what it does: files, jobs, events, checkpoints, models
    ledger         what it knows, in its folder; its truth survives a restart
    training       where a job stands, and what trains it
    script         trains nothing, and says so
    trained        really trains, with another backend
    checking       what it says of a training file
    requests       what it takes; all else is refused
    specification  every request and answer against OpenAI's own description
    faults         what goes wrong on purpose
    serving        on a free port of this machine, until the context ends

    python -m backends.stand_in --folder FOLDER --port 8124 [--specification FILE] [--train-with peft --base-model DIR]
"""
