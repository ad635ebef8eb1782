"""From settings and catalog to the inputs of cost; the only place that knows both."""
