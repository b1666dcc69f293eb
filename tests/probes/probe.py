"""One host of a test network: listens, or probes others. Reads one JSON document from standard input.

{"listen": {"tcp": [port, …], "udp": [port, …]}}          listens on every address; says `ready` when it does
{"probe": [[source, target, port, "tcp" | "udp"], …], "seconds": 0.5}   prints the indices of what got an answer
"""

import errno
import json
import resource
import selectors
import socket
import sys
import time

BATCH = 700


def sock(family, transport):
    kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
    s = socket.socket(family, kind)
    s.setblocking(False)
    return s


def listen(ports):
    chosen = selectors.DefaultSelector()
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
                else:
                    key.fileobj.accept()[0].close()
            except OSError:
                pass


def batch(probes, offset, seconds):
    chosen = selectors.DefaultSelector()
    answered = []
    for i, (source, target, port, transport) in enumerate(probes):
        s = sock(socket.AF_INET6 if ":" in target else socket.AF_INET, transport)
        s.bind((source, 0))
        result = s.connect_ex((target, port))
        if result not in (0, errno.EINPROGRESS):
            s.close()
            continue
        if transport == "udp":
            try:
                s.send(b"?")
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
                    good = s.recv(64) == b"?"
                except OSError:
                    good = False
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
        listen(task["listen"])
    probes = task["probe"]
    answered = []
    for start in range(0, len(probes), BATCH):
        answered += batch(probes[start : start + BATCH], start, task["seconds"])
    print(json.dumps(answered))


main()
