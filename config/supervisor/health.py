"""Whether the parts that listen answer yet."""

import http.client

OVERALL_SECONDS = 90.0


def answers(port: int, path: str, *, host: str = "127.0.0.1", seconds: float = 2.0) -> bool:
    """Whether a GET there is answered without a server error."""
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        return connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
