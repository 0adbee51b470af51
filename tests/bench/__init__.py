"""How long pages take with millions of coupons. Run by hand, no test of pytest's: `python -m tests.bench.millions`."""
