"""A question to a server that may never answer: whoever asks gets away in time, and threads do not pile up."""

import threading
from collections.abc import Iterator

import pytest

from config.bounded import Question


class Server:
    """Answers once it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.lets = threading.Event()

    def ask(self) -> int:
        """How often it was asked."""
        self.asked += 1
        assert self.lets.wait(10)
        return self.asked


@pytest.fixture
def server() -> Iterator[Server]:
    """One that says nothing yet."""
    made = Server()
    yield made
    made.lets.set()


def test_all_who_ask_a_silent_server_share_one_thread(server: Server) -> None:
    question = Question(server.ask, keep_seconds=0)
    for _ in range(20):
        with pytest.raises(TimeoutError):
            question.begin().result(0.01)
    assert server.asked == 1
    server.lets.set()
    assert question.begin().result(5) >= 1


def test_an_answer_is_kept_for_a_moment_and_not_for_longer(server: Server) -> None:
    server.lets.set()
    kept, fresh = Question(server.ask, keep_seconds=60), Question(server.ask, keep_seconds=0)
    assert [kept.begin().result(5) for _ in range(3)] == [1, 1, 1]
    assert [fresh.begin().result(5) for _ in range(2)] == [2, 3]


def test_whoever_asks_gets_the_error_that_asking_brought() -> None:
    def broken() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Question(broken, keep_seconds=0).begin().result(5)
