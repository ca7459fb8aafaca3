"""traffic: clients of every kind for the soak: polite ones whose answers are foretold, slow ones, ones that leave at the wrong
moment, ones that send what is no HTTP, and the usual load generators. None of them minds what it gets, but the polite."""
import asyncio
import contextlib
import os
import random
import shutil
import socket
import struct

TARGETS = ("/echo", "/bytes/2000", "/bytes/200000", "/chunked/5", "/until-close", "/short", "/reset", "/nothing", "/slow/100",
           "/slow/1500", "/stall", "/interim/3", "/bad/0", "/bad/1", "/bad/2", "/bad/3", "/bad/4", "/kept", "/status/404",
           "/status/503", "/delay/50ms", "/drip?bytes=5&every=20ms", "/headers", "/gone/x", "/full/x", "/few/slow/100", "/told/x",
           "/quota/bucket/x", "/quota/window/x", "/quota/sliding/x", "/quota/at-a-time/x", "/one-of/x", "/in-turn/x")
GARBAGE = (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET /\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
           b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"\r\n\r\n\r\n\r\n",
           b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"GET / HTTP/1.1\r\nA: " + b"b" * 70000)
STEP_S = 8  # the longest that one thing may take


def leave(writer, rudely):
    """By a reset, or as connect() does it: by a close."""
    if rudely:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


class Wrong(Exception):
    """A polite client's answer was not what was foretold."""


