#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What those that ask and those that send have in common."""
import os
import socket
import sys


def connected(addr, port, proto=0):
    family = socket.AF_INET6 if ':' in addr else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM, proto)
    s.settimeout(5)
    s.connect((addr, port))
    return s


def connecting(addr, port):
    """A connection that is still being made; what waits for it does so inside the kernel."""
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex((addr, port))
    with open('/proc/net/tcp') as table:  # SYN_SENT
        mine = ':%04X ' % s.getsockname()[1]
        if not any(line.split()[1].endswith(mine[:-1]) and line.split()[3] == '02' for line in table):
            sys.exit('it stands already')
    s.setblocking(True)
    return s


def splice(s, data):
    r, w = os.pipe()
    os.write(w, data)
    os.splice(r, s.fileno(), len(data))


def run(verbs):
    """Exits 0 when all was done, 1 when a call was refused, 77 where the kernel lacks it."""
    try:
        verbs[sys.argv[1]](*sys.argv[2:])
    except OSError as e:
        print(e)
        sys.exit(77 if e.errno in (93, 94, 97) else 1)
