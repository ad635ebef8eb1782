"""The signed archive of a bundle: written, opened, and checked byte by byte."""
