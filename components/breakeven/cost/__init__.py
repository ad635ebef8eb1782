"""The cost of a deployment, beside what the API would cost, from what was really registered.

Pure Python: nothing here imports Pulumi but `ledger`, and nothing of this project outside `cost`.
"""
