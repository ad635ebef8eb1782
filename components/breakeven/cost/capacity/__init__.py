"""What one replica serves: memory, roofline, measurements."""
