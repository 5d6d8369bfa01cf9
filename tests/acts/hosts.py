#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Asks resolvers and sends first payloads in every way that a library would not; and receives them.

  sink FILE SPEC...               SPEC: tcp:ADDR:PORT, udp:ADDR:PORT; what came, whole, one line each time
  dns HOW SERVER NAME             asks; prints addresses; HOW: see QUERIES
  spellings SERVER NAME           asks for it in 32 ways to write it, and waits for no answer
  types SERVER NAME               the same for 32 types
  three SERVER NAME...            asks for A, AAAA and HTTPS of each; prints how many were answered
  hello NAME, query NAME          that to stdout
  tls HOW ADDR PORT NAME          a ClientHello with NAME; HOW: see SENDS
  http HOW ADDR PORT NAME         a request with NAME in Host
  raw HOW ADDR PORT TEXT          the text itself
  bulk ADDR PORT NAME BYTES       a request, then so many bytes in sends of all sizes; prints their sum
  forge ADDR ANSWER               answers every question for an address with that one
  speak HOW ADDR NAME ANSWER      asks the resolver ADDR, and answers with that address itself; HOW: see SPEAKS,
                                  bound (is it where nobody is), tcp
  group ADDR PORT TEXT            a datagram to a group, by the interface of 192.0.2.10
  keep ADDR PORT NAME FILE TEXT   sends, waits until FILE is there, sends TEXT

