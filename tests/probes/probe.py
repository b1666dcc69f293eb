"""One host of a test network: listens, or probes others. Reads one JSON document from standard input.

{"listen": {"tcp": [port, …], "udp": [port, …]}, "protocols": [50, …], "addresses": [address, …]}
    listens on the ports of every address, and for protocols without ports on each of the addresses; says `ready`
{"probe": [[source, target, port, transport], …], "seconds": 0.5}
    prints the indices of what got an answer; a transport is `tcp`, `udp` or one of PROTOCOLS
"""

import errno
import json
import resource
import selectors
import socket
import struct
import sys
import time

BATCH = 700
PROTOCOLS = {"ip-in-ip": 4, "gre": 47, "esp": 50, "ospf": 89, "vrrp": 112}
# Whoever answers does not answer an answer.
QUESTION, ANSWER = b"\0\0\0\0 sitec probe?", b"\0\0\0\0 sitec probe!"
# A timestamp request, which every system answers by itself: type 13, code 0, its checksum, and three zero timestamps.
TIMESTAMP = struct.pack("!BBHHHIII", 13, 0, 0xFFFF - 13 * 256 - 7, 7, 0, 0, 0, 0)


def sock(family, transport):
    kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
    s = socket.socket(family, kind)
    s.setblocking(False)
    return s


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def payload(s, data):
    """What a raw socket has received, without the header that IPv4 leaves in front of it."""
    return data[(data[0] & 15) * 4 :] if s.family == socket.AF_INET else data


def listen(ports, protocols, addresses):
    chosen = selectors.DefaultSelector()
    for number in protocols:
        for address in addresses:
            s = socket.socket(family(address), socket.SOCK_RAW, number)
            s.setblocking(False)
            s.bind((address, 0))
            chosen.register(s, selectors.EVENT_READ, "raw")
    for transport, numbers in ports.items():
        for number in numbers:
            s = sock(socket.AF_INET6, transport)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("::", number))
            if transport == "tcp":
                s.listen(4096)
            chosen.register(s, selectors.EVENT_READ, transport)
    print("ready", flush=True)
    while True:
        for key, _ in chosen.select():
            try:
                if key.data == "udp":
                    data, peer = key.fileobj.recvfrom(64)
                    key.fileobj.sendto(data, peer)
                elif key.data == "raw":
                    data, peer = key.fileobj.recvfrom(256)
                    if payload(key.fileobj, data) == QUESTION:
                        key.fileobj.sendto(ANSWER, peer)
                else:
                    key.fileobj.accept()[0].close()
            except OSError:
                pass


def batch(probes, offset, seconds):
    chosen = selectors.DefaultSelector()
    answered = []
    for i, (source, target, port, transport) in enumerate(probes):
        if transport in PROTOCOLS or transport == "icmp":
            number = PROTOCOLS.get(transport, socket.IPPROTO_ICMP)
            s = socket.socket(family(target), socket.SOCK_RAW, number)
            s.setblocking(False)
        else:
            s = sock(family(target), transport)
        s.bind((source, 0))
        result = s.connect_ex((target, port))
        if result not in (0, errno.EINPROGRESS):
            s.close()
            continue
        if transport != "tcp":
            try:
                s.send({"udp": b"?", "icmp": TIMESTAMP}.get(transport, QUESTION))
            except OSError:
                s.close()
                continue
        event = selectors.EVENT_WRITE if transport == "tcp" else selectors.EVENT_READ
        chosen.register(s, event, (offset + i, transport))
    end = time.monotonic() + seconds
    while chosen.get_map():
        left = end - time.monotonic()
        ready = chosen.select(max(left, 0))
        if not ready and left <= 0:
            break
        for key, _ in ready:
            index, transport = key.data
            s = key.fileobj
            if transport == "tcp":
                good = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
            else:
                try:
                    data = s.recv(256)
                except OSError:
                    data = b""
                if transport == "udp":
                    good = data == b"?"
                else:
                    # A raw socket hears all that comes from that address.
                    data = payload(s, data) if data else b""
                    good = data.startswith(ANSWER) or (transport == "icmp" and data[:1] == b"\x0e")
                    if not good:
                        continue
            if good:
                answered.append(index)
            chosen.unregister(s)
            s.close()
    for key in list(chosen.get_map().values()):
        key.fileobj.close()
    return answered


def main():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    task = json.load(sys.stdin)
    if "listen" in task:
        listen(task["listen"], task["protocols"], task["addresses"])
    probes = task["probe"]
    answered = []
    for start in range(0, len(probes), BATCH):
        answered += batch(probes[start : start + BATCH], start, task["seconds"])
    print(json.dumps(answered))


main()
