"""`make chaos`: the whole portal under load while everything around it breaks, and then three ledgers compared.

`campaign` starts it and `course` runs it; `driver`, `staff` and `till` do what platforms, staff and cashiers do, and
`promises` keeps what they were told; `faults` and `breaking` break; `ledgers` compares; `table` prints. Nothing leaves
127.0.0.1.
"""
