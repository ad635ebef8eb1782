"""How the verdict changes with the inputs."""
