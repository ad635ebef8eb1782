"""The process that plans what the Pulumi program registers, and estimates what it costs."""
