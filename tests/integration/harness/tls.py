"""tls: certificates (openssl makes them), and upstreams that may speak TLS (Python's ssl), for the tests that are written in Python."""
import os
import socket
import subprocess
import threading
import time

from harness.brownout import PATIENCE_S

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True, timeout=60)


class Authority:
    """A CA in a folder, and what it has signed: FOLDER/NAME.pem, FOLDER/NAME.key."""

    def __init__(self, folder, name="ca"):
        self.folder, self.name = folder, name
        openssl("req", "-x509", *self.new_key(name), "-out", self.file(f"{name}.pem"), "-days", "2", "-subj", f"/CN={name}")

    def file(self, name):
        return os.path.join(self.folder, name)

    def new_key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self.file(f"{name}.key"))

    def sign(self, name, names, days="2"):
        with open(self.file("names"), "w", encoding="ascii") as f:
            f.write(f"subjectAltName={names}\n")
        openssl("req", *self.new_key(name), "-out", self.file("request"), "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", self.file("request"), "-CA", self.file(f"{self.name}.pem"), "-CAkey",
                self.file(f"{self.name}.key"), "-set_serial", str(time.monotonic_ns()), "-days", days, "-extfile",
                self.file("names"), "-out", self.file(f"{name}.pem"))


def read_request(s):
    """Head and body of one request; (None, b"") at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(65536)
        if not more:
            return None, b""
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += s.recv(65536)
    return head, body


def answer_all(answer):
    def serve(s):
        while (request := read_request(s))[0] is not None:
            s.sendall(answer(*request))
    return serve


class Upstream:
    """Listens; each connection is handed to serve(socket), protected already. context: None for one that speaks no TLS."""

    def __init__(self, context, serve):
        self.context, self.serve = context, serve
        self.n_connections = 0
        self.names = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        if context:
            context.sni_callback = lambda s, name, c: self.names.append(name)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s = self.listener.accept()[0]
            except OSError:
                return
            self.n_connections += 1
            threading.Thread(target=self.run, args=(s,), daemon=True).start()

    def run(self, s):
        s.settimeout(PATIENCE_S)
        try:
            if self.context:
                s = self.context.wrap_socket(s, server_side=True)
            self.serve(s)
        except OSError:
            pass
        finally:
            s.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
