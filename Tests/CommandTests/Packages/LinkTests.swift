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

    @Test func `--watch restarts what runs when a source file changes, also after one that was broken`() async throws {
        try await TestProject.with { project in
            try project.write("local/package.json", #"{"name":"svc","version":"1.0.0","bin":{"svc":"./run.js"}}"#)
            let body = "console.log('up ' + require('./lib.js')); setInterval(() => {}, 1000);"
            try project.write("local/run.js", body)
            try project.write("local/lib.js", "module.exports = 'one';")
            try project.configure(
                [:], mapping: ["svc": ["container": "svc", "ready": ["log": "up"], "restart": "never"]])
            try project.startDaemon()
            let link = try project.start([TestPaths.pm, "link", "svc", "local", "--watch"])
            #expect(link.waitForOutput("svc\n"))
            try until("the services are registered") { (try? project.json("ls"))?["svc"] != nil }
            try project.must("start", "svc", "--wait")
            let first = try project.status("svc")["pid"]
            try project.write("local/lib.js", "module.exports = 'two';")
            try project.until("svc", "restarted") { $0["pid"]?.int != nil && $0["pid"] != first && $0["ready"] == true }
            #expect(try project.must("log", "svc", "-n", "all").contains("up two"))
            // No source file.
            let second = try project.status("svc")["pid"]
            try project.write("local/notes.txt", "text")
            try project.write("local/lib.js", "throw new Error('broken');")
            try project.until("svc", "broken") { $0["state"] == "down" && $0["pid"]?.int == nil }
            try project.write("local/lib.js", "module.exports = 'three';")
            try project.until("svc", "mended") { $0["pid"]?.int != nil && $0["ready"] == true && $0["pid"] != second }
            // One that somebody has stopped stays so.
            try project.must("stop", "svc")
            link.signal(2)
            let outcome = link.wait()
            #expect(outcome.errors.contains("watching \(project.directory)/local"), "\(outcome)")
            #expect(outcome.errors.contains("svc does not start with the changed files"), "\(outcome)")
        }
    }
}
