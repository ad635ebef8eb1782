"""Facts with source and date, and what reads them: models, GPUs, machine types, prices."""
