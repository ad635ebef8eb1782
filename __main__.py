"""Entry point of the Pulumi program."""

from components.collector import collector_off

with collector_off():
    import pulumi

    from components.stack import main

pulumi.run(main)
