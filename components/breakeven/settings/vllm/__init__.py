"""What the group engine passes on to vLLM: arguments, techniques, the chat template."""
