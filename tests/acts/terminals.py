#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Terminals, and who reads and writes them.

  person HOW WORD LOG   somebody at a terminal of their own, who types WORD all the time; LOG: what the terminal
                        shows. HOW: session (somebody's shell), fresh (nobody's session yet). Prints its path
  read PATH             what is typed there, for a while
  write PATH TEXT
  wear TIMES            makes and ends so many terminals
  on CMD...             CMD on a new terminal; prints what that shows
  own                   opens by path the terminal that it is on; and one that it makes, before that has a session,
                        and from a session of its own
"""
import os
import pty
import select
import sys
import time


def child_of(slave):
    """A session on the terminal, which ends with this process's end of it."""
    if not os.fork():
        os.setsid()
        os.closerange(0, 100)
        os.close(os.open(slave, os.O_RDWR))
        time.sleep(1000)
        os._exit(0)


def person(how, word, log):
    master, slave = os.openpty()
    path = os.ttyname(slave)
    if how == 'session':
        child_of(path)
        time.sleep(0.3)
    print(path, flush=True)
    with open(log, 'ab', buffering=0) as out:
        while True:
            os.write(master, word.encode() + b'\n')
            while select.select([master], [], [], 0.3)[0]:
                out.write(os.read(master, 1000))


def read(path):
    fd = os.open(path, os.O_RDONLY | os.O_NOCTTY)
    until = time.time() + 3
    while select.select([fd], [], [], max(0, until - time.time()))[0]:
        print(os.read(fd, 1000).decode(), flush=True)


def write(path, text):
    fd = os.open(path, os.O_WRONLY | os.O_NOCTTY)
    os.write(fd, text.encode())


def wear(times):
    for _ in range(int(times)):
        for fd in os.openpty():
            os.close(fd)


def on(*cmd):
    sys.exit(os.waitstatus_to_exitcode(pty.spawn(list(cmd))))


def own():
    os.close(os.open(os.ttyname(0), os.O_RDWR | os.O_NOCTTY))
    os.close(os.open('/dev/tty', os.O_RDWR))
    master, slave = os.openpty()
    path = os.ttyname(slave)
    os.close(os.open(path, os.O_RDWR | os.O_NOCTTY))
    child_of(path)
    time.sleep(0.3)
    os.close(os.open(path, os.O_RDWR | os.O_NOCTTY))
    print('own')


try:
    {f.__name__: f for f in (person, read, write, wear, on, own)}[sys.argv[1]](*sys.argv[2:])
except OSError as e:
    print(e, file=sys.stderr)
    sys.exit(1)
