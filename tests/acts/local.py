#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Both ends of connections and datagrams inside one machine.

  serve [GO] SPEC...      receives there, answers with the same, tells on stdout; `cannot SPEC` where it may
                          not. SPEC: KIND:ADDR:PORT[,OPTION...]; KIND: see serve(); GO: a file that starts
                          the second half of what has one
  send WORD SPEC...       WORD-N to each in turn; KIND: see SENDS
  own PORT SPEC...        a listener and its client in one process; SPEC: KIND:ADDR>ADDR, a megabyte there
                          and back for bulk, else a word; tells which of them arrive whole
  turned WORD PORT GO     clients of an own server that goes away; they send after somebody else took its port
  race WORD KIND OWN PORT one socket, connected at a time to an own listener and to 127.0.0.1:PORT
  give PATH PORT          gives to everybody who connects there a UDP and a TCP socket, and a connection
  given WORD PATH PORT    sends over each of those
  lands PORT              asks for any port until that is the one, and tells what comes there
  hand PATH PORT          gives to everybody who connects there and says a KIND the socket; see HANDS
  take PATH KIND          takes it, and tells what comes by it
  listen HOW PORT         HOW: bound, unbound (the kernel's port, by listen alone), any (the same, by bind), udp;
                          tells the port, and what comes
  flap PORT               opens and closes a listener, again and again
  storm WORD PORT         connects to it all the time

Nothing here is an error but what is unexpected: what counts is what is received.
"""
import ctypes
import hashlib
import os
import socket
import struct
import sys
import threading
import time

GROUP, GROUP_AT = '239.1.2.3', '192.0.2.1'
MPTCP = 262
UNSPEC = b'\0' * 16


def tell(*what):
    os.write(1, (' '.join(str(w) for w in what) + '\n').encode())


def begins(work, *args):
    t = threading.Thread(target=work, args=args, daemon=True)
    t.start()
    return t


def made(kind, addr):
    family = socket.AF_INET6 if ':' in addr else socket.AF_INET
    if kind.startswith('udp'):
        return socket.socket(family, socket.SOCK_DGRAM)
    return socket.socket(family, socket.SOCK_STREAM, MPTCP if kind == 'mptcp' else 0)


def tried(call, *args):
    try:
        call(*args)
    except OSError as e:
        return e
    return None


def dissolve(s):
    ctypes.CDLL(None).connect(s.fileno(), UNSPEC, 16)


def spec_of(text):
    kind, rest = text.split(':', 1)
    addr, port = rest.rsplit(':', 1)
    return kind, addr, int(port)


# ---- receiving ----


def stream(name, conn):
    conn.settimeout(10)
    try:
        while data := conn.recv(65536):
            if name:
                tell(name, data)
            conn.sendall(data)
    except OSError:
        pass
    conn.close()


def accepts(name, sock):
    while True:
        try:
            conn, _ = sock.accept()
        except OSError:
            return
        begins(stream, name, conn)


def datagrams(name, sock):
    while True:
        try:
            data, peer = sock.recvfrom(65536)
        except OSError:
            continue
        if not data:
            return
        if name:
            tell(name, data)
        if not data.startswith(b'shout'):  # it would come back
            tried(sock.sendto, data, peer)


def options(s, given):
    for o in given:
        if o == 'reuseport':
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        elif o == 'reuseaddr':
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        elif o in ('lo', 'vrf0'):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, o.encode())
        elif o == 'join':
            s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                         socket.inet_aton(GROUP) + socket.inet_aton(GROUP_AT))


def gone_on(go):
    while not os.path.exists(go):
        time.sleep(0.05)


# From whom a wildcard claims what is sent: one client, or whoever is at an address.
AT = {'0.0.0.0': '127.0.0.1', '::': '::ffff:127.0.0.1'}
CLAIMS = {'udp-claim-host': (GROUP_AT, 0)}


def listens(kind, addr, port, given):
    s = made(kind, addr)
    options(s, given)
    s.bind((addr, port))
    if not kind.startswith('udp') and kind != 'late':
        tried(s.setsockopt, socket.IPPROTO_TCP, 23, 16)  # TCP_FASTOPEN
        s.listen(64)
    return s


def second_half(go, kind, name, s, port):
    """late: listens only then. udp-turned: was connected until then, to a server of its own. udp-shout:
    sends to everybody then."""
    if kind == 'udp-turned':
        peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        peer.bind(('127.0.0.1', port + 500))
        s.connect(('127.0.0.1', port + 500))
    tell('half', name)
    gone_on(go)
    if kind == 'late':
        if e := tried(s.listen, 64):
            tell('cannot', name, e)
        else:
            accepts(name, s)
    elif kind == 'udp-turned':
        dissolve(s)
        datagrams(name, s)
    else:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        tell('shout', tried(s.sendto, b'shout-%d.' % port, ('127.255.255.255', port)))


def serve(*specs):
    go = ''
    if specs[0].startswith('/'):
        go, specs = specs[0], specs[1:]
    for spec in specs:
        text, *given = spec.split(',')
        kind, addr, port = spec_of(text)
        try:
            s = listens(kind, addr, port, given)
            if kind.startswith('udp-claim'):  # the client that is to come
                s.connect(CLAIMS.get(kind, (AT.get(addr), port + 1000)))
        except OSError as e:
            tell('cannot', spec, e)
            continue
        if kind in ('late', 'udp-turned', 'udp-shout'):
            begins(second_half, go, kind, spec, s, port)
        else:
            begins(datagrams if kind.startswith('udp') else accepts, spec, s)
    time.sleep(0.2)
    tell('ready')
    threading.Event().wait()


# ---- sending ----


def send_tcp(addr, port, data, kind='tcp'):
    s = made(kind, addr)
    s.settimeout(1)
    s.connect((addr, port))
    s.sendall(data)
    s.recv(100)


def send_fast(addr, port, data):
    s = made('tcp', addr)
    for timeout in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
        s.setsockopt(socket.SOL_SOCKET, timeout, struct.pack('ll', 1, 0))
    s.sendto(data, 0x20000000, (addr, port))  # MSG_FASTOPEN
    s.recv(100)


def send_udp(addr, port, data):
    s = made('udp', addr)
    s.sendto(data, (addr, port))


def send_connected(addr, port, data):
    s = made('udp', addr)
    s.connect((addr, port))
    s.send(data)


def send_in_vrf(kind, addr, port, data):
    s = made(kind, addr)
    s.settimeout(1)
    options(s, ['vrf0'])
    s.connect((addr, port))
    s.sendall(data)
    time.sleep(0.2)


def send_group(addr, port, data):
    s = made('udp', addr)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(GROUP_AT))
    s.sendto(data, (addr, port))


def send_from(addr, port, data):
    """Always from the same port."""
    s = made('udp', addr)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('127.0.0.1', port + 1000))
    s.sendto(data, (addr, port))


def many(kind, addr, port, data):
    for _ in range(16):
        SENDS[kind](addr, port, data)


SENDS = {
    'tcp': send_tcp,
    'mptcp': lambda a, p, d: send_tcp(a, p, d, 'mptcp'),
    'fast': send_fast,
    'udp': send_udp,
    'udpc': send_connected,
    'group': send_group,
    'from': send_from,
    'vrf-tcp': lambda a, p, d: send_in_vrf('tcp', a, p, d),
    'vrf-udp': lambda a, p, d: send_in_vrf('udp', a, p, d),
    'tcp*': lambda a, p, d: many('tcp', a, p, d),
    'udp*': lambda a, p, d: many('udp', a, p, d),
}


def send(word, *specs):
    for n, spec in enumerate(specs):
        kind, addr, port = spec_of(spec)
        tell(n, spec, tried(SENDS[kind], addr, port, b'%s-%d.' % (word.encode(), n)))
    time.sleep(0.3)


# ---- one's own ----


def own_stream(kind, at, to, port):
    listener = listens(kind, at, port, ['reuseaddr'])
    begins(accepts, '', listener)
    s = socket.create_connection((to, port), 5) if to == 'localhost' else made('tcp', to)
    s.settimeout(10)
    if to != 'localhost':
        s.connect((to, port))
    whole, back = os.urandom(1 << 20 if kind == 'bulk' else 20), hashlib.sha256()
    begins(lambda: (s.sendall(whole), s.shutdown(socket.SHUT_WR)))
    while data := s.recv(65536):
        back.update(data)
    return back.digest() == hashlib.sha256(whole).digest()


def own_datagram(kind, at, to, port):
    begins(datagrams, '', listens('udp', at, port, []))
    s = made('udp', to)
    s.settimeout(5)
    word = os.urandom(20)
    if kind == 'udpc':
        s.connect((to, port))
        s.send(word)
    else:
        s.sendto(word, (to, port))
    return s.recv(100) == word


def own_workers(kind, at, to, port):
    first = listens(kind[3:], at, port, ['reuseport'])
    second = listens(kind[3:], at, port, ['reuseport'])
    got = set()
    for name, s in ((1, first), (2, second)):
        def takes(s=s, name=name):
            while True:
                s.accept() if kind == 'twotcp' else s.recv(100)
                got.add(name)
        begins(takes)
    for _ in range(64):
        SENDS['udp'](to, port, b'x') if kind == 'twoudp' else made('tcp', to).connect((to, port))
    time.sleep(0.5)
    return got == {1, 2}


def own(port, *specs):
    for n, spec in enumerate(specs):
        kind, rest = spec.split(':', 1)
        at, to = rest.split('>')
        work = own_workers if kind[:3] == 'two' else own_datagram if kind[:3] == 'udp' else own_stream
        try:
            tell(n, 'whole' if work(kind, at, to, int(port) + n) else 'not as it was sent')
        except OSError as e:
            tell(n, e)


# ---- peers that change ----


def turned(word, port, go):
    port, word = int(port), word.encode()
    server = listens('udp', '127.0.0.1', port, [])
    begins(datagrams, '', server)
    listener = listens('tcp', '127.0.0.1', port, ['reuseaddr'])
    begins(accepts, '', listener)
    fresh, old = made('udp', ''), made('udp', '')
    old.settimeout(5)
    old.connect(('127.0.0.1', port))
    old.send(b'mine')
    old.recv(10)
    again = made('tcp', '')
    again.settimeout(2)
    again.connect(('127.0.0.1', port))
    again.sendall(b'mine')
    again.recv(10)
    again.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    dissolve(again)
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    tried(fresh.sendto, b'', ('127.0.0.1', port))  # ends its thread
    time.sleep(0.3)
    server.close()
    tell('closed')
    gone_on(go)
    for _ in range(2):
        tell('udp', tried(old.send, b'%s-0.' % word))
    tell('tcp', tried(again.connect, ('127.0.0.1', port)), tried(again.sendall, b'%s-1.' % word))
    tell('fast', tried(send_fast, '127.0.0.1', port, b'%s-2.' % word))
    time.sleep(0.5)


def race(word, kind, own_port, port):
    mine, theirs = ('127.0.0.1', int(own_port)), ('127.0.0.1', int(port))
    begins(accepts if kind == 'tcp' else datagrams, '', listens(kind, *mine, []))
    for n in range(150):
        s = made(kind, '')
        s.settimeout(1)
        t = [begins(tried, s.connect, to) for to in ((mine, theirs) if n % 2 else (theirs, mine))]
        if kind == 'udp':
            t.append(begins(tried, s.send, b'%s-0.' % word.encode()))
        for one in t:
            one.join()
        tried(s.sendall, b'%s-0.' % word.encode())
        s.close()
    time.sleep(0.5)


def asked(path):
    """Who connects there, one after another."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    os.chmod(path, 0o777)
    server.listen(8)
    tell('ready')
    while True:
        yield server.accept()[0]


def give(path, port):
    for conn in asked(path):
        socks = [made('udp', ''), made('tcp', ''), made('tcp', '')]
        socks[2].connect(('127.0.0.1', int(port)))
        for s in socks:
            socket.send_fds(conn, [b'x'], [s.fileno()])
        conn.recv(1)


def given(word, path, port):
    giver, to = socket.socket(socket.AF_UNIX), ('127.0.0.1', int(port))
    giver.connect(path)
    for n in range(3):
        fds = socket.recv_fds(giver, 1, 1)[1]
        if not fds:
            tell(n, 'not given')
            continue
        s, data = socket.socket(fileno=fds[0]), b'%s-%d.' % (word.encode(), n)
        if n < 2:
            tell(n, tried(s.connect, to))
        tell(n, tried(s.sendall, data))
    time.sleep(0.3)


def lands(port):
    port, until = int(port), time.monotonic() + 30
    while time.monotonic() < until:
        s = made('udp', '')
        options(s, ['reuseaddr'])
        # IP_LOCAL_PORT_RANGE, since 6.3
        tried(s.setsockopt, socket.IPPROTO_IP, 51, struct.pack('HH', port, port))
        s.bind(('127.0.0.1', 0))
        if s.getsockname()[1] == port:
            tell('landed')
            datagrams('lands', s)
        s.close()
    tell('not landed')


# ---- sockets that change hands, before and after they have a port ----


def bound_there(kind, port):
    s = made(kind, '')
    options(s, ['reuseaddr'])
    s.bind(('127.0.0.1', port))
    return s


def listen(how, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if how == 'udp' else socket.SOCK_STREAM)
    s.settimeout(15)
    if how != 'unbound':
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(('127.0.0.1', 0 if how == 'any' else int(port)))
    if how != 'udp':
        s.listen(4)
    tell('listens', s.getsockname()[1])
    tell(s.recv(100) if how == 'udp' else s.accept()[0].recv(100))


def hand_connected(port):
    s = bound_there('udp', port)
    s.connect(('127.0.0.1', 9))
    return s, None


def hand_listening(port):
    s = bound_there('tcp', port)
    s.listen(8)
    return s, None


def hand_accepted(port):
    s, _ = hand_listening(port)
    tell('waits')
    conn, _ = s.accept()
    s.close()
    return conn, None


def hand_late(kind, port):
    """It gets its port when it has been given away."""
    s = made(kind, '')
    options(s, ['reuseaddr'])

    def then():
        s.bind(('127.0.0.1', port))
        if kind == 'tcp':
            s.listen(8)
    return s, then


HANDS = {
    'listening': hand_listening,
    'bound': lambda port: (bound_there('udp', port), None),
    'connected': hand_connected,
    'accepted': hand_accepted,
    'late-listening': lambda port: hand_late('tcp', port),
    'late-bound': lambda port: hand_late('udp', port),
}


def hand(path, port):
    for line in asked(path):
        try:
            s, then = HANDS[line.recv(100).decode()](int(port))
            socket.send_fds(line, [b'x'], [s.fileno()])
            if then:
                then()
            line.recv(1)
            s.close()
        except (OSError, KeyError) as e:
            tell('cannot', e)
        line.close()


def take(path, kind):
    line = socket.socket(socket.AF_UNIX)
    line.connect(path)
    line.sendall(kind.encode())
    fds = socket.recv_fds(line, 1, 1)[1]
    tell('taken' if fds else 'not given')
    if not fds:
        return
    s = socket.socket(fileno=fds[0])
    if s.type == socket.SOCK_DGRAM:
        dissolve(s)
    elif kind != 'accepted':
        time.sleep(0.5)
        s, _ = s.accept()
    s.settimeout(15)
    tell('got', s.recv(1000))


def flap(port):
    def takes(s):
        try:
            while True:
                conn, _ = s.accept()
                conn.settimeout(0.3)
                tell('flap', conn.recv(100))
        except OSError:
            pass
    tell('ready')
    while True:
        s = listens('tcp', '127.0.0.1', int(port), ['reuseaddr'])
        t = begins(takes, s)
        time.sleep(0.002)
        s.shutdown(socket.SHUT_RDWR)
        t.join()
        s.close()


def storm(word, port):
    until = time.monotonic() + 4
    while time.monotonic() < until:
        s = made('tcp', '')
        s.settimeout(0.2)
        if not tried(s.connect, ('127.0.0.1', int(port))):
            tried(s.sendall, b'%s-0.' % word.encode())
        s.close()
    time.sleep(0.5)


VERBS = {f.__name__: f for f in (serve, send, own, turned, race, give, given, lands, hand, take, flap,
                                 storm, listen)}
VERBS[sys.argv[1]](*sys.argv[2:])
