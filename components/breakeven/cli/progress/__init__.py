"""What a terminal shows while a command works: a bar of bytes, or the seconds that passed."""
