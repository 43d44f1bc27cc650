import PMModel
import Testing

@Suite struct PathsTests {
    @Test(arguments: [
        ("/a/b/../c/./d//", "/a/c/d"), ("/..", "/"), ("/", "/"), ("a/../..", ".."), ("./a", "a"), ("", "."),
        ("../../x", "../../x"), ("/a/../../b", "/b"), ("ü/é", "ü/é"),
    ])
    func `a path is normalized by its text`(given: String, expected: String) {
        #expect(Paths.normalized(given) == expected)
    }

    @Test func `a path is resolved from a base and taken apart again`() {
        #expect(Paths.resolve("b/c", from: "/a") == "/a/b/c")
        #expect(Paths.resolve("/b", from: "/a") == "/b")
        #expect(Paths.resolve("../b", from: "/a") == "/b")
        #expect(Paths.directory(of: "/a/b") == "/a")
        #expect(Paths.directory(of: "/a") == "/")
        #expect(Paths.directory(of: "a") == ".")
        #expect(Paths.name(of: "/a/b") == "b")
        #expect(Paths.name(of: "b") == "b")
    }

    @Test func `only what lies below a folder is inside it`() {
        #expect(Paths.relative("/srv/shop/é/web.js", to: "/srv/shop") == "./é/web.js")
        #expect(Paths.relative("/srv/shöp/\u{301}web.js", to: "/srv/shöp") == "./\u{301}web.js")
        #expect(Paths.relative("/web.js", to: "/") == "./web.js")
        for path in ["/srv/shop", "/srv/shopping/web.js", "file:///srv/shop/web.js"] {
            #expect(Paths.relative(path, to: "/srv/shop") == path)
        }
        #expect(Paths.isInside("/a/b", "/a"))
        #expect(Paths.isInside("/a", "/a"))
        #expect(Paths.isInside("/a", "/"))
        #expect(!Paths.isInside("/ab", "/a"))
        #expect(!Paths.isInside("/", "/a"))
    }

    @Test(arguments: ["/srv/app", "/srv/my app", "/a%20b", "/ü/#1?", "/@scope/pkg"])
    func `a path survives being a file URL`(path: String) {
        #expect(Paths.path(ofFileURL: Paths.fileURL(path)) == path)
    }

    @Test func `only a well-made file URL is a path`() {
        #expect(Paths.path(ofFileURL: "FILE:///a%20b?x#y") == "/a b")
        #expect(Paths.path(ofFileURL: "file://localhost/a") == "/a")
        for bad in [
            "/a", "file:/a", "file://host/a", "file:///a%2", "file:///a%zz", "file:///a%00", "file:///%ff", "npm:///x",
        ] {
            #expect(Paths.path(ofFileURL: bad) == nil, "\(bad)")
        }
        #expect(Paths.fileURL("/a b") == "file:///a%20b")
    }

    @Test(arguments: ["/run/pm.sock", "/a b/%20/é#?.sock"])
    func `a socket's URL names its path`(path: String) {
        #expect(Paths.path(ofSocketURL: Paths.socketURL(path)) == path)
    }

    @Test func `only a well-made socket URL is a path`() {
        #expect(Paths.socketURL("/a b") == "jsonrpc+unix:///a%20b")
        for bad in ["/a", "", "jsonrpc+unix:/a", "jsonrpc+unix+tls:///a", "jsonrpc+unix:///%zz", "unix:///a"] {
            #expect(Paths.path(ofSocketURL: bad) == nil, "\(bad)")
        }
    }
}
