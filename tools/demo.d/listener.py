# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The host that must not be reached: keeps what it receives. listener.py ADDRESS PORT FILE"""

import http.server
import sys


class Keeper(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open(sys.argv[3], "ab") as kept:
            kept.write(body)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


server = http.server.HTTPServer((sys.argv[1], int(sys.argv[2])), Keeper)
print("listening", flush=True)
server.serve_forever()
