#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Receives, and tells what came: whole, one line each time.

  sink.py FILE SPEC...            SPEC: tcp:ADDR:PORT, udp:ADDR:PORT
"""
import hashlib
import socket
import struct
import sys
import threading


def sink(path, *specs):
    out = open(path, 'ab', buffering=0)

    def tell(spec, data):
        out.write(spec.encode() + b' ' + repr(data).encode() + b'\n')

    def stream(spec, conn):
        whole = b''
        while True:
            try:
                data = conn.recv(65536)
            except OSError:
                data = b''
            if not data:
                break
            whole += data
            if len(whole) < 65536:
                tell(spec, whole)
        if whole:
            tell(spec + ' end', hashlib.sha256(whole).hexdigest() if len(whole) >= 65536 else whole)
        conn.close()

    def accepts(spec, sock):
        while True:
            conn, _ = sock.accept()
            threading.Thread(target=stream, args=(spec, conn), daemon=True).start()

    def datagrams(spec, sock):
        while True:
            tell(spec, sock.recv(65536))

    for spec in specs:
        kind, rest = spec.split(':', 1)
        addr, port = rest.rsplit(':', 1)
        family = socket.AF_INET6 if ':' in addr else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if kind == 'tcp':
            sock.setsockopt(socket.IPPROTO_TCP, 23, 16)  # TCP_FASTOPEN
        sock.bind(('::' if addr.startswith('ff02:') else addr, int(port)))
        if kind == 'tcp':
            sock.listen(64)
        elif addr.startswith('ff02:'):
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                            socket.inet_pton(family, addr) +
                            struct.pack('@I', socket.if_nametoindex('wire0')))
        elif addr.startswith('224.'):
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                            socket.inet_aton(addr) + socket.inet_aton('192.0.2.10'))
        threading.Thread(target=accepts if kind == 'tcp' else datagrams, args=(spec, sock),
                         daemon=True).start()
    tell('ready', b'')
    threading.Event().wait()


sink(*sys.argv[1:])
