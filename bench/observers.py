"""Who watches brownout while it is measured: by the control API on a unix socket, as the dashboard does."""

import contextlib
import http.client
import json
import os
import socket
import threading

from measure import BenchError

SOCKET = "admin"
FIRST_BYTES_S = 5


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=30):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Totals:
    """What brownout says of itself: how many exchanges there were, and how many records of them nobody could take."""

    def __init__(self, instance):
        self.instance = instance
        self.path = os.path.join(instance.folder, SOCKET)

    def __enter__(self):
        self.before = self.ask()
        return self

    def __exit__(self, *_):
        pass

    def ask(self):
        with contextlib.closing(UnixConnection(self.path)) as connection:
            connection.request("GET", "/v1/totals")
            answer = connection.getresponse()
            if answer.status != 200:
                raise BenchError(f"/v1/totals: {answer.status}")
            return json.load(answer)

    def news(self):
        """Since it was asked last."""
        before, self.before = self.before, self.ask()
        seen = self.before["requests"] - before["requests"]
        return {"seen": seen, "lost": self.before["log_dropped"] - before["log_dropped"]}


class Dashboard(Totals):
    """And one that reads the events all the time."""

    def __enter__(self):
        self.stream = UnixConnection(self.path, FIRST_BYTES_S)
        self.stream.request("GET", "/v1/events")
        self.socket = self.stream.sock  # which the answer takes over
        self.answer = self.stream.getresponse()
        if self.answer.status != 200:
            raise BenchError(f"/v1/events: {self.answer.status}")
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.bytes = 0
        self.reader.start()
        return super().__enter__()

    def read(self):
        if self.instance.place.load:
            os.sched_setaffinity(0, self.instance.place.load)
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            while got := self.answer.read1(65536):
                self.bytes += len(got)

    def news(self):
        if not self.reader.is_alive() or not self.bytes:
            raise BenchError("the stream of events has ended")
        self.bytes = 0
        return super().news()

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.reader.join()
        self.answer.close()