class Traffic:
    def __init__(self, port, seed):
        self.port = port
        self.random = random.Random(seed)
        self.stopping = False
        self.asked = 0  # by the polite
        self.turned_away = 0  # of these, connections that ended before a byte of an answer
        self.actions = 0
        self.tools = 0

    @contextlib.asynccontextmanager
    async def connect(self, **options):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, **options)
        try:
            yield reader, writer
        finally:
            if not writer.is_closing():
                writer.close()

    def request(self, method="GET", target=None, body=b"", *fields):
        lines = [f"{method} {target or self.random.choice(TARGETS)} HTTP/1.1", "Host: soak", f"X-User: {self.random.randrange(50)}"]
        lines += fields
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    # ---- the polite ----

    async def ask_politely(self, reader, writer):
        n = self.random.choice((0, 1, 10, 1000, 100000))
        letter = self.random.choice("abcxyz")
        writer.write(self.request("GET", f"/polite/{n}/{letter}"))
        if not (head := await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 "):
            raise Wrong(head)
        if f"content-length: {n}\r\n".encode() not in head.lower():
            raise Wrong(head)
        body = await reader.readexactly(n)
        if body != letter.encode() * n:
            raise Wrong(f"{n} bytes {letter}: {body[:100]}")
        self.asked += 1

    async def polite(self):
        """Keeps its connection for a while. That is refused, or ends between two answers, where a rule says so or a file is
        loaded anew: no answer may be cut or changed."""
        while not self.stopping:
            try:
                async with self.connect() as (reader, writer):
                    for _ in range(self.random.randrange(1, 200)):
                        if self.stopping:
                            break
                        await asyncio.wait_for(self.ask_politely(reader, writer), 30)
                        await asyncio.sleep(0.02)
            except asyncio.IncompleteReadError as e:
                if e.partial:
                    raise Wrong(f"cut: {e.partial[:100]}") from e
                self.turned_away += 1
            except ConnectionError:
                self.turned_away += 1

    # ---- all others: one thing each ----

    async def read_on(self, reader, seconds, most=1 << 30):
        """Until it is quiet, or the end."""
        got = 0
        try:
            while got < most and (data := await asyncio.wait_for(reader.read(65536), seconds)):
                got += len(data)
        except (asyncio.TimeoutError, ConnectionError):
            pass

    async def do_ask(self):
        async with self.connect() as (reader, writer):
            for _ in range(self.random.randrange(1, 6)):
                writer.write(self.request(self.random.choice(("GET", "GET", "HEAD", "DELETE", "OPTIONS"))))
                await self.read_on(reader, 0.2)

    async def do_pipeline(self):
        async with self.connect() as (reader, writer):
            for _ in range(self.random.randrange(2, 30)):
                writer.write(self.request())
            await self.read_on(reader, 0.5)
            leave(writer, self.random.random() < 0.3)

    async def do_upload(self):
        async with self.connect() as (reader, writer):
            body = os.urandom(self.random.choice((1, 1000, 200000)))
            target = self.random.choice(("/echo", "/early", "/slow/50"))
            expect = self.random.choice(((), ("Expect: 100-continue",)))
            writer.write(self.request("POST", target, body, *expect))
            await self.read_on(reader, 0.5)

    async def do_upload_chunked(self):
        async with self.connect() as (reader, writer):
            writer.write(self.request("PUT", self.random.choice(("/echo", "/early")), b"", "Transfer-Encoding: chunked"))
            for _ in range(self.random.randrange(1, 10)):
                part = os.urandom(self.random.randrange(1, 20000))
                writer.write(b"%x\r\n" % len(part) + part + b"\r\n")
                await asyncio.sleep(0.01)
            if self.random.random() < 0.8:
                writer.write(b"0\r\nX-T: 1\r\n\r\n")
            await self.read_on(reader, 0.5)
            leave(writer, self.random.random() < 0.2)

    async def do_leave(self):
        """At a moment that is drawn: in the head, in the body, while waiting, in the answer."""
        async with self.connect() as (reader, writer):
            said = self.request("POST", None, b"x" * 5000)
            writer.write(said[:self.random.randrange(1, len(said))] if self.random.random() < 0.5 else said)
            await self.read_on(reader, self.random.random() * 0.2, self.random.randrange(1, 5000))
            leave(writer, self.random.random() < 0.5)

    async def do_slow_head(self):
        async with self.connect() as (reader, writer):
            for byte in self.request():
                writer.write(bytes((byte,)))
                await asyncio.sleep(self.random.choice((0.001, 0.05)))
            await self.read_on(reader, 0.3)

    async def do_slow_read(self):
        async with self.connect(limit=1024) as (reader, writer):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            writer.write(self.request("GET", "/bytes/3000000"))
            for _ in range(self.random.randrange(1, 100)):
                if not await reader.read(2000):
                    break
                await asyncio.sleep(0.02)
            leave(writer, self.random.random() < 0.5)

    async def do_garbage(self):
        async with self.connect() as (reader, writer):
            writer.write(self.random.choice(GARBAGE))
            await self.read_on(reader, 0.3)

    async def do_websocket(self):
        async with self.connect() as (reader, writer):
            writer.write(self.request("GET", "/websocket", b"", "Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
            for _ in range(self.random.randrange(1, 20)):
                writer.write(os.urandom(500))
                await self.read_on(reader, 0.05, 500)
            leave(writer, self.random.random() < 0.3)

    async def do_idle(self):
        async with self.connect() as (_, writer):
            await asyncio.sleep(self.random.random() * 4)

    async def do_storm(self):
        """Comes and goes."""
        for _ in range(50):
            async with self.connect() as (_, writer):
                leave(writer, self.random.random() < 0.5)

    async def do_control(self):
        """Asks for its own fault."""
        async with self.connect() as (reader, writer):
            field = self.random.choice(("X-Brownout-Abort: 503", "X-Brownout-Delay: 50ms", "X-Brownout-Rule: half"))
            writer.write(self.request("GET", "/echo", b"", field))
            await self.read_on(reader, 0.3)

    async def any_of(self, actions, pause_s):
        while not self.stopping:
            try:
                await asyncio.wait_for(self.random.choice(actions)(), STEP_S)
            except (ConnectionError, OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
                pass
            self.actions += 1
            await asyncio.sleep(self.random.random() * pause_s)

    # ---- tools ----

    async def run_tool(self, *command):
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
        try:
            await asyncio.wait_for(process.wait(), 60)
        except (asyncio.TimeoutError, asyncio.CancelledError):
            process.kill()
            await process.wait()
        self.tools += 1

    async def load_tools(self, pause_s):
        url = f"http://127.0.0.1:{self.port}"
        commands = [("wrk", "-t1", "-c16", "-d2", url + "/echo"),
                    ("wrk", "-t1", "-c4", "-d1", url + "/bytes/100000"),
                    ("h2load", "--h1", "-n500", "-c8", url + "/polite/1000/a"),
                    ("curl", "-s", "-m5", url + "/echo"),
                    ("curl", "-s", "-m5", "-T", "/dev/zero", "--limit-rate", "200k", url + "/echo"),
                    ("curl", "-s", "-m5", "--http1.0", url + "/chunked/5"),
                    ("curl", "-s", "-m5", "-r", "10-20", url + "/bytes/2000")]
        commands = [c for c in commands if shutil.which(c[0])]
        while not self.stopping and commands:
            await self.run_tool(*self.random.choice(commands))
            await asyncio.sleep(self.random.random() * pause_s)

    def tasks(self, clients, pause_s):
        actions = [getattr(self, name) for name in dir(self) if name.startswith("do_")]
        tasks = [asyncio.create_task(self.polite()) for _ in range(3)]
        tasks += [asyncio.create_task(self.any_of(actions, pause_s)) for _ in range(clients)]
        return tasks + [asyncio.create_task(self.load_tools(10 * pause_s))]
