"""The week in steps of the autoscaler's polling: requests, replicas, nodes, queueing.

`demand` draws the requests, `autoscaler` and `nodes` are the rules, `simulation` runs them.
"""