Exits 0 when everything was sent (dns: answered), 1 when a call was refused, 77 where the kernel lacks it.
"""
import ctypes
import hashlib
import os
import random
import select
import socket
import ssl
import struct
import sys
import threading
import time

# ---- receiving ----


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


# ---- asking ----


def wire(name):
    return b''.join(bytes([len(l)]) + l for l in name.encode('latin1').split(b'.') if l) + b'\0'


def query(name, qtype=1, flags=0x0100, counts=(1, 0, 0, 0), tail=b'', qclass=1, qid=None):
    qid = random.randrange(65536) if qid is None else qid
    return struct.pack('>HHHHHH', qid, flags, *counts) + wire(name) + \
        struct.pack('>HH', qtype, qclass) + tail


def opt(options):
    return b'\0' + struct.pack('>HHIH', 41, 1232, 0, len(options)) + options


QUERIES = {
    'plain': lambda n: query(n),
    'aaaa': lambda n: query(n, 28),
    'txt': lambda n: query(n, 16),
    'edns': lambda n: query(n, counts=(1, 0, 0, 1), tail=opt(b'')),
    'cookie': lambda n: query(n, counts=(1, 0, 0, 1), tail=opt(struct.pack('>HH', 10, 8) + b'12345678')),
    # What follows is read by nobody, but may be sent on.
    'trailing': lambda n: query('good.test', tail=n.encode()),
    'second': lambda n: query('good.test', counts=(2, 0, 0, 0), tail=wire(n) + b'\0\1\0\1'),
    'subnet': lambda n: query('good.test', counts=(1, 0, 0, 1),
                              tail=opt(struct.pack('>HH', 8, len(n)) + n.encode())),
    'option': lambda n: query('good.test', counts=(1, 0, 0, 1),
                              tail=opt(struct.pack('>HH', 65001, len(n)) + n.encode())),
    'additional': lambda n: query('good.test', counts=(1, 0, 0, 1),
                                  tail=wire(n) + struct.pack('>HHIH', 16, 1, 0, 0)),
    'update': lambda n: query(n, 6, flags=0x2800),
    'chaos': lambda n: query(n, qclass=3),
    # good.test as one label that has a dot in it, below the name
    'dotted': lambda n: struct.pack('>HHHHHH', 7, 0x100, 1, 0, 0, 0) + wire(n)[:-1] +
    b'\x09good.test\0' + b'\0\1\0\1',
    'upper': lambda n: query(n.upper()),
}


def addresses(answer):
    """By the length of each record alone: names are compressed or not."""
    at, n = 12, struct.unpack('>H', answer[6:8])[0]
    while answer[at]:
        at += 1 + answer[at]
    at += 5
    for _ in range(n):
        at += 2 if answer[at] >= 0xc0 else answer[at:].index(0) + 1
        kind, _, _, size = struct.unpack('>HHIH', answer[at:at + 10])
        data = answer[at + 10:at + 10 + size]
        if kind in (1, 28):
            print(socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, data))
        at += 10 + size


def dns(how, server, name):
    family = socket.AF_INET6 if ':' in server else socket.AF_INET
    if how.startswith('tcp'):
        with connecting(server, 53) if 'waiting' in how else connected(server, 53) as s:
            msg = QUERIES['plain'](name)
            data = struct.pack('>H', len(msg)) + msg
            if how == 'tcp-behind':  # one that is allowed in front, in one send
                first = QUERIES['plain']('good.test')
                data = struct.pack('>H', len(first)) + first + data
            if how == 'tcp-bytes':
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for b in data:
                    s.send(bytes([b]))
            elif how == 'tcp-waiting-spliced':
                splice(s, data)
                s.settimeout(5)
            else:
                s.sendall(data)
            size = struct.unpack('>H', s.recv(2, socket.MSG_WAITALL))[0]
            addresses(s.recv(size, socket.MSG_WAITALL))
        return
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(3)
        if how == 'connected':
            s.connect((server, 53))
            s.send(QUERIES['plain'](name))
        elif how == 'segments':  # two datagrams in one call (UDP_SEGMENT)
            # The first of them may be asked.
            a = query('x' * (len(name) - len('.wild.test')) + '.wild.test')
            s.setsockopt(socket.IPPROTO_UDP, 103, len(a))
            s.sendto(a + query(name), (server, 53))
        elif how == 'mixed':
            s.sendto(QUERIES['plain']('good.test'), (server, 53))
            s.sendto(QUERIES['plain'](name), (server, 53))
        elif how == 'corked':
            s.connect((server, 53))
            msg = QUERIES['plain'](name)
            s.send(msg[:5], socket.MSG_MORE)
            s.send(msg[5:])
        else:
            s.sendto(QUERIES[how](name), (server, 53))
        addresses(s.recv(4096))


def ask_all(server, questions):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for q in questions:
            try:
                s.sendto(q, (server, 53))
            except OSError as e:
                print(e)


def spellings(server, name):
    def spelled(n):
        return ''.join(c.upper() if n >> i & 1 else c for i, c in enumerate(name))
    at = name.index('.') + 1
    ask_all(server, [query(spelled(n << at)) for n in range(32)])


def types(server, name):
    ask_all(server, [query(name, qtype) for qtype in range(100, 132)])


def three(server, *names):
    answered = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(2)
        for name in names:
            for qtype in (1, 28, 65):
                try:
                    s.sendto(query(name, qtype), (server, 53))
                    answered += bool(s.recv(4096))
                except OSError as e:
                    print(e)
    print(answered, 'answers')


# ---- sending ----


def hello(name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    out = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name or None)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def records(data, size):
    """The same handshake message in records of that many bytes."""
    body, out = data[5:], b''
    for at in range(0, len(body), size):
        part = body[at:at + size]
        out += data[:3] + struct.pack('>H', len(part)) + part
    return out


def connected(addr, port, proto=0):
    family = socket.AF_INET6 if ':' in addr else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM, proto)
    s.settimeout(5)
    s.connect((addr, port))
    return s


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
    at = 5 + 4 + 2 + 32
    at += 1 + data[at]
    at += 2 + struct.unpack('>H', data[at:at + 2])[0]
    at += 1 + data[at]
    size = struct.unpack('>H', data[at:at + 2])[0]
    body = data[5 + 4:at] + struct.pack('>H', size + len(ext)) + ext + data[at + 2:]
    return data[:3] + struct.pack('>H', len(body) + 4) + b'\1' + struct.pack('>I', len(body))[1:] + body


def two_names(data, name):
    head = struct.pack('>HHHBH', 0, len(name) + 5, len(name) + 3, 0, len(name))
    return extended(data, head + name.encode())


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
        return two_names(hello('good.test'), name), 'all'
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


def forge(addr, answer):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((addr, 53))
        print('forging', flush=True)
        while True:
            msg, who = s.recvfrom(512)
            at = msg.index(0, 12) + 5
            a = msg[at - 4:at - 2] == b'\0\1'
            s.sendto(msg[:2] + b'\x81\x80\0\1' + (b'\0\1' if a else b'\0\0') + bytes(4) + msg[12:at] +
                     (b'\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4' + socket.inet_aton(answer) if a else b''), who)


def answered(msg, answer):
    at = msg.index(0, 12) + 5
    six = ':' in answer
    if (msg[at - 4:at - 2] == b'\0\x1c') != six:
        return msg[:2] + b'\x81\x80\0\1' + bytes(6) + msg[12:at]
    data = socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, answer)
    return msg[:2] + b'\x81\x80\0\1\0\1' + bytes(4) + msg[12:at] + b'\xc0\x0c' + \
        struct.pack('>HHIH', 28 if six else 1, 1, 3600, len(data)) + data


def speaks_from(at, option=None):
    """Sends from port 53 of `at`, by a control message, with a socket that is bound to another address."""
    def speak(resolver, msg, asker):
        six = ':' in resolver
        s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
        if option:
            s.setsockopt(*option, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((at, 53))
        source = socket.inet_pton(s.family, resolver)
        info = source + bytes(4) if six else bytes(4) + source + bytes(4)
        control = (socket.IPPROTO_IPV6, 50, info) if six else (socket.IPPROTO_IP, 8, info)
        for _ in range(3):
            s.sendmsg([msg], [control], 0, ('::1' if six else '127.0.0.1', asker))
    return speak


IP, IP6 = socket.IPPROTO_IP, socket.IPPROTO_IPV6
SPEAKS = {
    'pktinfo': speaks_from('127.0.0.5'),
    'transparent': speaks_from('127.0.0.5', (IP, 19)),
    'freebind': speaks_from('::1', (IP6, 78)),
}


def speak_tcp(resolver, name, answer):
    """Is the resolver over TCP; asks itself."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((resolver, 53))
    listener.listen(4)
    s = socket.socket()
    s.settimeout(3)
    s.connect((resolver, 53))
    conn, _ = listener.accept()
    msg = query(name)
    s.sendall(struct.pack('>H', len(msg)) + msg)
    back = answered(conn.recv(1000)[2:], answer)
    conn.sendall(struct.pack('>H', len(back)) + back)
    addresses(s.recv(1000)[2:])


