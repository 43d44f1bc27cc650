import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm link` {
    @Test func `runs a local package in place of the installed one, until it is installed again`() async throws {
        let service = PackageRegistry.service("@my/svc", "1.0.0")
        try await PackageRegistry.with([service]) { project, _ in
            try project.startDaemon()
            try project.must("install", "@my/svc")
            try project.write("local/package.json", #"{"name":"@my/svc","version":"1.1.0","bin":{"svc":"./run.js"}}"#)
            try project.write("local/run.js", "console.log('local'); setInterval(() => {}, 1000);")
            #expect(try project.must("link", "@my/svc", "local") == "svc\n")
            #expect(try project.json("ls")["svc"]?["path"]?.string?.hasSuffix("local/run.js") == true)
            try project.must("install", "@my/svc")
            #expect(try project.json("ls")["svc"]?["path"]?.string?.hasSuffix("node_modules/@my/svc/run.js") == true)
            #expect(try project.json("link", "mine", "local") == ["services": ["mine"]])
            #expect(try project.pm("link", "mine", "nowhere").code == 65)
            try project.must("uninstall", "@my/svc", "--yes")
            #expect(try project.json("ls") == [:])
        }
    }
}
