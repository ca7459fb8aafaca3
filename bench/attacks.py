"""Who attacks a subject while others are served: clients that take no answers, that say nothing, that come and go, that ask without
a pause. They run in a process of their own, on the load generator's core, and only when nobody else wants it.
"""

import argparse
import contextlib
import errno
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

READY = "ready"
LARGE = b"GET /bytes/10485760 HTTP/1.1\r\nHost: a\r\n\r\n"
SMALL = b"GET /bytes/1024 HTTP/1.1\r\nHost: a\r\n\r\n"
HALF = b"GET /bytes/1024 HTTP/1.1\r\nHost: a\r\nX-A: "
CLOSING = b"GET /bytes/1024 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
RESET = struct.pack("ii", 1, 0)
# More than a subject keeps connections to the upstream.
SWEEPS = 200
SWEEP_S = 10


def connect(port):
    s = socket.socket()
    s.connect(("127.0.0.1", port))
    s.setblocking(False)
    return s


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    s.close()


def sweep(port):
    """
    The upstream ends with each run. Where the attack has used up the kernel's memory for TCP, the end of a connection is not told at
    once, and a subject cannot know that one it has kept is dead. Requests that nobody counts find that out.
    """
    until = time.monotonic() + SWEEP_S
    for _ in range(SWEEPS):
        if time.monotonic() > until:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as s:
            s.sendall(CLOSING)
            while s.recv(65536):
                pass


class Crowd:
    """So many connections; whoever is turned away comes back."""

    def __init__(self, port, count, said, every_s=0.0):
        self.port = port
        self.count = count
        self.said = said
        self.every_s = every_s
        self.members = []

    def fill(self):
        while len(self.members) < self.count:
            s = connect(self.port)
            if self.said:
                s.send(self.said)
            self.members.append(s)

    def is_there(self, s):
        """Nothing is read but to see whether the other side has ended."""
        try:
            if self.every_s:
                s.send(b"x")
            return s.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def turn(self):
        self.fill()
        for s in [s for s in self.members if not self.is_there(s)]:
            self.members.remove(s)
            s.close()
        time.sleep(self.every_s or 0.2)


class SlowReaders(Crowd):
    """Each asks for 10 MiB and takes nothing. A short answer means that there was no upstream yet: once more."""

    def is_there(self, s):
        try:
            head = s.recv(64, socket.MSG_PEEK)
            return head.split(b" ", 2)[1:2] == [b"200"]
        except BlockingIOError:
            return True
        except OSError:
            return False


class Pipeline(Crowd):
    """Asks again and again without waiting, and throws away what comes."""

    def turn(self):
        self.fill()
        readable, writable, _ = select.select(self.members, self.members, [], 0.2)
        for s in {*readable, *writable}:
            try:
                with contextlib.suppress(BlockingIOError):
                    s.send(SMALL * 100)
                for _ in range(16):
                    if not s.recv(1 << 20):
                        raise ConnectionError
            except BlockingIOError:
                pass
            except OSError:
                self.members.remove(s)
                s.close()


class Storm(Crowd):
    """Comes, says something, and is gone: 1,000 times a second at most."""

    def turn(self):
        until = time.monotonic() + 0.05
        for number in range(50):
            with contextlib.suppress(OSError):
                s = connect(self.port)
                s.send(self.said)
                (reset if number % 2 else socket.socket.close)(s)
        time.sleep(max(0.0, until - time.monotonic()))


ATTACKS = {
    "slow-readers": lambda port: SlowReaders(port, 200, LARGE),
    "silent": lambda port: Crowd(port, 10_000, b""),
    "slow-heads": lambda port: Crowd(port, 2_000, HALF, every_s=1.0),
    "pipeline": lambda port: Pipeline(port, 4, SMALL),
    "storm": lambda port: Storm(port, 0, SMALL),
}


class Attack:
    """One attack on one instance, to be started and ended around each run of the load generator."""

    def __init__(self, name, instance):
        self.name = name
        self.instance = instance

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    @contextlib.contextmanager
    def running(self):
        def prepare():
            os.sched_setaffinity(0, self.instance.place.load)
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))

        command = [sys.executable, os.path.abspath(__file__), self.name, str(self.instance.port)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=prepare) as process:
            try:
                if process.stdout.readline().strip() != READY:
                    raise OSError(f"the attack {self.name} does not begin")
                sweep(self.instance.port)
                yield
            finally:
                process.kill()


def on(name):
    return lambda instance: Attack(name, instance)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("attack", choices=ATTACKS)
    parser.add_argument("port", type=int)
    arguments = parser.parse_args()
    attack = ATTACKS[arguments.attack](arguments.port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    attack.fill()
    print(READY, flush=True)
    while True:
        try:
            attack.turn()
        except OSError as error:
            if error.errno not in (errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE, errno.EAGAIN):
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    main()
