"""The main loop of a small emulator, with nothing but Python's standard library: the binary frames of
proto/southbridge/v1 by hand, over a WebSocket by hand.

    python3 examples/emulator_loop.py http://127.0.0.1:8080
"""

import base64
import os
import socket
import struct
import sys
from urllib.parse import urlparse

HPET = 0xFED00000
IOAPIC = 0xFEC00000
VECTOR = 0x41
PIN = 3
TICKS = 5


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, value):
    """A field of wire type varint; 0 is left out."""
    return varint(number << 3) + varint(value) if value else b""


def fixed32(number, value):
    return varint(number << 3 | 5) + struct.pack("<I", value) if value else b""


def delimited(number, body):
    return varint(number << 3 | 2) + varint(len(body)) + body


def fields(message):
    """(number, value) of each field: an int, or bytes of a delimited one."""
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = number()
        kind = tag & 7
        if kind == 0:
            yield tag >> 3, number()
        elif kind == 5:
            yield tag >> 3, struct.unpack_from("<I", message, at)[0]
            at += 4
        elif kind == 2:
            length = number()
            yield tag >> 3, message[at : at + length]
            at += length
        else:
            raise ValueError(f"wire type {kind}")


class WebSocket:
    """As much of RFC 6455 as a client of binary messages needs."""

    def __init__(self, url, path, subprotocol):
        address = urlparse(url)
        self.socket = socket.create_connection((address.hostname, address.port or 80))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            (
                f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
            ).encode()
        )
        status = self.stream.readline().decode()
        while self.stream.readline().strip():
            pass
        if " 101 " not in status:
            raise ConnectionError(status.strip())

    def send(self, payload, opcode=2):
        mask = os.urandom(4)
        length = len(payload)
        if length < 126:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | length)
        else:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, length)
        self.socket.sendall(head + mask + bytes(byte ^ mask[i & 3] for i, byte in enumerate(payload)))

    def receive(self):
        while True:
            first, length = struct.unpack("!BB", self.stream.read(2))
            if length == 126:
                (length,) = struct.unpack("!H", self.stream.read(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self.stream.read(8))
            payload = self.stream.read(length)
            opcode = first & 0xF
            if opcode == 9:
                self.send(payload, 10)
            elif opcode == 8:
                raise ConnectionError(payload[2:].decode())
            elif opcode == 2:
                return payload


class Vcpu:
    def __init__(self, url, machine, number):
        self.socket = WebSocket(url, f"/v1/machines/{machine}/vcpus/{number}", "southbridge.v1.proto")
        self.id = 0
        self.interrupts = []
        self.receive()  # hello

    def receive(self):
        """One ServerMessage: its field number and the fields of its body. Interrupts are put aside."""
        ((number, body),) = fields(self.socket.receive())
        body = list(fields(body))
        if number == 4:
            message = dict(fields(dict(body)[2]))
            self.interrupts.append(message.get(1, 0))
        return number, body

    def request(self, number, body):
        self.id += 1
        self.socket.send(delimited(number, field(1, self.id) + body))
        while True:
            kind, reply = self.receive()
            reply = dict(reply)
            if kind == 3:
                raise RuntimeError(reply[3].decode())
            if kind == 2 and reply.get(1, 0) == self.id:
                return reply

    def read(self, address, size):
        reply = self.request(2, field(2, size) + fixed32(3, address))
        return reply.get(4, 0) << 32 | reply.get(3, 0)

    def write(self, address, size, value):
        self.request(3, field(2, size) + fixed32(3, address) + fixed32(5, value & 0xFFFFFFFF) + fixed32(6, value >> 32))

    def halt(self):
        """Waits for an interrupt: its vector."""
        while not self.interrupts:
            self.receive()
        return self.interrupts.pop(0)


def main():
    vcpu = Vcpu(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080", "default", 1)
    # Redirection entry 3: edge, fixed, to APIC 1.
    vcpu.write(IOAPIC, 4, 0x11 + 2 * PIN)
    vcpu.write(IOAPIC + 0x10, 4, 1 << 24)
    vcpu.write(IOAPIC, 4, 0x10 + 2 * PIN)
    vcpu.write(IOAPIC + 0x10, 4, VECTOR)
    vcpu.write(HPET + 0x010, 8, 1)
    # A device of the emulator itself pulses its line, and the IOAPIC sends the interrupt back.
    for tick in range(1, TICKS + 1):
        for level in (1, 0):
            vcpu.request(8, field(2, PIN) + field(3, level))
        print(f"tick {tick}: vector {vcpu.halt():#x}, main counter {vcpu.read(HPET + 0x0F0, 8)}")


main()
