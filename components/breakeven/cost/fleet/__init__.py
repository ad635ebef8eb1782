"""How replicas and nodes follow the load: the plan and the simulated week."""
