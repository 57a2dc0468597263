"""The gateway: what other programs already speak, HTTP and WebSockets, in the daemon's own process.

`app.make_app` puts the protocols together, `serve.Gateway` runs them beside a daemon. Each protocol is a module or
package of its own that takes a `host.Host`.
"""
