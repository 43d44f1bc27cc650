"""Measures pm beside floors in C and beside other managers. `Benchmarks/run --help` says how."""
