"""upstream: a server that answers as its path says, well or badly, for the soak. It knows what it has been asked for, no more."""
import asyncio
import hashlib
import socket
import struct

BLOCK = b"0123456789abcdef" * 4096


def reset(writer):
    """Ends the connection with a reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def head(status, *fields):
    return b"\r\n".join([b"HTTP/1.1 " + status, *fields, b"", b""])


def whole(body, *fields, status=b"200 OK"):
    return head(status, b"Content-Length: %d" % len(body), *fields) + body


async def read_chunked(reader):
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    while (await reader.readline()) not in (b"\r\n", b""):
        pass
    return body


def length_of(text, fallback):
    return int(text) if text.isdigit() else fallback


class Upstream:
    """One connection at a time goes through serve()."""

    async def read_request(self, reader):
        """Target, fields and body; None at the end of the connection."""
        line = await reader.readline()
        if not line:
            return None
        fields = {}
        while (field := await reader.readline()) not in (b"\r\n", b""):
            name, _, value = field.partition(b":")
            fields[name.strip().lower()] = value.strip()
        target = line.split(b" ")[1].decode("latin-1")
        if target.startswith("/early"):
            return target, fields, b""
        if b"transfer-encoding" in fields:
            return target, fields, await read_chunked(reader)
        return target, fields, await reader.readexactly(int(fields.get(b"content-length", b"0")))

    async def serve(self, reader, writer):
        try:
            while request := await self.read_request(reader):
                if not await self.answer(reader, writer, *request):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError, ValueError, IndexError):
            pass
        finally:
            writer.close()

    async def answer(self, reader, writer, target, fields, body):
        """True where the connection may be used again."""
        parts = target.partition("?")[0].strip("/").split("/")
        act = getattr(self, "on_" + parts[0].replace("-", "_"), self.on_echo)
        keep = await act(reader, writer, parts[1:], fields, body)
        await writer.drain()
        return keep

    async def on_echo(self, reader, writer, rest, fields, body):
        writer.write(whole(hashlib.sha256(body).hexdigest().encode(), b"Content-Type: text/plain"))
        return True

    async def on_polite(self, reader, writer, rest, fields, body):
        """What the client can foretell: so many bytes, all the same letter."""
        letter = rest[1].encode()[:1] if len(rest) > 1 else b"x"
        writer.write(whole(letter * length_of(rest[0], 10)))
        return True

    async def on_bytes(self, reader, writer, rest, fields, body):
        left = length_of(rest[0], 1000)
        writer.write(head(b"200 OK", b"Content-Length: %d" % left))
        while left:
            n = min(left, len(BLOCK))
            writer.write(BLOCK[:n])
            await writer.drain()
            left -= n
        return True

    async def on_chunked(self, reader, writer, rest, fields, body):
        writer.write(head(b"200 OK", b"Transfer-Encoding: chunked", b"Trailer: X-Sum"))
        for i in range(length_of(rest[0], 5)):
            writer.write(b"%x;n=%d\r\n" % (100 + i, i) + BLOCK[:100 + i] + b"\r\n")
            await asyncio.sleep(0.002)
        writer.write(b"0\r\nX-Sum: 1\r\n\r\n")
        return True

    async def on_until_close(self, reader, writer, rest, fields, body):
        writer.write(head(b"200 OK", b"Connection: close") + BLOCK[:5000])
        return False

    async def on_short(self, reader, writer, rest, fields, body):
        writer.write(head(b"200 OK", b"Content-Length: 4000") + BLOCK[:2000])
        return False

    async def on_reset(self, reader, writer, rest, fields, body):
        writer.write(head(b"200 OK", b"Content-Length: 4000") + BLOCK[:2000])
        await writer.drain()
        reset(writer)
        return False

    async def on_nothing(self, reader, writer, rest, fields, body):
        return False

    async def on_slow(self, reader, writer, rest, fields, body):
        await asyncio.sleep(length_of(rest[0], 300) / 1000)
        writer.write(whole(b"slow"))
        return True

    async def on_stall(self, reader, writer, rest, fields, body):
        writer.write(head(b"200 OK", b"Content-Length: 4000") + BLOCK[:2000])
        await writer.drain()
        await asyncio.sleep(3)
        return False

    async def on_interim(self, reader, writer, rest, fields, body):
        for _ in range(length_of(rest[0], 3)):
            writer.write(head(b"103 Early Hints", b"Link: </a>"))
        writer.write(whole(b"at last"))
        return True

    async def on_bad(self, reader, writer, rest, fields, body):
        writer.write([b"HTTP/1.1 2x0 OK\r\n\r\n", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nA\x00: b\r\n\r\n",
                      b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"HTTP/1.1 600 No\r\n\r\n"]
                     [length_of(rest[0], 0) % 5])
        return False

    async def on_early(self, reader, writer, rest, fields, body):
        """Answers while the body is still to come, and does not read it."""
        writer.write(whole(b"enough", b"Connection: close", status=b"413 Content Too Large"))
        return False

    async def on_kept(self, reader, writer, rest, fields, body):
        """Says that the connection is kept, and closes it soon."""
        writer.write(whole(b"kept"))
        await writer.drain()
        await asyncio.sleep(0.05)
        return False

    async def on_websocket(self, reader, writer, rest, fields, body):
        """Whatever comes in after the switch goes back, until the other side ends."""
        writer.write(head(b"101 Switching Protocols", b"Connection: upgrade", b"Upgrade: websocket"))
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        return False


async def start():
    """Its port, once it listens."""
    server = await asyncio.start_server(Upstream().serve, "127.0.0.1", 0, backlog=1024)
    return server, server.sockets[0].getsockname()[1]


class Full:
    """A port whose queue is full: who connects waits for ever."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.filling = []
        for _ in range(3):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", self.port))
            self.filling.append(s)
