"""The cost of a deployment, compared with an API, from the resources that it registers.

Pure Python: it imports the catalog, traffic and the foundations, and never Pulumi.
"""
