"""brownout: one run of the program under test with a rule file of its own, for the tests that are written in Python.
BROWNOUT_BIN is the program, BROWNOUT_SOURCE the top of the tree.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

PATIENCE_S = 20
BINARY = os.environ["BROWNOUT_BIN"]
SOURCE = os.environ["BROWNOUT_SOURCE"]
REPORTS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "Assertion `")


def needs(tool):
    return unittest.skipUnless(shutil.which(tool), f"{tool} is not installed")


def wait_until(holds, what):
    """Returns what holds() gives, once it is true."""
    until = time.monotonic() + PATIENCE_S
    while not (given := holds()):
        if time.monotonic() > until:
            raise AssertionError(f"never: {what}")
        time.sleep(0.02)
    return given


class Brownout:
    """The program with one rule file; a context. admin: what the file says there, or None."""

    def __init__(self, yaml, admin=None):
        self.dir = tempfile.TemporaryDirectory(prefix="brownout-interop-")
        self.rules = os.path.join(self.dir.name, "rules.yaml")
        self.log = os.path.join(self.dir.name, "access.log")
        self.admin = admin
        self.write(yaml)

    def write(self, yaml):
        with open(self.rules, "w", encoding="utf-8") as f:
            f.write("" if yaml.startswith("listeners:") else "listen: 127.0.0.1:0\n")
            f.write(f"log: {{access: '{self.log}', format: json}}\n")
            f.write(f"admin: {self.admin}\n" if self.admin else "")
            f.write(yaml)

    def __enter__(self):
        self.process = subprocess.Popen([BINARY, "run", self.rules], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.said = b""
        self.port = int(self.read_until(rb"listening on https?://127\.0\.0\.1:(\d+)\n"))
        self.url = f"http://127.0.0.1:{self.port}"
        if self.admin:
            self.admin_port = int(self.read_until(rb"dashboard on http://127\.0\.0\.1:(\d+)/\n"))
            self.admin_url = f"http://127.0.0.1:{self.admin_port}"
        return self

    def read_until(self, pattern):
        while not (found := re.search(pattern, self.said)):
            line = self.process.stderr.readline()
            if not line:
                raise AssertionError(f"did not start: {self.said.decode()}")
            self.said += line
        return found.group(1)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            rest = self.process.communicate(timeout=PATIENCE_S)[1]
        finally:
            self.process.kill()
        self.said += rest
        return self.said.decode()

    def __exit__(self, kind, value, traceback):
        said = self.stop() if self.process.returncode is None else self.said.decode()
        self.records = self.read_log()
        self.dir.cleanup()
        if kind is None:
            assert self.process.returncode == 0, f"exit code {self.process.returncode}\n{said}"
            for mark in REPORTS:
                assert mark not in said, said

    def read_log(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def wait_log(self, n):
        until = time.monotonic() + PATIENCE_S
        while len(self.read_log()) < n and time.monotonic() < until:
            time.sleep(0.02)
        return self.read_log()
