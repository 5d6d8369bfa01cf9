#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A resolver that answers over TCP in every way that the stream allows, and who asks it.

  serve ADDR NAME=ANSWER          the first label of a name says how it is answered, see HOWS; texts answer NAME
  services ADDR NAME...           asks for the services of all names (HTTPS), which have a hint each
  ask ADDR NAME...                asks for all names over one connection; prints how many answers came
  inside ADDR NAME FORGED         asks for the text of NAME, and for FORGED, which that text answers
"""
import socket
import struct
import sys
import threading
import time

FORGED_ID = 0x7777


def wire(name):
    return b''.join(bytes([len(part)]) + part.encode() for part in name.split('.')) + b'\0'


def message(qid, flags, name, qtype, records=b'', n=0):
    whole = struct.pack('>HHHHHH', qid, flags, 1, n, 0, 0) + wire(name) + \
        struct.pack('>HH', qtype, 1) + records
    return struct.pack('>H', len(whole)) + whole


def record(qtype, data):
    return b'\xc0\x0c' + struct.pack('>HHIH', qtype, 1, 3600, len(data)) + data


def answer(qid, name, *addresses):
    return message(qid, 0x8180, name, 1, b''.join(record(1, socket.inet_aton(a)) for a in addresses),
                   len(addresses))


def pieces(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)]


def inside(qid, name, text):
    """Text that is an answer of its own, from where the second segment begins: in a message of usual size, in
    one that is longer than any that is read (huge), with a whole message in front (after)."""
    forged, address = text.split('=')
    forged = answer(FORGED_ID, forged, address)
    how = name.split('.')[0]
    data = b'\x0a0123456789' * (500 if how == 'huge' else 1) + bytes([len(forged)]) + forged
    whole = message(qid, 0x8180, name, 16, record(16, data), 1)
    front = answer(qid, 'whole.wild.test', ADDRESSES['whole']) if how == 'after' else b''
    return [front + whole[:-len(forged)], forged]


# How an answer with one address is written: a list of segments.
HOWS = {
    'whole': lambda qid, name, a: [answer(qid, name, a)],
    'prefix': lambda qid, name, a: pieces(answer(qid, name, a)[:2], 2) + [answer(qid, name, a)[2:]],
    'bytes': lambda qid, name, a: pieces(answer(qid, name, a), 1),
    'long': lambda qid, name, a: pieces(
        answer(qid, name, *('203.0.113.%d' % i for i in range(200)), a), 1000),
}
# Addresses that stand in a service's record alone.
HINTS = {'hinted': '192.0.2.76', 'inward': '10.9.9.9'}


def service(qid, name, address):
    data = struct.pack('>HBHH', 1, 0, 4, 4) + socket.inet_aton(address)
    return message(qid, 0x8180, name, 65, record(65, data), 1)


ADDRESSES = {'whole': '192.0.2.70', 'prefix': '192.0.2.71', 'bytes': '192.0.2.72', 'long': '192.0.2.73',
             'two': '192.0.2.74'}


def question(data):
    qid, = struct.unpack('>H', data[:2])
    labels, at = [], 12
    while data[at]:
        labels.append(data[at + 1:at + 1 + data[at]].decode())
        at += 1 + data[at]
    return qid, labels, struct.unpack('>H', data[at + 1:at + 3])[0]


def exactly(conn, n):
    data = b''
    while len(data) < n:
        more = conn.recv(n - len(data))
        if not more:
            return b''
        data += more
    return data


def receive(conn):
    head = exactly(conn, 2)
    return exactly(conn, struct.unpack('>H', head)[0]) if head else b''


def talk(conn, text):
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    held = b''
    while True:
        data = receive(conn)
        if not data:
            return
        qid, labels, qtype = question(data)
        name, how = '.'.join(labels), labels[0]
        if qtype == 16:
            segments = inside(qid, name, text)
        elif qtype == 65:
            segments = [service(qid, name, HINTS[how])]
        elif how == 'hold':     # goes with the next answer, in one segment
            held = answer(qid, name, ADDRESSES['whole'])
            continue
        elif how == 'two':
            segments = [held + answer(qid, name, ADDRESSES['two'])]
        elif how in HOWS:
            segments = HOWS[how](qid, name, ADDRESSES[how])
        else:                   # it is answered by the text of another
            continue
        for part in segments:
            conn.send(part)
            time.sleep(0.01)


def serve(addr, text):
    listener = socket.create_server((addr, 53))
    print('ready', flush=True)
    while True:
        threading.Thread(target=talk, args=(listener.accept()[0], text), daemon=True).start()


def asks(addr, questions, answers):
    with socket.create_connection((addr, 53), timeout=5) as conn:
        for each in questions:
            conn.sendall(each)
        print(sum(bool(receive(conn)) for _ in range(answers)))


def main():
    verb, addr, args = sys.argv[1], sys.argv[2], sys.argv[3:]
    if verb == 'serve':
        serve(addr, args[0])
    elif verb == 'ask':
        asks(addr, [message(i + 1, 0x100, name, 1) for i, name in enumerate(args)], len(args))
    elif verb == 'services':
        asks(addr, [message(i + 1, 0x100, name, 65) for i, name in enumerate(args)], len(args))
    else:
        asks(addr, [message(1, 0x100, args[0], 16), message(FORGED_ID, 0x100, args[1], 1)],
             1 + args[0].startswith('after.'))


main()
