"""nginx as the yardstick: a bare proxy, the least that forwarding a request can cost, and a static upstream for it."""

import os
from pathlib import Path

CONFIGURATION = """
daemon off;
worker_processes 1;
{user}
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 100000000;
    client_max_body_size 32m;
    client_body_buffer_size 1m;
    {http}
}}
"""

FORWARD = """
    upstream provider {{ server 127.0.0.1:{upstream_port}; keepalive 1024; keepalive_requests 100000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://provider;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering {buffering};
        }}
    }}
"""

ANSWER = """
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        default_type application/json;
        location / {{ return 200 '{answer}'; }}
    }}
"""


def forwarding(folder: Path, port: int, upstream_port: int, stream: bool) -> list[str]:
    """The command of a proxy that forwards and does nothing else. Streams pass unbuffered: each event as it comes."""
    buffering = "off" if stream else "on"
    return nginx(folder, FORWARD.format(port=port, upstream_port=upstream_port, buffering=buffering))


def answering(folder: Path, port: int, answer: bytes) -> list[str]:
    """The command of a server that gives every request the same answer, for a fraction of what forwarding costs."""
    return nginx(folder, ANSWER.format(port=port, answer=answer.decode().replace("'", "\\'")))


def nginx(folder: Path, http: str) -> list[str]:
    """Write a configuration that touches nothing outside `folder`, and return the command that runs it."""
    folder.mkdir(parents=True)
    user = "user root;" if os.geteuid() == 0 else ""
    conf = folder / "nginx.conf"
    conf.write_text(CONFIGURATION.format(folder=folder, http=http, user=user))
    return ["nginx", "-p", str(folder), "-c", str(conf), "-e", "stderr"]
