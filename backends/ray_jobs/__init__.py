"""Training on a Ray cluster: the worker of this machine (`backends.peft_local.worker`), started through Ray Jobs.

The run's folder lies where both this machine and the cluster see it, under the same path, and says what the worker
says; Ray says whether it lives. Other engines run the same command (see README).

    backend    the contract: the folder is laid, the job submitted, watched, stopped
    cluster    the five calls of Ray's REST interface for jobs
    standing   what a run's folder and Ray say together
"""
