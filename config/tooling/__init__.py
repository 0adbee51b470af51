"""What stands behind `make`: the virtual environment, the checks, the test run. Standard library alone, but
for `translations`.
"""