def speak(how, resolver, name, answer):
    if how == 'tcp':
        return speak_tcp(resolver, name, answer)
    s = socket.socket(socket.AF_INET6 if ':' in resolver else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(2)
    s.bind(('', 0))
    msg = query(name)
    if how == 'bound':  # it is there before it is asked
        first = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        first.bind((resolver, 53))
        s.sendto(msg, (resolver, 53))
        first.recv(1000)
        first.sendto(answered(msg, answer), ('127.0.0.1', s.getsockname()[1]))
    else:
        s.sendto(msg, (resolver, 53))
        SPEAKS[how](resolver, answered(msg, answer), s.getsockname()[1])
    addresses(s.recv(1000))


def group(addr, port, text):
    six = ':' in addr
    s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    if six:
        s.setsockopt(IP6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex('wire0'))
    else:
        s.setsockopt(IP, socket.IP_MULTICAST_IF, socket.inet_aton('192.0.2.10'))
    s.sendto(text.encode(), (addr, int(port)))


def main():
    verb, args = sys.argv[1], sys.argv[2:]
    if verb in ('hello', 'query'):
        sys.stdout.buffer.write({'hello': hello, 'query': query}[verb](args[0]))
        return
    try:
        if verb in ('tls', 'http', 'raw'):
            send(verb, *args)
        else:
            {f.__name__: f for f in (sink, dns, spellings, types, three, bulk, keep, forge, speak,
                                     group)}[verb](*args)
    except OSError as e:
        print(e)
        sys.exit(77 if e.errno in (93, 94, 97) else 1)


main()
