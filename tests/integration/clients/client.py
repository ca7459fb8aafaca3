#!/usr/bin/python3
"""client.py REHEARSAL good|bad: a client for each file of config/rehearsals, once as it should be and once as it is too often.

Standard library alone. The proxy is in BROWNOUT_URL, as for any command of `brownout run -- COMMAND`. It always ends with 0:
what is to be judged is what it sends, not what it makes of it.
"""
import http.client
import os
import random
import sys
import threading
import time
import urllib.parse
import uuid

RETRIED = (429, 502, 503, 504)


class Client:
    """attempts: at most; pause(k): seconds before retry k, from 1; waits: keeps Retry-After; keys: of idempotency."""

    def __init__(self, attempts, pause, waits, timeout, keys):
        self.address = urllib.parse.urlsplit(os.environ["BROWNOUT_URL"]).netloc
        self.attempts, self.pause, self.waits, self.timeout, self.keys = attempts, pause, waits, timeout, keys

    def once(self, method, path, body, headers):
        """The status and the seconds to wait; 0 where the connection broke or took too long."""
        connection = http.client.HTTPConnection(self.address, timeout=self.timeout)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status, float(answer.getheader("Retry-After", 0))
        except (OSError, http.client.HTTPException):
            return 0, 0
        finally:
            connection.close()

    def request(self, method, path, body=None):
        headers = {"Idempotency-Key": str(uuid.uuid4())} if self.keys and method == "POST" else {}
        for attempt in range(1, self.attempts + 1):
            status, told = self.once(method, path, body, headers)
            if status and status not in RETRIED:
                break
            if attempt < self.attempts:
                time.sleep(told if self.waits and told else self.pause(attempt))
        return status


def growing(first):
    """Twice as long each time, and never quite the same."""
    return lambda attempt: first * 2 ** (attempt - 1) * random.uniform(0.75, 1.5)


def constant(seconds):
    return lambda attempt: seconds


def good(attempts=4, timeout=10):
    return Client(attempts, growing(0.15), waits=True, timeout=timeout, keys=True)


def bad(attempts=4, timeout=None, pause=0.06):
    return Client(attempts, constant(pause), waits=False, timeout=timeout, keys=False)


def each(client, n, path):
    for i in range(n):
        client.request("GET", path + str(i))


def all_at_once(client, n, path):
    threads = [threading.Thread(target=client.request, args=("GET", path + str(i))) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def report_and_order(client):
    client.request("GET", "/reports/today")
    client.request("POST", "/orders", b'{"item": 7}')


REHEARSALS = {
    "lost-answer": (lambda: good().request("POST", "/charge", b"amount=1"),
                    lambda: bad().request("POST", "/charge", b"amount=1")),
    "rate-limit": (lambda: each(good(), 12, "/api/"), lambda: each(bad(), 12, "/api/")),
    "retry-storm": (lambda: all_at_once(good(attempts=3), 20, "/api/"),
                    lambda: all_at_once(bad(attempts=5, pause=0.3), 20, "/api/")),
    "maintenance-window": (lambda: each(good(), 14, "/"), lambda: each(bad(), 14, "/")),
    "slow-upstream-deadline": (lambda: good(attempts=2, timeout=0.5).request("GET", "/search"),
                               lambda: bad(attempts=2).request("GET", "/search")),
    "gateway-timeout": (lambda: report_and_order(good()), lambda: report_and_order(bad(timeout=0.3))),
}

if __name__ == "__main__":
    REHEARSALS[sys.argv[1]][("good", "bad").index(sys.argv[2])]()
