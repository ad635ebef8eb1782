"""The cost of a deployment, compared with an API, from the resources that it registers.

Pure Python: nothing here imports Pulumi but `ledger`, and nothing of this project outside `cost`.
"""
