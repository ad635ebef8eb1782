"""Entry point of the Pulumi program."""

import pulumi

from components.stack import main

pulumi.run(main)
