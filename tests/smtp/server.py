"""A real SMTP server (aiosmtpd) for the whole-network tests: it demands STARTTLS and a login.

    server.py CERTIFICATE KEY USER PASSWORD_FILE FOLDER PORT

Listens on a port of 127.0.0.1, which the system picks where PORT is 0, says "port N" on standard output, and puts each
accepted mail into FOLDER as one .eml file, complete when it has its name. Ends with its standard input.
"""

import asyncio
import os
import ssl
import sys
import time

from aiosmtpd.smtp import SMTP, AuthResult


class Folder:
    def __init__(self, folder):
        self.folder = folder

    async def handle_DATA(self, server, session, envelope):
        # A marker file makes the server refuse for good, so that a test can see a mail come back.
        if os.path.exists(os.path.join(self.folder, "refuse")):
            return "550 5.1.1 no such mailbox here"
        name = os.path.join(self.folder, f"{time.time_ns()}.eml")
        with open(name + ".new", "wb") as file:
            file.write(envelope.content)
        os.rename(name + ".new", name)
        return "250 2.0.0 accepted"


def main():
    certificate, key, user, password_file, folder, port = sys.argv[1:7]
    with open(password_file, encoding="utf-8") as file:
        password = file.read().strip()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    def authenticate(server, session, envelope, mechanism, data):
        right = data.login == user.encode() and data.password == password.encode()
        # Not handled: the server itself is to say 535.
        return AuthResult(success=right, handled=False)

    def session():
        return SMTP(
            Folder(folder),
            hostname="127.0.0.1",
            enable_SMTPUTF8=True,
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=authenticate,
        )

    asyncio.run(serve(session, int(port)))


async def serve(session, port):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, host="127.0.0.1", port=port)
    print(f"port {server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    main()
