"""The HTTP API: what people, voice platforms, carriers' tools and monitors may ask of a node (docs/api.md)."""

from b2bua.web.app import make_app
from b2bua.web.ports import LiveCalls, Node
from b2bua.web.server import WebServer

__all__ = ["LiveCalls", "Node", "WebServer", "make_app"]
