"""django-oscar's side of `tests.bench.comparing`: run by a Python of its own, which has its packages and not ours."""
