#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Sends as much as it can, in every way; and counts what arrives.

  count FILE SPEC...           SPEC: tcp:ADDR:PORT, udp:ADDR:PORT; bytes of each, written over and over
  lend PATH                    gives whoever connects there a UDP and a TCP socket
  inherit CMD...               runs CMD with a UDP and a TCP socket, as INHERITED and the next
  HOW ADDR PORT BYTES          tries to send so many; HOW: see the functions; never fails
"""
import os
import socket
import sys
import threading
import time

sums = {}


def count(path, *specs):
    def add(spec, n):
        sums[spec] += n
        with open(path + '.new', 'w') as f:
            f.writelines('%s %d\n' % s for s in sums.items())
        os.rename(path + '.new', path)

    lock = threading.Lock()

    def stream(spec, conn):
        while True:
            try:
                data = conn.recv(1 << 20)
            except OSError:
                break
            if not data:
                break
            with lock:
                add(spec, len(data))

    def accepts(spec, sock):
        while True:
            conn, _ = sock.accept()
            threading.Thread(target=stream, args=(spec, conn), daemon=True).start()

    def datagrams(spec, sock):
        while True:
            data = sock.recv(65536)
            with lock:
                add(spec, len(data))

    for spec in specs:
        proto, addr, port = spec.split(':')
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM if proto == 'tcp' else socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
        sock.bind((addr, int(port)))
        sums[spec] = 0
        if proto == 'tcp':
            sock.listen(64)
        threading.Thread(target=accepts if proto == 'tcp' else datagrams, args=(spec, sock),
                         daemon=True).start()
    with lock:
        add(specs[0], 0)
    threading.Event().wait()


def lend(path):
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    os.chmod(path, 0o777)
    server.listen(8)
    while True:
        conn, _ = server.accept()
        socks = [socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)]
        socket.send_fds(conn, [b'x'], [s.fileno() for s in socks])
        conn.recv(1)


INHERITED = 200


def inherit(*cmd):
    socks = [socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)]
    for i, s in enumerate(socks):
        os.dup2(s.fileno(), INHERITED + i)
    os.execvp(cmd[0], cmd)


def connected(to, kind=socket.SOCK_STREAM):
    s = socket.socket(socket.AF_INET, kind)
    s.settimeout(2)
    s.connect(to)
    return s


def tcp(to, n):
    s = connected(to)
    while n > 0:
        n -= s.send(b'x' * min(n, 4000))
    s.shutdown(socket.SHUT_WR)
    s.recv(1)


def again(to, n):
    """A connection for each hundred bytes."""
    for _ in range(n // 100):
        with connected(to) as s:
            s.send(b'x' * 100)


def files(to, n):
    """Without a send: sendfile from a file."""
    s = connected(to)
    fd = os.open('/etc/services', os.O_RDONLY)
    size = os.fstat(fd).st_size
    while n > 0:
        sent = os.sendfile(s.fileno(), fd, 0, min(n, size))
        n -= sent
    s.shutdown(socket.SHUT_WR)
    s.recv(1)


def spliced(to, n):
    s = connected(to)
    r, w = os.pipe()
    while n > 0:
        os.write(w, b'x' * min(n, 4000))
        n -= os.splice(r, s.fileno(), 4000)
    s.shutdown(socket.SHUT_WR)
    s.recv(1)


def many(to, n):
    """Eight processes, each as much."""
    children = []
    for _ in range(8):
        pid = os.fork()
        if not pid:
            try:
                tcp(to, n)
            except OSError:
                pass
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)


def udp(to, n):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for _ in range(n // 1000):
        s.sendto(b'x' * 1000, to)


def udp_connected(to, n):
    s = connected(to, socket.SOCK_DGRAM)
    for _ in range(n // 1000):
        s.send(b'x' * 1000)


def udp_gso(to, n):
    s = connected(to, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_UDP, 103, 1000)  # UDP_SEGMENT
    for _ in range(n // 10000):
        s.send(b'x' * 10000)


def udp_corked(to, n):
    s = connected(to, socket.SOCK_DGRAM)
    for _ in range(n // 10000):
        s.setsockopt(socket.IPPROTO_UDP, 1, 1)  # UDP_CORK
        for _ in range(10):
            s.send(b'x' * 1000)
        s.setsockopt(socket.IPPROTO_UDP, 1, 0)


def elsewhere(to, n):
    """While another thread connects the same socket to where no budget is."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    free = (to[0], 9000)
    end = [False]

    def other():
        while not end[0]:
            s.connect(free)
    t = threading.Thread(target=other)
    t.start()
    try:
        for _ in range(n // 1000):
            try:
                s.sendto(b'x' * 1000, to)
            except OSError:
                pass
    finally:
        end[0] = True
        t.join()


def two_peers(to, n):
    """Connections that a second thread connects to where no budget is at the same time."""
    for _ in range(n // 1000):
        s = socket.socket()
        s.settimeout(2)

        def other(s=s):
            try:
                s.connect((to[0], 9001))
            except OSError:
                pass
        t = threading.Thread(target=other)
        t.start()
        try:
            s.connect(to)
        except OSError:
            pass
        t.join()
        try:
            s.sendall(b'x' * 1000)
        except OSError:
            pass
        s.close()


def handed(which, to):
    """One that was made elsewhere, received by a line that stays open."""
    line = socket.socket(socket.AF_UNIX)
    line.connect(os.environ['LEND'])
    s = socket.socket(fileno=socket.recv_fds(line, 1, 2)[1][which])
    print('ready', flush=True)
    s.settimeout(2)
    s.connect(to)
    return s, line


def udp_handed(to, n):
    s, _line = handed(0, to)
    for _ in range(n // 1000):
        s.send(b'x' * 1000)


def slowly(s, n):
    """A fiftieth each tenth of a second, for longer than anybody watches."""
    for _ in range(200):
        s.sendall(b'x' * (n // 50))
        time.sleep(0.1)


def udp_handed_slowly(to, n):
    s, _line = handed(0, to)
    slowly(s, n)


def tcp_handed(to, n):
    s, _line = handed(1, to)
    s.sendall(b'x' * n)


def tcp_handed_slowly(to, n):
    s, _line = handed(1, to)
    slowly(s, n)


def inherited(which, to):
    """One that was there before its process joined the cgroup."""
    s = socket.socket(fileno=INHERITED + which)
    print('ready', flush=True)
    s.settimeout(2)
    s.connect(to)
    return s


def udp_inherited(to, n):
    s = inherited(0, to)
    for _ in range(n // 1000):
        s.send(b'x' * 1000)


def tcp_inherited(to, n):
    inherited(1, to).sendall(b'x' * n)


def udp_inherited_slowly(to, n):
    slowly(inherited(0, to), n)


def tcp_inherited_slowly(to, n):
    slowly(inherited(1, to), n)


def moved():
    """Until somebody has moved it to the cgroup `elsewhere`."""
    for _ in range(100):
        with open('/proc/self/cgroup') as f:
            if '/elsewhere' in f.read():
                print('ready', flush=True)
                return
        time.sleep(0.1)
    raise TimeoutError


def udp_moved(to, n):
    moved()
    udp(to, n)


def tcp_moved(to, n):
    moved()
    tcp(to, n)


def main():
    if sys.argv[1] == 'count':
        count(*sys.argv[2:])
    if sys.argv[1] == 'lend':
        lend(sys.argv[2])
    if sys.argv[1] == 'inherit':
        inherit(*sys.argv[2:])
    how, addr, port, n = sys.argv[1:]
    try:
        globals()[how]((addr, int(port)), int(n))
    except OSError as e:
        print(e)


main()
