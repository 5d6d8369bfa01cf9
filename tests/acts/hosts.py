#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Sends first payloads in every way that a library would not.

  tls HOW ADDR PORT NAME          a ClientHello with NAME; HOW: see SENDS
  http HOW ADDR PORT NAME         a request with NAME in Host
  raw HOW ADDR PORT TEXT          the text itself
  hello NAME                      a ClientHello to stdout
  template                        one of OpenSSL's, from which the others are made: in the file $HELLO
  bulk ADDR PORT NAME BYTES       a request, then so many bytes in sends of all sizes; prints their sum
  keep ADDR PORT NAME FILE TEXT   sends, waits until FILE is there, sends TEXT

Exits as common.run() does. Every send is a process, and an emulated one begins slowly: what few need is
imported where they do.
"""
import functools
import os
import socket
import struct
import sys
import time

from common import connected, connecting, run, splice


TEMPLATE = 'template.test'


def template():
    import ssl
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    out = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=TEMPLATE)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    sys.stdout.buffer.write(out.read())


def with_extensions(data, change):
    """The ClientHello with its extensions changed."""
    at = 5 + 4 + 2 + 32
    at += 1 + data[at]
    at += 2 + struct.unpack('>H', data[at:at + 2])[0]
    at += 1 + data[at]
    extensions = change(data[at + 2:])
    body = data[5 + 4:at] + struct.pack('>H', len(extensions)) + extensions
    return data[:3] + struct.pack('>H', len(body) + 4) + b'\1' + struct.pack('>I', len(body))[1:] + body


def server_name(name):
    name = name.encode()
    return struct.pack('>HHHBH', 0, len(name) + 5, len(name) + 3, 0, len(name)) + name


def hello(name):
    with open(os.environ['HELLO'], 'rb') as f:
        made = f.read()
    return with_extensions(made, lambda extensions: extensions.replace(
        server_name(TEMPLATE), server_name(name) if name else b''))


def records(data, size):
    """The same handshake message in records of that many bytes."""
    body, out = data[5:], b''
    for at in range(0, len(body), size):
        part = body[at:at + size]
        out += data[:3] + struct.pack('>H', len(part)) + part
    return out


def send_fast_open(addr, port, data):
    s = socket.socket()
    s.sendto(data, 0x20000000, (addr, port))  # MSG_FASTOPEN
    return s


def send_fast_open_connect(addr, port, data):
    s = socket.socket()
    s.settimeout(5)
    s.setsockopt(socket.IPPROTO_TCP, 30, 1)  # TCP_FASTOPEN_CONNECT
    s.connect((addr, port))
    s.sendall(data)
    return s


def send_waiting(addr, port, data):
    s = connecting(addr, port)
    s.sendall(data)
    return s


def send_waiting_spliced(addr, port, data):
    s = connecting(addr, port)
    splice(s, data)
    return s


def send_waiting_before(addr, port, data):
    """The same by another thread, while this one says an allowed name as soon as it can."""
    import select
    import threading
    s = connecting(addr, port)
    refused = []

    def waits():
        try:
            splice(s, data)
        except OSError as e:
            refused.append(e)

    other = threading.Thread(target=waits, daemon=True)
    other.start()
    select.select([], [s], [], 5)
    time.sleep(0.1)
    s.sendall(hello('good.test'))
    other.join()
    if refused:
        raise refused[0]
    return s


def send_bytes(addr, port, data, size=1):
    s = connected(addr, port)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(0, len(data), size):
        s.send(data[at:at + size])
    return s


def send_all(addr, port, data):
    s = connected(addr, port)
    s.sendall(data)
    return s


def send_mptcp(addr, port, data):
    s = connected(addr, port, 262)
    s.sendall(data)
    return s


def send_file(addr, port, data):
    s = connected(addr, port)
    r, w = os.pipe()
    os.write(w, data)
    os.close(w)
    if hasattr(os, 'splice'):
        os.splice(r, s.fileno(), len(data))
    else:
        fd = os.memfd_create('x')
        os.write(fd, data)
        os.sendfile(s.fileno(), fd, 0, len(data))
    return s


def send_datagram(addr, port, data):
    s = socket.socket(socket.AF_INET6 if ':' in addr else socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(data, (addr, port))
    return s


def send_datagram_connected(addr, port, data):
    s = socket.socket(socket.AF_INET6 if ':' in addr else socket.AF_INET, socket.SOCK_DGRAM)
    s.connect((addr, port))
    s.send(data)
    return s


def connects(s, addr, port):
    try:
        s.connect((addr, port))
    except OSError:
        return False
    return True


def ends_with(s, data):
    try:
        s.sendall(data)
    except OSError:
        pass
    s.close()


def while_running(racer, race):
    """race(), with racer() at the same time."""
    import threading
    t = threading.Thread(target=racer)
    t.start()
    race()
    t.join()


def send_urgent(addr, port, data):
    s = connected(addr, port)
    s.send(data, socket.MSG_OOB)
    return s


def send_anew(addr, port, data):
    """Connects one socket to the same peer again while it is being taken off it: connect(2) may be asked
    about while the first connection, which said its name, still stands."""
    import ctypes
    for _ in range(300):
        s = socket.socket()
        s.settimeout(2)
        s.connect((addr, port))
        s.sendall(hello('good.test') + b'\x17\3\3\0\1x')

        def again(s=s):
            for _ in range(3):
                if connects(s, addr, port):
                    break
        unspec = b'\0' * 16
        while_running(again, lambda: ctypes.CDLL(None).connect(s.fileno(), unspec, 16))
        ends_with(s, data)
    return None


def send_twice(addr, port, data):
    """Connects one socket to two peers at a time, again and again: one is always allowed."""
    for _ in range(400):
        s = socket.socket()
        s.settimeout(2)
        while_running(lambda: connects(s, '192.0.2.20', 80), lambda: connects(s, addr, port))
        ends_with(s, data)
    return None


def send_ktls(addr, port, data):
    """Behind a ClientHello, a handshake record that the kernel makes: what is sent is not what is written."""
    s = connected(addr, port)
    s.sendall(data)
    s.setsockopt(socket.IPPROTO_TCP, 31, b'tls')  # TCP_ULP
    # TLS_TX: TLS 1.2, AES-GCM-128, then iv, key, salt, rec_seq
    s.setsockopt(282, 1, struct.pack('<HH', 0x303, 51) + bytes(8) + bytes(16) + bytes(4) + bytes(8))
    # TLS_SET_RECORD_TYPE: handshake
    s.sendmsg([b'\x17\3\3\0\x20' + bytes(32)], [(282, 1, b'\x16')])
    return s


SENDS = {
    'ktls': send_ktls,
    'all': send_all,
    'bytes': send_bytes,
    'tens': lambda a, p, d: send_bytes(a, p, d, 10),
    'file': send_file,
    'fast-open': send_fast_open,
    'fast-open-connect': send_fast_open_connect,
    'waiting': send_waiting,
    'waiting-spliced': send_waiting_spliced,
    'waiting-before': send_waiting_before,
    'mptcp': send_mptcp,
    'udp': send_datagram,
    'udp-connected': send_datagram_connected,
    'urgent': send_urgent,
    'twice': send_twice,
    'anew': send_anew,
}


def extended(data, ext):
    """The ClientHello with an extension in front of all others."""
    return with_extensions(data, lambda extensions: ext + extensions)


def encrypted(data, text):
    """With an encrypted ClientHello in it (RFC 9849 5): outer, HKDF-SHA256, AES-128-GCM, a key of the text."""
    inner = struct.pack('>BHHBH', 0, 1, 1, 7, len(text)) + text.encode() + struct.pack('>H', 64) + bytes(64)
    return extended(data, struct.pack('>HH', 0xfe0d, len(inner)) + inner)


# What stands behind good.test: a server may take it for another name.
ODD = {'nul': b'\0.evil.test', 'utf8': 'ü.evil.test'.encode(), 'dot': b'.evil.test.',
       'late-nul': b'.evil.test\0'}


def payload(kind, how, name):
    """What is sent, and how."""
    if kind == 'raw':
        return name.encode(), how
    if kind == 'http':
        head = 'GET / HTTP/1.1\r\nHost: %s\r\n'
        if how == 'absolute':
            return ('GET http://%s/ HTTP/1.1\r\nHost: good.test\r\n\r\n' % name).encode(), 'all'
        if how == 'two-hosts':
            return ((head + 'Host: %s\r\n\r\n') % ('good.test', name)).encode(), 'all'
        if how == 'folded':
            return (head % 'good.test' + 'X: a\r\n Host: %s\r\n\r\n' % name).encode(), 'all'
        if how == 'no-host':
            return ('GET /%s HTTP/1.0\r\n\r\n' % name).encode(), 'all'
        if how.startswith('odd-'):
            return b'GET / HTTP/1.1\r\nHost: good.test' + ODD[how[4:]] + b'\r\nX: ' + name.encode() + \
                b'\r\n\r\n', 'all'
        if how == 'preface':
            return b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + name.encode(), 'all'
        return (head % name + '\r\n').encode(), how
    if how.startswith('odd-'):
        new = b'good.test' + ODD[how[4:]]
        return hello('x' * len(new)).replace(b'x' * len(new), new) + name.encode(), 'all'
    if how.startswith('ech-'):
        return encrypted(hello(how[4:]), name), 'all'
    if how == 'no-name':
        return hello('') + name.encode(), 'all'
    if how == 'two-names':
        return extended(hello('good.test'), server_name(name)), 'all'
    if how == 'records':
        return records(hello(name), 100), 'all'
    if how == 'one-byte-records':
        return records(hello(name), 1), 'all'
    if how == 'again':
        return hello('good.test') + hello(name), 'all'
    if how == 'again-behind':  # what a server skips
        return hello('good.test') + b'\x14\3\3\0\1\1' + b'\x15\3\3\0\2\1\x5a' + hello(name), 'all'
    if how == 'again-bytes':
        return hello('good.test') + hello(name), 'bytes'
    if how == 'alert-first':
        return b'\x15\3\1\0\2\1\0' + hello(name), 'all'
    return hello(name), how


def send(kind, how, addr, port, name):
    data, how = payload(kind, how, name)
    s = SENDS[how](addr, int(port), data)
    if s is not None and s.type == socket.SOCK_STREAM:
        s.shutdown(socket.SHUT_WR)
        s.settimeout(1)
        try:
            s.recv(1)
        except OSError:
            pass


def bulk(addr, port, name, size):
    import hashlib
    import random
    s = connected(addr, int(port))
    head = ('POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %s\r\n\r\n' % (name, size)).encode()
    body = random.randbytes(int(size))
    whole = head + body
    random.seed(5)
    at = 0
    while at < len(whole):
        n = random.choice((1, 7, 100, 1460, 20000, 200000))
        s.sendall(whole[at:at + n])
        at += n
    s.shutdown(socket.SHUT_WR)
    s.settimeout(10)
    s.recv(1)
    print(hashlib.sha256(whole).hexdigest())


def keep(addr, port, name, path, text):
    s = connected(addr, int(port))
    s.sendall(hello(name))
    print('sent', flush=True)
    while not os.path.exists(path):
        time.sleep(0.05)
    s.sendall(b'\x17\3\3' + struct.pack('>H', len(text)) + text.encode())
    s.shutdown(socket.SHUT_WR)
    s.settimeout(3)
    s.recv(1)


run({'bulk': bulk, 'keep': keep, 'template': template, 'hello': lambda name: sys.stdout.buffer.write(hello(name)),
     **{kind: functools.partial(send, kind) for kind in ('tls', 'http', 'raw')}})
