"""The cheapest configuration that serves the traffic within its constraints."""
