#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Asks resolvers in every way that a library would not, and answers in their place.

  ask HOW SERVER NAME             asks; prints addresses; HOW: see QUERIES
  spellings SERVER NAME           asks for it in 32 ways to write it, and waits for no answer
  types SERVER NAME               the same for 32 types
  three SERVER NAME...            asks for A, AAAA and HTTPS of each; prints how many were answered
  show NAME                       a question to stdout
  forge ADDR ANSWER               answers every question for an address with that one
  speak HOW ADDR NAME ANSWER      asks the resolver ADDR, and answers with that address itself; HOW: see SPEAKS,
                                  bound (is it where nobody is), tcp
  group ADDR PORT TEXT            a datagram to a group, by the interface of 192.0.2.10

Exits as common.run() does.
"""
import os
import socket
import struct
import sys

from common import connected, connecting, run, splice

IP, IP6 = socket.IPPROTO_IP, socket.IPPROTO_IPV6


def wire(name):
    return b''.join(bytes([len(l)]) + l for l in name.encode('latin1').split(b'.') if l) + b'\0'


def query(name, qtype=1, flags=0x0100, counts=(1, 0, 0, 0), tail=b'', qclass=1, qid=None):
    qid = int.from_bytes(os.urandom(2), 'big') if qid is None else qid
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


def ask(how, server, name):
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


def show(name):
    sys.stdout.buffer.write(query(name))


run({f.__name__: f for f in (ask, spellings, types, three, show, forge, speak, group)})
